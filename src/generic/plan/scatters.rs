//! Sums whose terms each belong to one place of the result, as a convolution's or a maximum's derivative has them: instead of asking at every place
//! which terms belong to it, each term is added to its place.

use std::collections::HashMap;

use crate::equation::{Affine, Context, ExprId, IndexId, Node, ReduceKind, Relation};

/// `Σ over the bound indices of body`, each term at the place that expressions in the bound indices give to some free indices.
#[derive(Clone, Debug)]
pub(super) struct Scattered {
    pub(super) bound: Vec<IndexId>,
    /// Free indices of the sum and their values. They do not occur in the body.
    pub(super) places: Vec<(IndexId, ExprId)>,
    pub(super) body: ExprId,
}

/// Sums by their expressions.
pub(super) type Scatters = HashMap<ExprId, Scattered>;

/// Finds the sums in an expression that are computed place by place. The value of `step` is fixed, so nothing is scattered along it.
pub(super) fn find_scatters(context: &mut Context, step: Option<IndexId>, value: ExprId) -> Scatters {
    let mut found = Scatters::new();
    let mut open = vec![value];
    while let Some(expr) = open.pop() {
        let mut sums = Vec::new();
        context.visit(expr, &mut |context, part| {
            if let Node::Reduce { kind: ReduceKind::Sum, .. } = context.node(part)
                && !found.contains_key(&part)
            {
                sums.push(part);
            }
        });
        for sum in sums {
            if let Some(scattered) = scattered(context, step, sum) {
                open.push(scattered.body);
                found.insert(sum, scattered);
            }
        }
    }
    found
}

/// A sum as a scattering one, if it is that.
fn scattered(context: &mut Context, step: Option<IndexId>, sum: ExprId) -> Option<Scattered> {
    let Node::Reduce { indices, body, .. } = context.node(sum).clone() else { return None };
    if !factors(context, body).iter().any(|&factor| is_candidate(context, factor)) {
        return None;
    }
    let (bound, body) = context.open(&indices, body);
    let factors = factors(context, body);
    let mut search = Search { bound, step, places: Vec::new(), factors };
    while search.take_delta(context) || search.take_window(context) {}
    let Search { bound, places, factors, .. } = search;
    let body = context.multiply(factors);
    (!places.is_empty()).then_some(Scattered { bound, places, body })
}

/// The factors of a product, conditions that are joined by `and` each by itself.
fn factors(context: &Context, expr: ExprId) -> Vec<ExprId> {
    match context.node(expr) {
        Node::Multiply(parts) | Node::And(parts) => parts.iter().flat_map(|&part| factors(context, part)).collect(),
        _ => vec![expr],
    }
}

fn is_candidate(context: &Context, factor: ExprId) -> bool {
    match context.node(factor) {
        Node::Compare(Relation::Equal, ..) => true,
        Node::Access { indices, .. } => indices.iter().any(|place| place.terms.len() > 1),
        _ => false,
    }
}

struct Search {
    bound: Vec<IndexId>,
    step: Option<IndexId>,
    places: Vec<(IndexId, ExprId)>,
    factors: Vec<ExprId>,
}

impl Search {
    fn is_free(&self, index: IndexId) -> bool {
        !self.bound.contains(&index) && self.step != Some(index) && self.places.iter().all(|(placed, _)| *placed != index)
    }

    /// Takes a factor `[i = place]` away that gives a free index its value.
    fn take_delta(&mut self, context: &mut Context) -> bool {
        for at in 0..self.factors.len() {
            let Node::Compare(Relation::Equal, left, right) = *context.node(self.factors[at]) else { continue };
            let difference = context.subtract(left, right);
            let (affine, rest) = affine_part(context, difference);
            for &(index, coefficient) in &affine.terms {
                if coefficient.abs() != 1 || !self.is_free(index) || context.contains_index(rest, index) {
                    continue;
                }
                let Some(others) = affine.plus(-coefficient, &Affine::index(index)) else { continue };
                // coefficient * index + others + rest = 0
                let others = context.index_value(others);
                let place = context.add([others, rest]);
                let sign = context.integer(-coefficient);
                let place = context.multiply([sign, place]);
                let mut factors = self.factors.clone();
                factors.remove(at);
                if context.contains_any_index(place, &self.bound) && self.place(context, index, place, factors) {
                    return true;
                }
            }
        }
        false
    }

    /// Makes an index of a place such as `r - 2p` of a tensor that is small against the free index in it, which then follows from the two others.
    fn take_window(&mut self, context: &mut Context) -> bool {
        for at in 0..self.factors.len() {
            let Node::Access { tensor, indices } = context.node(self.factors[at]).clone() else { continue };
            for (axis, place) in indices.iter().enumerate() {
                let extent = context.tensor(tensor).shape[axis];
                if !place.terms.iter().any(|(index, _)| self.bound.contains(index)) {
                    continue;
                }
                for &(index, coefficient) in &place.terms {
                    let is_large = context.index_of(index).extent() >= 2 * extent;
                    if coefficient.abs() != 1 || !is_large || !self.is_free(index) {
                        continue;
                    }
                    let new = context.add_index("u", 0, extent as i64);
                    // new = coefficient * index + others
                    let solved = place
                        .plus(-coefficient, &Affine::index(index))
                        .and_then(|others| Affine::index(new).plus(-1, &others))
                        .and_then(|difference| Affine::default().plus(coefficient, &difference));
                    let Some(solved) = solved else { continue };
                    let solved = context.index_value(solved);
                    let factors = self.factors.clone();
                    self.bound.push(new);
                    if self.place(context, index, solved, factors) {
                        return true;
                    }
                    self.bound.pop();
                }
            }
        }
        false
    }

    /// Gives an index a value, if that can be written wherever it occurs.
    fn place(&mut self, context: &mut Context, index: IndexId, value: ExprId, factors: Vec<ExprId>) -> bool {
        let affine = match context.node(value) {
            Node::Index(affine) => Some(affine.clone()),
            _ => None,
        };
        let places = self.places.iter().map(|&(_, place)| place);
        let occurs = factors.iter().copied().chain(places).any(|part| context.contains_index(part, index));
        match affine {
            Some(affine) if occurs => {
                let renaming = [(index, affine)];
                self.factors = factors.into_iter().map(|factor| context.substitute_indices(factor, &renaming)).collect();
                for (_, place) in &mut self.places {
                    *place = context.substitute_indices(*place, &renaming);
                }
            }
            _ if occurs => return false,
            _ => self.factors = factors,
        }
        self.places.push((index, value));
        true
    }
}

/// An expression as a sum of an affine one and the rest.
fn affine_part(context: &mut Context, expr: ExprId) -> (Affine, ExprId) {
    let terms = match context.node(expr) {
        Node::Add(terms) => terms.clone(),
        _ => vec![expr],
    };
    let mut affine = Affine::default();
    let mut rest = Vec::new();
    for term in terms {
        let sum = affine_term(context, term).and_then(|(factor, part)| affine.plus(factor, &part));
        match sum {
            Some(sum) => affine = sum,
            None => rest.push(term),
        }
    }
    (affine, context.add(rest))
}

/// A term that is an integer times an affine expression.
fn affine_term(context: &Context, term: ExprId) -> Option<(i64, Affine)> {
    match context.node(term) {
        Node::Index(affine) => Some((1, affine.clone())),
        Node::Number(number) => Some((1, Affine::constant(number.as_integer()?))),
        Node::Multiply(factors) => match factors[..] {
            [number, part] => match context.node(part) {
                Node::Index(affine) => Some((context.as_number(number)?.as_integer()?, affine.clone())),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}
