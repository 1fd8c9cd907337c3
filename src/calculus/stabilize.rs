//! Forms that a machine can compute without overflow, equal to those that a person reads.
//!
//! Three identities do all of it: `ln Σ exp(u_k) = M + ln Σ exp(u_k - M)` with `M = max u_k` (log-sum-exp; Blanchard, Higham, Higham
//! 2021, eq. 1.3), the same shift in `exp(u_j)/Σ exp(u_k)`, and `ln(1 + exp u) = max(u, 0) + ln(1 + exp(-|u|))` (Maechler 2012, eq. 10). To find them
//! behind names, a logarithm looks through the definitions of what it is taken of: `ln(y)` with `y = softmax(s)` becomes
//! `s_j - ln Σ exp(s_k)`.

use rustc_hash::FxHashMap;

use super::algebra::{factors, terms};
use super::mutation;
use super::simplify::simplified;
use crate::equation::{Affine, Context, Elementary, Equation, ExprId, IndexId, Node, Number, ReduceKind, TensorId};

/// How many definitions deep a logarithm looks.
const DEFINITIONS_DEEP: usize = 4;

/// The definitions that a logarithm may look through.
pub type Definitions = FxHashMap<TensorId, (Vec<IndexId>, ExprId)>;

/// The definitions that equations give.
pub fn definitions(equations: &[Equation]) -> Definitions {
    equations.iter().map(|equation| (equation.target, (equation.indices.clone(), equation.value))).collect()
}

/// An equal expression in which logarithms and quotients of exponentials do not overflow.
pub fn stabilize(context: &mut Context, expr: ExprId, definitions: &Definitions) -> ExprId {
    let inner = context.rebuild(expr, |context, part, _| stabilize(context, part, definitions));
    match context.node(inner).clone() {
        Node::Call(Elementary::Ln, argument) => match stable_logarithm(context, argument, definitions) {
            Some(stable) => mutation::result(context, "stable logarithm", stable),
            None => inner,
        },
        Node::Multiply(_) => match shift_quotient(context, inner) {
            Some(shifted) => mutation::result(context, "shifted quotient", shifted),
            None => inner,
        },
        _ => inner,
    }
}

fn stable_logarithm(context: &mut Context, argument: ExprId, definitions: &Definitions) -> Option<ExprId> {
    let mut expanded = argument;
    for _ in 0..DEFINITIONS_DEEP {
        if contains_exponential(context, expanded) {
            let plain = simplified(context, expanded);
            return logarithm_of(context, plain);
        }
        let next = expand_definitions(context, expanded, definitions);
        if next == expanded {
            return None;
        }
        expanded = next;
    }
    None
}

fn contains_exponential(context: &Context, expr: ExprId) -> bool {
    let mut found = false;
    context.visit(expr, &mut |context, part| found = found || matches!(context.node(part), Node::Call(Elementary::Exp, _)));
    found
}

fn expand_definitions(context: &mut Context, expr: ExprId, definitions: &Definitions) -> ExprId {
    let mut result = expr;
    for tensor in context.tensors_in(expr) {
        let Some((indices, value)) = definitions.get(&tensor) else { continue };
        // Outside of the tensor its elements are 0, and its definition is not.
        if !context.reads_inside(result, tensor) {
            continue;
        }
        result = context.substitute_tensor(result, tensor, &mut |context, places| {
            let renaming: Vec<(IndexId, Affine)> = indices.iter().copied().zip(places.iter().cloned()).collect();
            context.substitute_indices(*value, &renaming)
        });
    }
    result
}

/// The logarithm of an expression with exponentials, taken apart; `None` where that gains nothing.
fn logarithm_of(context: &mut Context, expr: ExprId) -> Option<ExprId> {
    match context.node(expr).clone() {
        Node::Call(Elementary::Exp, exponent) => Some(exponent),
        Node::Multiply(parts) => {
            // ln(a p) = ln a + ln p wherever p > 0.
            let (positive, rest): (Vec<_>, Vec<_>) = parts.into_iter().partition(|&part| is_positive(context, part));
            let mut sum = Vec::new();
            let mut gained = false;
            for part in positive {
                match logarithm_of(context, part) {
                    Some(logarithm) => {
                        gained = true;
                        sum.push(logarithm);
                    }
                    None => sum.push(context.call(Elementary::Ln, part)),
                }
            }
            if !rest.is_empty() {
                let rest = context.multiply(rest);
                sum.push(context.call(Elementary::Ln, rest));
            }
            gained.then(|| context.add(sum))
        }
        Node::Power(base, exponent) if is_positive(context, base) => {
            let logarithm = logarithm_of(context, base)?;
            Some(context.multiply([exponent, logarithm]))
        }
        Node::Add(parts) => {
            let [one, exponential] = parts[..] else { return None };
            let Node::Call(Elementary::Exp, exponent) = *context.node(exponential) else { return None };
            context.is_integer(one, 1).then(|| softplus(context, exponent))
        }
        Node::Reduce { kind: ReduceKind::Sum, indices, body } => {
            let (bound, body) = context.open(&indices, body);
            let (greatest, shifted) = shifted_sum(context, &bound, body)?;
            let logarithm = context.call(Elementary::Ln, shifted);
            Some(context.add([greatest, logarithm]))
        }
        _ => None,
    }
}

/// `ln(1 + exp(u))` as `max(u, 0) + log1p(exp(-|u|))`.
fn softplus(context: &mut Context, u: ExprId) -> ExprId {
    let zero = context.integer(0);
    let positive_part = context.maximum(u, zero);
    let magnitude = context.call(Elementary::Abs, u);
    let minus = context.negate(magnitude);
    let exponential = context.call(Elementary::Exp, minus);
    let rest = context.call(Elementary::Log1p, exponential);
    context.add([positive_part, rest])
}

/// For a sum of `c_k exp(u_k)`: the greatest `u_k`, and the sum of `c_k exp(u_k - M)`.
fn shifted_sum(context: &mut Context, bound: &[IndexId], body: ExprId) -> Option<(ExprId, ExprId)> {
    let parts = factors(context, body);
    let (position, exponent) = parts.iter().enumerate().find_map(|(at, &part)| match *context.node(part) {
        Node::Call(Elementary::Exp, exponent) => Some((at, exponent)),
        _ => None,
    })?;
    let greatest = context.reduce(ReduceKind::Max, bound, exponent);
    let difference = context.subtract(exponent, greatest);
    let exponential = context.call(Elementary::Exp, difference);
    let shifted = context.multiply(parts.iter().enumerate().map(|(at, &part)| if at == position { exponential } else { part }));
    Some((greatest, context.sum(bound, shifted)))
}

/// `exp(u)/Σ exp(u_k)` with the greatest `u_k` subtracted above and below.
fn shift_quotient(context: &mut Context, expr: ExprId) -> Option<ExprId> {
    let parts = factors(context, expr);
    let numerator = parts.iter().position(|&part| matches!(context.node(part), Node::Call(Elementary::Exp, _)))?;
    for (at, &part) in parts.iter().enumerate() {
        let Node::Power(base, exponent) = *context.node(part) else { continue };
        let Node::Reduce { kind: ReduceKind::Sum, indices, body } = context.node(base).clone() else { continue };
        if context.as_number(exponent) != Some(Number::MINUS_ONE) || already_shifted(context, body) {
            continue;
        }
        let (bound, body) = context.open(&indices, body);
        let Some((greatest, shifted)) = shifted_sum(context, &bound, body) else { continue };
        let Node::Call(Elementary::Exp, u) = *context.node(parts[numerator]) else { continue };
        let difference = context.subtract(u, greatest);
        let mut shifted_parts = parts.clone();
        shifted_parts[numerator] = context.call(Elementary::Exp, difference);
        shifted_parts[at] = context.reciprocal(shifted);
        return Some(context.multiply(shifted_parts));
    }
    None
}

/// Whether a sum of exponentials has a greatest exponent subtracted already, by its author or by this pass.
fn already_shifted(context: &Context, body: ExprId) -> bool {
    factors(context, body).iter().any(|&part| match *context.node(part) {
        Node::Call(Elementary::Exp, exponent) => terms(context, exponent).iter().any(|&term| {
            factors(context, term)
                .iter()
                .any(|&factor| matches!(context.node(factor), Node::Reduce { kind: ReduceKind::Max, .. }))
        }),
        _ => false,
    })
}

/// Whether an expression is positive wherever it has a value.
fn is_positive(context: &Context, expr: ExprId) -> bool {
    match context.node(expr) {
        Node::Number(number) => number.value() > 0.0,
        Node::Call(Elementary::Exp, _) => true,
        Node::Call(Elementary::Sqrt, argument) => is_positive(context, *argument),
        Node::Add(parts) | Node::Multiply(parts) => parts.iter().all(|&part| is_positive(context, part)),
        Node::Power(base, _) => is_positive(context, *base),
        Node::Reduce { body, .. } => is_positive(context, *body),
        Node::If { then, otherwise, .. } => is_positive(context, *then) && is_positive(context, *otherwise),
        _ => false,
    }
}
