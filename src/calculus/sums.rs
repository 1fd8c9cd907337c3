//! Rules of sums over indices.

use super::algebra::{factors, terms};
use super::mutation;
use super::rules::Rewritten;
use super::weight::places;
use crate::equation::{Affine, Context, Elementary, ExprId, IndexId, Node, Number, ReduceKind, Relation};
use crate::limits::EXPANDED_TERMS;

/// An opened sum: fresh indices and the body in terms of them.
fn open_sum(context: &mut Context, expr: ExprId) -> Option<(Vec<IndexId>, ExprId)> {
    let Node::Reduce { kind: ReduceKind::Sum, indices, body } = context.node(expr).clone() else { return None };
    Some(context.open(&indices, body))
}

/// All ways in which a comparison `[affine = affine]` fixes one of `bound`: the index and its place.
pub(super) fn solve(context: &Context, factor: ExprId, bound: &[IndexId]) -> Vec<(IndexId, Affine)> {
    let solutions = || {
        let difference = difference(context, factor)?;
        let mut solutions = Vec::new();
        for &(index, coefficient) in &difference.terms {
            if bound.contains(&index) && coefficient.abs() == 1 {
                // coefficient * index + rest = 0
                let rest = difference.plus(-coefficient, &Affine::index(index))?;
                solutions.push((index, Affine::constant(0).plus(-coefficient, &rest)?));
            }
        }
        Some(solutions)
    };
    solutions().unwrap_or_default()
}

/// `left - right` of a comparison `[left = right]` of affine expressions.
fn difference(context: &Context, factor: ExprId) -> Option<Affine> {
    let Node::Compare(Relation::Equal, left, right) = *context.node(factor) else { return None };
    let affine = |expr: ExprId| match context.node(expr) {
        Node::Index(affine) => Some(affine.clone()),
        Node::Number(number) => number.as_integer().map(Affine::constant),
        _ => None,
    };
    affine(left)?.plus(-1, &affine(right)?)
}

/// The conditions under which an affine place lies in the range of an index; none where it always does.
pub(super) fn inside(context: &mut Context, place: &Affine, index: IndexId) -> Vec<ExprId> {
    let (start, end) = (context.index_of(index).start, context.index_of(index).end);
    let (low, high) = context.affine_range(place);
    let mut conditions = Vec::new();
    if mutation::may("range of an index", false) {
        return conditions;
    }
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
        !solve(context, factor, bound).is_empty()
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
        let Some((position, index, place)) = best_delta(context, &parts, &bound) else {
            left.push(term);
            continue;
        };
        let mut rest: Vec<_> = parts.iter().enumerate().filter(|(at, _)| *at != position).map(|(_, part)| *part).collect();
        for part in &mut rest {
            *part = context.substitute_indices(*part, &[(index, place.clone())]);
        }
        let conditions = inside(context, &place, index);
        let product = if !conditions.is_empty() && !rest.iter().all(|&part| is_finite(context, part)) {
            let (condition, product, zero) = (context.and(conditions), context.multiply(rest), context.integer(0));
            context.if_else(condition, product, zero)
        } else {
            if !is_implied(context, &rest, &place, index) {
                rest.extend(conditions);
            }
            context.multiply(rest)
        };
        let others: Vec<_> = bound.iter().copied().filter(|other| *other != index).collect();
        picked.push(context.sum(&others, product));
    }
    if !left.is_empty() {
        let sum = context.add(left);
        picked.push(context.sum(&bound, sum));
    }
    Some(Rewritten::always(context.add(picked)))
}

/// The delta to pick by: one that fixes an index at a place that is always in its range, if there is one.
fn best_delta(context: &Context, factors: &[ExprId], bound: &[IndexId]) -> Option<(usize, IndexId, Affine)> {
    let mut best: Option<(usize, IndexId, Affine)> = None;
    for (at, &factor) in factors.iter().enumerate() {
        for (index, place) in solve(context, factor, bound) {
            let (low, high) = context.affine_range(&place);
            if low >= context.index_of(index).start && high < context.index_of(index).end {
                return Some((at, index, place));
            }
            best = best.or(Some((at, index, place)));
        }
    }
    best
}

/// Whether a product is 0 anyway where a place is outside the range of an index: a factor is an element of a tensor that has nothing
/// there, or asks for the place of a greatest element over the same range.
fn is_implied(context: &Context, factors: &[ExprId], place: &Affine, index: IndexId) -> bool {
    let (start, end) = (context.index_of(index).start, context.index_of(index).end);
    factors.iter().any(|&factor| match context.node(factor) {
        Node::Access { tensor, indices } => indices
            .iter()
            .zip(&context.tensor(*tensor).shape)
            .any(|(read, &extent)| read == place && start <= 0 && extent as i64 <= end),
        Node::Compare(Relation::Equal, left, right) => {
            let is_place = |expr: ExprId| matches!(context.node(expr), Node::Index(affine) if affine == place);
            [(*left, *right), (*right, *left)].into_iter().any(|(one, other)| match context.node(other) {
                Node::ArgReduce { indices, position, .. } => indices.get(*position).is_some_and(|&bound| {
                    is_place(one) && context.index_of(bound).start >= start && context.index_of(bound).end <= end
                }),
                _ => false,
            })
        }
        _ => false,
    })
}

/// Whether an expression has a finite value wherever its elements have.
pub(super) fn is_finite(context: &Context, expr: ExprId) -> bool {
    let mut finite = true;
    context.visit(expr, &mut |context, part| {
        finite &= match *context.node(part) {
            Node::Call(Elementary::Ln | Elementary::Log1p | Elementary::Sqrt | Elementary::Tan, _) => false,
            Node::Power(_, exponent) => {
                context.as_number(exponent).is_some_and(|number| number.as_integer().is_some_and(|integer| integer >= 0))
            }
            _ => true,
        };
    });
    finite
}

/// `Σ_k t[k] = 1` for an integer label.
pub(super) fn one_hot(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let (bound, body) = open_sum(context, expr)?;
    let Node::Access { tensor, indices } = context.node(body).clone() else { return None };
    let shape = &context.tensor(tensor).shape;
    let class = indices.last()?.as_index()?;
    let whole = context.index_of(class).start == 0 && context.index_of(class).end == *shape.last()? as i64;
    let elsewhere = indices[..indices.len() - 1].iter().any(|place| place.terms.iter().any(|(index, _)| *index == class));
    let label = mutation::may("labels are one-hot", context.tensor(tensor).label);
    if !label || !bound.contains(&class) || !whole || elsewhere {
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
