//! Which values an expression may take.

use std::collections::BTreeMap;

use super::Study;
use super::interval::Interval;
use crate::equation::{Affine, Context, ExprId, IndexId, Node, ReduceKind, Relation, Role, TensorId};

/// Ranges of tensors, and of parts of expressions of which more is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranges {
    tensors: BTreeMap<TensorId, Interval>,
    /// What is known of a part, latest last.
    known: Vec<(ExprId, Interval)>,
}

impl Ranges {
    /// The ranges of all tensors of the forward pass.
    pub(super) fn of_network(study: &mut Study<'_>) -> Self {
        let mut ranges = Ranges::default();
        let data: Vec<TensorId> = study.context.tensors().map(|(tensor, _)| tensor).collect();
        for tensor in data {
            let described = study.context.tensor(tensor);
            if described.label || described.role == Role::Noise {
                ranges.tensors.insert(tensor, Interval::closed(0.0, 1.0));
            }
        }
        for equation in &study.derivation.forward {
            let range = ranges.of(&mut study.context, equation.value);
            ranges.tensors.insert(equation.target, range);
        }
        ranges
    }

    /// The range of a tensor.
    pub(super) fn of_tensor(&self, tensor: TensorId) -> Interval {
        self.tensors.get(&tensor).copied().unwrap_or(Interval::ALL)
    }

    /// The same, knowing the range of a part.
    pub(super) fn knowing(&self, part: ExprId, range: Interval) -> Self {
        let mut more = self.clone();
        more.known.push((part, range));
        more
    }

    /// The same where a condition holds.
    pub(super) fn given(&self, context: &Context, condition: ExprId, holds: bool) -> Self {
        let mut more = self.clone();
        more.assume(context, condition, holds);
        more
    }

    fn assume(&mut self, context: &Context, condition: ExprId, holds: bool) {
        match context.node(condition) {
            Node::And(parts) if holds => parts.iter().for_each(|&part| self.assume(context, part, true)),
            Node::Or(parts) if !holds => parts.iter().for_each(|&part| self.assume(context, part, false)),
            Node::Not(part) => self.assume(context, *part, !holds),
            Node::Compare(relation, left, right) => {
                let relation = if holds { *relation } else { relation.opposite() };
                for (part, relation, other) in [(*left, relation, *right), (*right, relation.mirrored(), *left)] {
                    if let Some(number) = context.as_number(other) {
                        let half = half_line(relation, number.value());
                        let before = self.known.iter().rev().find(|known| known.0 == part).map(|known| known.1);
                        let before = before.unwrap_or_else(|| match context.node(part) {
                            Node::Access { tensor, .. } => self.of_tensor(*tensor),
                            _ => Interval::ALL,
                        });
                        self.known.push((part, before.intersection(half)));
                    }
                }
            }
            _ => {}
        }
    }

    /// The range of an expression.
    pub(super) fn of(&self, context: &mut Context, expr: ExprId) -> Interval {
        if let Some((_, range)) = self.known.iter().rev().find(|(known, _)| *known == expr) {
            return *range;
        }
        match context.node(expr).clone() {
            Node::Number(number) => Interval::number(number.value()),
            Node::Index(affine) => of_affine(context, &affine),
            Node::Access { tensor, indices } => {
                let range = self.of_tensor(tensor);
                // Outside of the tensor it is 0.
                let is_plain = indices.iter().all(|affine| affine.as_index().is_some() || affine.terms.is_empty());
                if is_plain { range } else { range.hull(Interval::number(0.0)) }
            }
            Node::Add(terms) => self.fold(context, &terms, Interval::number(0.0), Interval::plus),
            Node::Multiply(factors) => {
                let product = self.fold(context, &factors, Interval::number(1.0), Interval::times);
                if self.is_share(context, &factors) { product.intersection(Interval::open(0.0, 1.0)) } else { product }
            }
            Node::Power(base, exponent) => match (context.as_number(base), context.as_number(exponent)) {
                (_, Some(exponent)) => self.of(context, base).power(exponent.value()),
                (Some(base), None) if base.value() > 0.0 => {
                    let exponent = self.of(context, exponent);
                    exponent.times(Interval::number(base.value().ln())).call(crate::equation::Elementary::Exp)
                }
                _ => Interval::ALL,
            },
            Node::Call(function, argument) => self.of(context, argument).call(function),
            Node::Compare(..) | Node::And(_) | Node::Or(_) | Node::Not(_) => Interval::closed(0.0, 1.0),
            Node::If { condition, then, otherwise } => {
                let then = self.given(context, condition, true).of(context, then);
                let otherwise = self.given(context, condition, false).of(context, otherwise);
                then.hull(otherwise)
            }
            Node::Reduce { kind, indices, body } => {
                let count: usize = indices.iter().map(|&index| context.index_of(index).extent()).product();
                let range = self.of(context, body);
                match kind {
                    ReduceKind::Sum => range.times(Interval::number(count as f64)),
                    ReduceKind::Max | ReduceKind::Min => range,
                    ReduceKind::Product if range.is_positive() => Interval::open(0.0, f64::INFINITY),
                    ReduceKind::Product => Interval::ALL,
                }
            }
            Node::ArgReduce { indices, position, .. } => {
                indices.get(position).map_or(Interval::ALL, |&index| of_affine(context, &Affine::index(index)))
            }
            Node::Partial { .. } => Interval::ALL,
        }
    }

    fn fold(
        &self,
        context: &mut Context,
        parts: &[ExprId],
        first: Interval,
        combine: fn(Interval, Interval) -> Interval,
    ) -> Interval {
        parts.iter().fold(first, |range, &part| {
            let part = self.of(context, part);
            combine(range, part)
        })
    }

    /// Whether a product is one positive term over a sum of such that it is in: `a[j] / sum(k: a[k])`, `a / (1 + a)`.
    fn is_share(&self, context: &mut Context, factors: &[ExprId]) -> bool {
        for &factor in factors {
            let Node::Power(base, exponent) = *context.node(factor) else { continue };
            if !context.is_integer(exponent, -1) {
                continue;
            }
            let rest: Vec<ExprId> = factors.iter().copied().filter(|&other| other != factor).collect();
            let rest = context.multiply(rest);
            if let Node::Add(terms) = context.node(base).clone()
                && terms.contains(&rest)
                && terms.iter().all(|&term| self.of(context, term).is_positive())
            {
                return true;
            }
            let Node::Reduce { kind: ReduceKind::Sum, indices, body } = context.node(base).clone() else { continue };
            let [bound] = indices[..] else { continue };
            let is_term = |context: &mut Context, index: IndexId| {
                let (bound, index_range) = (context.index_of(bound), context.index_of(index));
                (bound.start, bound.end) == (index_range.start, index_range.end) && bound.extent() > 1
            };
            for index in context.free_indices(rest) {
                if is_term(context, index)
                    && context.substitute_indices(body, &[(bound, Affine::index(index))]) == rest
                    && self.of(context, body).is_positive()
                {
                    return true;
                }
            }
        }
        false
    }
}

fn of_affine(context: &Context, affine: &Affine) -> Interval {
    affine.terms.iter().fold(Interval::number(affine.constant as f64), |sum, &(index, coefficient)| {
        let range = context.index_of(index);
        let values = Interval::closed(range.start as f64, (range.end - 1).max(range.start) as f64);
        sum.plus(values.times(Interval::number(coefficient as f64)))
    })
}

fn half_line(relation: Relation, number: f64) -> Interval {
    let (open, closed) = (Interval::open, Interval::closed);
    match relation {
        Relation::Less => open(f64::NEG_INFINITY, number),
        Relation::LessEqual => closed(f64::NEG_INFINITY, number),
        Relation::Greater => open(number, f64::INFINITY),
        Relation::GreaterEqual => closed(number, f64::INFINITY),
        Relation::Equal => Interval::number(number),
        Relation::NotEqual => Interval::ALL,
    }
}
