//! Rules of sums over indices.

use super::algebra::{factors, terms};
use super::rules::Rewritten;
use super::weight::places;
use crate::equation::{Affine, Context, ExprId, IndexId, Node, Number, ReduceKind, Relation};
use crate::limits::EXPANDED_TERMS;

/// An opened sum: fresh indices and the body in terms of them.
fn open_sum(context: &mut Context, expr: ExprId) -> Option<(Vec<IndexId>, ExprId)> {
    let Node::Reduce { kind: ReduceKind::Sum, indices, body } = context.node(expr).clone() else { return None };
    Some(context.open(&indices, body))
}

/// A comparison `[index = place]` that fixes one of `bound`, with the place.
fn delta_of(context: &Context, factor: ExprId, bound: &[IndexId]) -> Option<(IndexId, Affine)> {
    let Node::Compare(Relation::Equal, left, right) = *context.node(factor) else { return None };
    let affine = |expr: ExprId| match context.node(expr) {
        Node::Index(affine) => Some(affine.clone()),
        Node::Number(number) => number.as_integer().map(Affine::constant),
        _ => None,
    };
    let (left, right) = (affine(left)?, affine(right)?);
    let difference = left.plus(-1, &right)?;
    for &(index, coefficient) in &difference.terms {
        if bound.contains(&index) && coefficient.abs() == 1 {
            // coefficient * index + rest = 0
            let rest = difference.plus(-coefficient, &Affine::index(index))?;
            return Some((index, Affine::constant(0).plus(-coefficient, &rest)?));
        }
    }
    None
}

/// The conditions under which an affine place lies in the range of an index; none where it always does.
fn inside(context: &mut Context, place: &Affine, index: IndexId) -> Vec<ExprId> {
    let (start, end) = (context.index_of(index).start, context.index_of(index).end);
    let (mut low, mut high) = (place.constant, place.constant);
    for &(term, coefficient) in &place.terms {
        let (first, last) = (context.index_of(term).start, context.index_of(term).end - 1);
        low += coefficient * if coefficient > 0 { first } else { last };
        high += coefficient * if coefficient > 0 { last } else { first };
    }
    let mut conditions = Vec::new();
    let value = context.index_value(place.clone());
    if low < start {
        let bound = context.integer(start);
        conditions.push(context.compare(Relation::GreaterEqual, value, bound));
    }
    if high >= end {
        let bound = context.integer(end);
        conditions.push(context.compare(Relation::Less, value, bound));
    }
    conditions
}

/// Multiplies out those sums of a product that hold a delta on one of `bound`, so that each term has its deltas as factors.
fn expose_deltas(context: &mut Context, expr: ExprId, bound: &[IndexId]) -> Option<Vec<ExprId>> {
    let mut finished = Vec::new();
    let mut pending = terms(context, expr);
    while let Some(term) = pending.pop() {
        let parts = factors(context, term);
        let sum = parts.iter().position(|&part| {
            matches!(context.node(part), Node::Add(summands) if summands.iter().any(|&summand| has_delta(context, summand, bound)))
        });
        match sum {
            None => finished.push(term),
            Some(position) => {
                let rest: Vec<_> = parts.iter().enumerate().filter(|(at, _)| *at != position).map(|(_, part)| *part).collect();
                for summand in terms(context, parts[position]) {
                    pending.push(context.multiply(rest.iter().copied().chain([summand])));
                }
            }
        }
        if finished.len() + pending.len() > EXPANDED_TERMS {
            return None;
        }
    }
    finished.reverse();
    Some(finished)
}

/// Whether a term has a delta on one of `bound` among its factors, or in a sum among its factors.
fn has_delta(context: &Context, term: ExprId, bound: &[IndexId]) -> bool {
    factors(context, term).iter().any(|&factor| {
        delta_of(context, factor, bound).is_some()
            || matches!(context.node(factor), Node::Add(summands) if summands.iter().any(|&summand| has_delta(context, summand, bound)))
    })
}

/// `Σ_k [k = i] f(k) = f(i)`: the rule that makes a chain rule collapse.
pub(super) fn pick_delta(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let (bound, body) = open_sum(context, expr)?;
    if !terms(context, body).iter().any(|&term| has_delta(context, term, &bound)) {
        return None;
    }
    let exposed = expose_deltas(context, body, &bound)?;
    let mut picked = Vec::new();
    let mut left = Vec::new();
    for term in exposed {
        let parts = factors(context, term);
        let delta = parts.iter().enumerate().find_map(|(at, &part)| delta_of(context, part, &bound).map(|delta| (at, delta)));
        let Some((position, (index, place))) = delta else {
            left.push(term);
            continue;
        };
        let mut rest: Vec<_> = parts.iter().enumerate().filter(|(at, _)| *at != position).map(|(_, part)| *part).collect();
        for part in &mut rest {
            *part = context.substitute_indices(*part, &[(index, place.clone())]);
        }
        rest.extend(inside(context, &place, index));
        let product = context.multiply(rest);
        let others: Vec<_> = bound.iter().copied().filter(|other| *other != index).collect();
        picked.push(context.sum(&others, product));
    }
    if !left.is_empty() {
        let sum = context.add(left);
        picked.push(context.sum(&bound, sum));
    }
    Some(Rewritten::always(context.add(picked)))
}

/// `Σ_k t[k] = 1` for an integer label.
pub(super) fn one_hot(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let (bound, body) = open_sum(context, expr)?;
    let Node::Access { tensor, indices } = context.node(body).clone() else { return None };
    let shape = &context.tensor(tensor).shape;
    let class = indices.last()?.as_index()?;
    let whole = context.index_of(class).start == 0 && context.index_of(class).end == *shape.last()? as i64;
    let elsewhere = indices[..indices.len() - 1].iter().any(|place| place.terms.iter().any(|(index, _)| *index == class));
    if !context.tensor(tensor).label || !bound.contains(&class) || !whole || elsewhere {
        return None;
    }
    let others: Vec<_> = bound.into_iter().filter(|index| *index != class).collect();
    let one = context.integer(1);
    Some(Rewritten::always(context.sum(&others, one)))
}

/// `Σ_k c = n c`, where `k` does not occur.
pub(super) fn constant(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let (bound, body) = open_sum(context, expr)?;
    let (used, unused): (Vec<_>, Vec<_>) = bound.into_iter().partition(|&index| context.contains_index(body, index));
    if unused.is_empty() {
        return None;
    }
    let times = context.number(Number::new(places(context, &unused))?);
    let sum = context.sum(&used, body);
    Some(Rewritten::always(context.multiply([times, sum])))
}

/// `Σ_k c f(k) = c Σ_k f(k)`.
pub(super) fn factor_out(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let (bound, body) = open_sum(context, expr)?;
    let (inside, outside): (Vec<_>, Vec<_>) =
        factors(context, body).into_iter().partition(|&factor| context.contains_any_index(factor, &bound));
    if outside.is_empty() || inside.is_empty() {
        return None;
    }
    let body = context.multiply(inside);
    let sum = context.sum(&bound, body);
    Some(Rewritten::always(context.multiply(outside.into_iter().chain([sum]))))
}

/// `Σ_k (a + b(k)) = Σ_k a + Σ_k b(k)`, where a part does not depend on the index or is the sum of a label.
pub(super) fn split(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let (bound, body) = open_sum(context, expr)?;
    let Node::Add(summands) = context.node(body).clone() else { return None };
    let (apart, together): (Vec<_>, Vec<_>) = summands.into_iter().partition(|&summand| {
        let rest: Vec<_> =
            factors(context, summand).into_iter().filter(|&factor| context.contains_any_index(factor, &bound)).collect();
        match rest[..] {
            [] => true,
            [single] => matches!(context.node(single), Node::Access { tensor, .. } if context.tensor(*tensor).label),
            _ => false,
        }
    });
    if apart.is_empty() {
        return None;
    }
    let mut sums: Vec<_> = apart.into_iter().map(|summand| context.sum(&bound, summand)).collect();
    if !together.is_empty() {
        let rest = context.add(together);
        sums.push(context.sum(&bound, rest));
    }
    Some(Rewritten::always(context.add(sums)))
}
