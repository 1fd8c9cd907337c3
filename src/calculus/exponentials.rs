//! Rules of exp and ln.

use super::algebra::{factors, terms};
use super::rules::Rewritten;
use super::weight::weight;
use crate::equation::{Context, Elementary, ExprId, Node, Number};

/// `ln(exp u) = u`.
pub(super) fn inverse_pair(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let Node::Call(Elementary::Ln, argument) = *context.node(expr) else { return None };
    match *context.node(argument) {
        Node::Call(Elementary::Exp, inner) => Some(Rewritten::always(inner)),
        _ => None,
    }
}

/// A factor as `exp(u)`, also where it is a power of one: the exponent `u`.
pub(super) fn exponent_of(context: &mut Context, factor: ExprId) -> Option<ExprId> {
    match *context.node(factor) {
        Node::Call(Elementary::Exp, u) => Some(u),
        Node::Power(base, times) => {
            let Node::Call(Elementary::Exp, u) = *context.node(base) else { return None };
            Some(context.multiply([times, u]))
        }
        _ => None,
    }
}

/// `exp(u) exp(v) = exp(u + v)`, which pays where `u + v` is simpler.
pub(super) fn product(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let Node::Multiply(operands) = context.node(expr).clone() else { return None };
    let mut exponents = Vec::new();
    let mut rest = Vec::new();
    for operand in operands {
        match exponent_of(context, operand) {
            Some(exponent) => exponents.push(exponent),
            None => rest.push(operand),
        }
    }
    if exponents.len() < 2 {
        return None;
    }
    let before: usize = exponents.iter().map(|&exponent| terms(context, exponent).len()).sum();
    let sum = context.add(exponents);
    let sum = super::algebra::collect_terms(context, sum).map_or(sum, |rewritten| rewritten.value);
    // exp(a + b) alone would only hide what exp(a) and exp(b) have in common with other terms.
    if terms(context, sum).len() >= before {
        return None;
    }
    rest.push(context.call(Elementary::Exp, sum));
    Some(Rewritten::always(context.multiply(rest)))
}

/// `1/exp(u) = exp(-u)`, also with a power of the exponential.
pub(super) fn reciprocal(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let Node::Power(base, exponent) = *context.node(expr) else { return None };
    let times = context.as_number(exponent).and_then(Number::as_integer).filter(|&times| times < 0)?;
    let Node::Call(Elementary::Exp, u) = *context.node(base) else { return None };
    let times = context.integer(times);
    let exponent = context.multiply([times, u]);
    Some(Rewritten::always(context.call(Elementary::Exp, exponent)))
}

/// `exp(u)/(1 + exp(u)) = 1/(1 + exp(-u))`, which does not overflow and takes one exponential.
pub(super) fn logistic(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let parts = factors(context, expr);
    for (position, &part) in parts.iter().enumerate() {
        let Node::Power(base, exponent) = *context.node(part) else { continue };
        if context.as_number(exponent) != Some(Number::MINUS_ONE) {
            continue;
        }
        let sum = terms(context, base);
        if sum.len() != 2 || !context.is_integer(sum[0], 1) || !parts.contains(&sum[1]) {
            continue;
        }
        let Node::Call(Elementary::Exp, u) = *context.node(sum[1]) else { continue };
        let minus = context.negate(u);
        let exponential = context.call(Elementary::Exp, minus);
        let one = context.integer(1);
        let denominator = context.add([one, exponential]);
        let mut rest: Vec<_> = Vec::new();
        let mut taken = false;
        for (at, &other) in parts.iter().enumerate() {
            if at == position {
                continue;
            }
            if other == sum[1] && !taken {
                taken = true;
                continue;
            }
            rest.push(other);
        }
        rest.push(context.reciprocal(denominator));
        let value = context.multiply(rest);
        if weight(context, value) < weight(context, expr) {
            return Some(Rewritten::always(value));
        }
    }
    None
}
