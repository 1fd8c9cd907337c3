//! Expressions at one place with numbers in them: sums written out term by term, elements and partial derivatives replaced.

use std::collections::{BTreeMap, HashMap};

use super::Worked;
use crate::derivation::Derivation;
use crate::equation::{Affine, Context, ExprId, IndexId, Node, ReduceKind, Role, Tensor, TensorId, evaluate, for_each_child};
use crate::sheet::Shown;

/// Terms of a sum that are all written out; of a longer one the first few and the last.
const WRITTEN_TERMS: usize = 6;
const FIRST_TERMS: usize = 3;

/// A value for each free index.
pub(crate) type At = Vec<(IndexId, i64)>;

/// The derivation's expressions with an example's numbers.
pub(crate) struct Instances<'a> {
    derivation: &'a Derivation,
    /// The derivation's context with a scalar for each number.
    pub(crate) context: Context,
    values: HashMap<TensorId, Vec<f64>>,
    shown: BTreeMap<TensorId, Shown>,
    elements: BTreeMap<(TensorId, Vec<i64>), ExprId>,
}

impl<'a> Instances<'a> {
    pub(crate) fn new(derivation: &'a Derivation, worked: &Worked) -> Self {
        Self {
            derivation,
            context: derivation.model.context.clone(),
            values: worked.values.clone(),
            shown: BTreeMap::new(),
            elements: BTreeMap::new(),
        }
    }

    /// The scalars that stand for numbers.
    pub(crate) fn shown(&self) -> &BTreeMap<TensorId, Shown> {
        &self.shown
    }

    /// The values of a tensor in row-major order.
    pub(crate) fn values(&self, tensor: TensorId) -> Option<&[f64]> {
        self.values.get(&tensor).map(Vec::as_slice)
    }

    /// An expression with its free indices at a place, nothing else changed.
    pub(crate) fn at(&mut self, expr: ExprId, at: &At) -> ExprId {
        let renaming: Vec<_> = at.iter().map(|&(index, value)| (index, Affine::constant(value))).collect();
        self.context.substitute_indices(expr, &renaming)
    }

    /// An expression at a place with numbers in it; `None` where one is not known.
    pub(crate) fn with_numbers(&mut self, expr: ExprId, at: &At) -> Option<ExprId> {
        let expr = self.at(expr, at);
        self.replaced(expr, &mut HashMap::new())
    }

    /// What an expression without free indices comes to.
    pub(crate) fn value(&self, expr: ExprId) -> Option<f64> {
        evaluate(&self.context, &(&self.context, &self.values), &[], expr).ok()
    }

    /// The numbers that stand in an expression.
    pub(crate) fn shown_in(&self, expr: ExprId) -> Vec<Shown> {
        let scalars = self.context.tensors_in(expr).into_iter();
        scalars.filter_map(|scalar| self.shown.get(&scalar)).cloned().collect()
    }

    fn replaced(&mut self, expr: ExprId, done: &mut HashMap<ExprId, ExprId>) -> Option<ExprId> {
        if let Some(&known) = done.get(&expr) {
            return Some(known);
        }
        let replaced = match self.context.node(expr).clone() {
            Node::Access { tensor, indices } => self.element(tensor, &constants(&indices)?)?,
            Node::Partial { of, by } => self.partial(of, by)?,
            Node::Reduce { kind: ReduceKind::Sum, indices, body } => self.sum(&indices, body, done)?,
            Node::Reduce { kind: ReduceKind::Product, indices, body } if self.count(&indices) <= WRITTEN_TERMS => {
                let factors = self.instances(&indices, body, 0..WRITTEN_TERMS, done)?;
                self.context.multiply(factors)
            }
            Node::Reduce { .. } | Node::ArgReduce { .. } => {
                let value = self.value(expr)?;
                self.stand_in(Shown::Reduction(value), Role::Value)
            }
            node => {
                let mut children = HashMap::new();
                let mut parts = Vec::new();
                for_each_child(&node, |part| parts.push(part));
                for part in parts {
                    children.insert(part, self.replaced(part, done)?);
                }
                self.context.rebuild(expr, |_, child, _| children.get(&child).copied().unwrap_or(child))
            }
        };
        done.insert(expr, replaced);
        Some(replaced)
    }

    fn count(&self, indices: &[IndexId]) -> usize {
        indices.iter().fold(1, |count, &index| count.saturating_mul(self.context.index_of(index).extent()))
    }

    /// The body of a reduction with numbers, at some of the places that its indices run over.
    fn instances(
        &mut self,
        indices: &[IndexId],
        body: ExprId,
        positions: std::ops::Range<usize>,
        done: &mut HashMap<ExprId, ExprId>,
    ) -> Option<Vec<ExprId>> {
        let positions = positions.start..positions.end.min(self.count(indices));
        let mut instances = Vec::new();
        for position in positions {
            let at = self.place(indices, position);
            let instance = self.at(body, &at);
            instances.push(self.replaced(instance, done)?);
        }
        Some(instances)
    }

    /// The values of some indices at a position, counted with the last index first.
    fn place(&self, indices: &[IndexId], mut position: usize) -> At {
        let mut at = Vec::new();
        for &index in indices.iter().rev() {
            let range = self.context.index_of(index);
            at.push((index, range.start + (position % range.extent()) as i64));
            position /= range.extent();
        }
        at
    }

    /// A sum term by term; of a long one the first terms, dots, and the last.
    fn sum(&mut self, indices: &[IndexId], body: ExprId, done: &mut HashMap<ExprId, ExprId>) -> Option<ExprId> {
        let count = self.count(indices);
        if count <= WRITTEN_TERMS {
            let terms = self.instances(indices, body, 0..count, done)?;
            return Some(self.context.add(terms));
        }
        let mut terms = self.instances(indices, body, 0..FIRST_TERMS, done)?;
        // Terms stand in the order in which they were made.
        let scalar = self.scalar(Role::Value);
        let rest = self.context.access(scalar, Vec::new());
        terms.extend(self.instances(indices, body, count - 1..count, done)?);
        let left_out = self.instances(indices, body, FIRST_TERMS..count - 1, done)?;
        let value: f64 = left_out.iter().filter_map(|&term| self.value(term)).sum();
        self.show(scalar, Shown::Rest(value));
        terms.push(rest);
        Some(self.context.add(terms))
    }

    /// One element; 0 outside of its tensor.
    fn element(&mut self, tensor: TensorId, place: &[i64]) -> Option<ExprId> {
        if self.shown.contains_key(&tensor) {
            return Some(self.context.access(tensor, Vec::new()));
        }
        if let Some(&known) = self.elements.get(&(tensor, place.to_vec())) {
            return Some(known);
        }
        let shape = &self.context.tensor(tensor).shape;
        let is_inside = place.iter().zip(shape).all(|(&at, &extent)| at >= 0 && at < extent as i64);
        let value = if is_inside {
            let flat = place.iter().zip(shape).fold(0, |flat, (&at, &extent)| flat * extent + at as usize);
            *self.values.get(&tensor)?.get(flat)?
        } else {
            0.0
        };
        // A number stands where its element stands; a mean over one example stands for itself.
        let role = match self.context.tensor(tensor).role {
            Role::BatchMean { .. } | Role::Next { .. } | Role::Objective => Role::Value,
            role => role,
        };
        let shown = if is_inside { Shown::Element { tensor, place: place.to_vec(), value } } else { Shown::Reduction(value) };
        let known = self.stand_in(shown, role);
        self.elements.insert((tensor, place.to_vec()), known);
        Some(known)
    }

    /// A partial derivative that a chain rule names, from the last of its forms.
    fn partial(&mut self, of: ExprId, by: ExprId) -> Option<ExprId> {
        let access = |expr: ExprId| match self.context.node(expr) {
            Node::Access { tensor, indices } => Some((*tensor, constants(indices)?)),
            _ => None,
        };
        let ((of, of_place), (by, by_place)) = (access(of)?, access(by)?);
        let factors = self.derivation.backward.iter().flat_map(|adjoint| &adjoint.record.factors);
        for factor in factors {
            let Node::Partial { of: named_of, by: named_by } = *self.context.node(factor.partial) else { continue };
            let named = |expr: ExprId, tensor: TensorId| match self.context.node(expr) {
                Node::Access { tensor: named, indices } if *named == tensor => Some(indices),
                _ => None,
            };
            let Some((of_indices, by_indices)) = named(named_of, of).zip(named(named_by, by)) else { continue };
            let mut at = At::new();
            if !(solve(by_indices, &by_place, &mut at) && solve(of_indices, &of_place, &mut at)) {
                continue;
            }
            let last = factor.steps.last()?.value;
            let last = self.at(last, &at);
            let value = self.value(last)?;
            let role = Role::Adjoint { of: by };
            return Some(self.stand_in(Shown::Partial(value), role));
        }
        None
    }

    /// A scalar in place of a number: as a number it would be folded.
    fn stand_in(&mut self, shown: Shown, role: Role) -> ExprId {
        let scalar = self.scalar(role);
        self.show(scalar, shown);
        self.context.access(scalar, Vec::new())
    }

    fn scalar(&mut self, role: Role) -> TensorId {
        let (name, shape, axes) = (String::new(), Vec::new(), Vec::new());
        self.context.add_tensor(Tensor { name, shape, axes, role, label: false, origin: None })
    }

    fn show(&mut self, scalar: TensorId, shown: Shown) {
        self.values.insert(scalar, vec![shown.value()]);
        self.shown.insert(scalar, shown);
    }
}

/// The place that indices without variables name.
fn constants(indices: &[Affine]) -> Option<Vec<i64>> {
    indices.iter().map(|affine| affine.terms.is_empty().then_some(affine.constant)).collect()
}

/// Finds the indices for which these affine expressions have these values; false where there are none.
fn solve(indices: &[Affine], place: &[i64], at: &mut At) -> bool {
    indices.iter().zip(place).all(|(affine, &wanted)| {
        if let Some(index) = affine.as_index()
            && !at.iter().any(|(known, _)| *known == index)
        {
            at.push((index, wanted));
            return true;
        }
        let value = affine.terms.iter().try_fold(affine.constant, |sum, &(index, coefficient)| {
            let known = at.iter().find(|(known, _)| *known == index)?;
            Some(sum + coefficient * known.1)
        });
        value == Some(wanted)
    })
}
