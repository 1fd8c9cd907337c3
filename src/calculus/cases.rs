//! Rules of conditionals.

use super::algebra::factors;
use super::mutation;
use super::rules::Rewritten;
use crate::equation::{Context, ExprId, Node, Relation};

/// Cases with the same value become one: `if a { x } else { if b { x } else { y } }` is `if a or b { x } else { y }`, and a
/// condition that was already decided is not asked again.
pub(super) fn merge(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let Node::If { condition, then, otherwise } = *context.node(expr) else { return None };
    if let Node::If { condition: inner, then: inner_then, otherwise: inner_otherwise } = *context.node(otherwise) {
        if inner == condition {
            return Some(Rewritten::always(context.if_else(condition, then, inner_otherwise)));
        }
        if inner_then == then {
            let either = either_of(context, condition, inner);
            return Some(Rewritten::always(context.if_else(either, then, inner_otherwise)));
        }
    }
    if let Node::If { condition: inner, then: inner_then, .. } = *context.node(then)
        && inner == condition
    {
        return Some(Rewritten::always(context.if_else(condition, inner_then, otherwise)));
    }
    None
}

/// `a or b`, as one comparison where both compare the same: `s > t or s = t` is `s >= t`.
fn either_of(context: &mut Context, a: ExprId, b: ExprId) -> ExprId {
    use Relation::{Equal, Greater, GreaterEqual, Less, LessEqual};
    for (strict, equal) in [(a, b), (b, a)] {
        if let (Node::Compare(relation, left, right), Node::Compare(Equal, first, second)) =
            (context.node(strict).clone(), context.node(equal).clone())
            && ((left, right) == (first, second) || (left, right) == (second, first))
        {
            match relation {
                Greater => return context.compare(GreaterEqual, left, right),
                Less => return context.compare(LessEqual, left, right),
                _ => {}
            }
        }
    }
    context.or([a, b])
}

/// `if c { f a } else { f b }` is `f (if c { a } else { b })`; a branch 0 has every factor.
pub(super) fn factor_out(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let Node::If { condition, then, otherwise } = *context.node(expr) else { return None };
    let (then_zero, otherwise_zero) = (context.is_integer(then, 0), context.is_integer(otherwise, 0));
    let then_factors = factors(context, then);
    let otherwise_factors = factors(context, otherwise);
    let mut common = Vec::new();
    let source = if then_zero { &otherwise_factors } else { &then_factors };
    for &factor in source {
        let shared = (then_zero || then_factors.contains(&factor)) && (otherwise_zero || otherwise_factors.contains(&factor));
        // Only what has a finite value in the other branch too may leave this one.
        if shared && context.as_number(factor).is_none() && (is_total(context, factor) || !(then_zero || otherwise_zero)) {
            common.push(factor);
        }
    }
    if common.is_empty() {
        return None;
    }
    let mut without = |factors: &[ExprId], zero: bool| {
        if zero {
            return context.integer(0);
        }
        let rest: Vec<_> = factors.iter().copied().filter(|factor| !common.contains(factor)).collect();
        context.multiply(rest)
    };
    let then = without(&then_factors, then_zero);
    let otherwise = without(&otherwise_factors, otherwise_zero);
    let cases = context.if_else(condition, then, otherwise);
    common.push(cases);
    Some(Rewritten::always(context.multiply(common)))
}

/// `if c { a } else { 0 }` is `[c] a` where `a` has a finite value everywhere.
pub(super) fn to_bracket(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let Node::If { condition, then, otherwise } = *context.node(expr) else { return None };
    if context.is_integer(otherwise, 0) && is_total(context, then) {
        return Some(Rewritten::always(context.multiply([condition, then])));
    }
    if context.is_integer(then, 0) && is_total(context, otherwise) {
        let Node::Compare(Relation::Equal | Relation::NotEqual, ..) = context.node(condition) else { return None };
        let negated = context.not(condition);
        return Some(Rewritten::always(context.multiply([negated, otherwise])));
    }
    None
}

/// Whether an expression is finite for all finite values of the tensors in it, so that multiplying it by 0 gives 0.
fn is_total(context: &Context, expr: ExprId) -> bool {
    mutation::may("finite in the other case", has_a_value_everywhere(context, expr))
}

fn has_a_value_everywhere(context: &Context, expr: ExprId) -> bool {
    use crate::equation::Elementary::{Abs, Atan, Cos, Erf, Floor, Sin, Tanh};
    match context.node(expr) {
        Node::Number(number) => number.value().is_finite(),
        Node::Index(_) | Node::Access { .. } | Node::Compare(..) | Node::And(_) | Node::Or(_) | Node::Not(_) => true,
        Node::Add(parts) | Node::Multiply(parts) => parts.iter().all(|&part| has_a_value_everywhere(context, part)),
        Node::Power(base, exponent) => {
            context.as_number(*exponent).is_some_and(|number| number.as_integer().is_some_and(|times| times > 0))
                && has_a_value_everywhere(context, *base)
        }
        Node::Call(Abs | Atan | Cos | Erf | Floor | Sin | Tanh, argument) => has_a_value_everywhere(context, *argument),
        Node::If { then, otherwise, .. } => has_a_value_everywhere(context, *then) && has_a_value_everywhere(context, *otherwise),
        Node::Reduce { body, .. } => has_a_value_everywhere(context, *body),
        Node::Call(..) | Node::ArgReduce { .. } | Node::Partial { .. } => false,
    }
}
