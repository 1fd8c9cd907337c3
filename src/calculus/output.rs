//! Derivatives in terms of the output: `σ' = y (1 - y)`, found by solving `y = F` for a function inside `F`.
//!
//! The forward pass has computed `y`, so a derivative that speaks of `y` instead of exponentials is nearly free. No
//! activation is looked up: where `F` holds one occurrence of a function `e` (an exponential, say) that can be isolated,
//! `e` is a rational function of `y`, and the simplifier finds out whether what remains is simpler.

use super::Step;
use super::mutation;
use super::simplify::simplified;
use super::weight::{count, weight};
use crate::equation::{Affine, Context, Elementary, Equation, ExprId, IndexId, Node, Number};

/// The most ways of renaming the output's indices that are tried.
const MOST_RENAMINGS: usize = 64;

/// Rewrites a derivative of `output`'s equation in terms of the output, where that makes it cheaper and divides by
/// nothing new. `places` says where the derivative was taken, in terms of the equation's indices. Adds the steps it takes.
pub(super) fn in_terms_of_output(
    context: &mut Context,
    derivative: ExprId,
    output: &Equation,
    places: &[Affine],
    steps: &mut Vec<Step>,
) -> ExprId {
    let mut best = (derivative, None);
    for through_exp in [false, true] {
        let mut substituted = derivative;
        for renaming in renamings(context, derivative, &output.indices, places) {
            let places: Vec<_> = renaming.iter().map(|(_, place)| place.clone()).collect();
            let element = context.access(output.target, places);
            let value = context.substitute_indices(output.value, &renaming);
            substituted = substitute_output(context, substituted, element, value, through_exp);
        }
        if substituted == derivative {
            continue;
        }
        // One step for a reader: that both sides are equal is easier to check than what the rules did in between.
        let candidate = simplified(context, substituted);
        let candidate = mutation::result(context, "in-terms-of-output", candidate);
        let trial = Step { rule: "in-terms-of-output", value: candidate, condition: None, uses: vec![output.target] };
        let is_reduction = |node: &Node| matches!(node, Node::Reduce { .. });
        // Through exp(y) there is an exponential before and after: it pays only where a whole sum goes.
        let fewer_sums = count(context, candidate, &is_reduction) < count(context, derivative, &is_reduction);
        if weight(context, candidate) < weight(context, best.0)
            && (!through_exp || fewer_sums)
            && denominators(context, candidate).iter().all(|base| denominators(context, derivative).contains(base))
        {
            best = (candidate, Some(trial));
        }
    }
    steps.extend(best.1);
    best.0
}

/// The bases of negative powers.
fn denominators(context: &Context, expr: ExprId) -> Vec<ExprId> {
    let mut bases = Vec::new();
    context.visit(expr, &mut |context, part| {
        if let Node::Power(base, exponent) = *context.node(part)
            && context.as_number(exponent).is_none_or(|number| number.value() < 0.0)
            && context.as_number(base).is_none()
        {
            bases.push(base);
        }
    });
    bases
}

/// Replaces the right-hand side of `element = right_hand_side`, and functions in it that can be isolated, by what they are in
/// terms of the element.
fn substitute_output(
    context: &mut Context,
    derivative: ExprId,
    element: ExprId,
    right_hand_side: ExprId,
    through_exp: bool,
) -> ExprId {
    // Where the output is defined by cases, each case has a right-hand side of its own.
    if let Node::If { condition, then, otherwise } = *context.node(right_hand_side) {
        return substitute_cases(context, derivative, element, (condition, then, otherwise), through_exp);
    }
    let value = if through_exp { context.call(Elementary::Exp, element) } else { element };
    let right_hand_side = if through_exp { exponential_of(context, right_hand_side) } else { right_hand_side };
    let mut result = derivative;
    if !is_trivial(context, right_hand_side) {
        result = context.replace(result, right_hand_side, value);
    }
    for function in functions_in(context, right_hand_side) {
        if function != right_hand_side
            && let Some(solution) = isolate(context, right_hand_side, function, value)
        {
            result = context.replace(result, function, solution);
        }
    }
    result
}

fn substitute_cases(
    context: &mut Context,
    derivative: ExprId,
    element: ExprId,
    cases: (ExprId, ExprId, ExprId),
    through_exp: bool,
) -> ExprId {
    let (condition, then, otherwise) = cases;
    if let Node::If { condition: asked, then: then_slope, otherwise: otherwise_slope } = *context.node(derivative)
        && asked == condition
    {
        let then_slope = substitute_output(context, then_slope, element, then, through_exp);
        let otherwise_slope = substitute_output(context, otherwise_slope, element, otherwise, through_exp);
        return context.if_else(condition, then_slope, otherwise_slope);
    }
    context.rebuild(derivative, |context, part, _| substitute_cases(context, part, element, cases, through_exp))
}

/// Replacing a number, an index or an element by the output would only rename it.
fn is_trivial(context: &Context, expr: ExprId) -> bool {
    matches!(context.node(expr), Node::Number(_) | Node::Index(_) | Node::Access { .. })
}

/// `exp(expr)`, with the exponentials and logarithms among its terms taken apart: `exp(u - ln v) = exp(u)/v`.
fn exponential_of(context: &mut Context, expr: ExprId) -> ExprId {
    let mut exponents = Vec::new();
    let mut factors = Vec::new();
    for term in super::algebra::terms(context, expr) {
        match logarithm(context, term) {
            Some((argument, times)) => {
                let times = context.number(times);
                factors.push(context.power(argument, times));
            }
            None => exponents.push(term),
        }
    }
    if !exponents.is_empty() {
        let sum = context.add(exponents);
        factors.push(context.call(Elementary::Exp, sum));
    }
    context.multiply(factors)
}

/// A term as a number times a logarithm: its argument and the number.
fn logarithm(context: &Context, term: ExprId) -> Option<(ExprId, Number)> {
    match context.node(term) {
        Node::Call(Elementary::Ln, argument) => Some((*argument, Number::ONE)),
        Node::Multiply(factors) if factors.len() == 2 => match (context.as_number(factors[0]), context.node(factors[1])) {
            (Some(number), Node::Call(Elementary::Ln, argument)) => Some((*argument, number)),
            _ => None,
        },
        _ => None,
    }
}

/// The calls of elementary functions in an expression, outside of reductions.
fn functions_in(context: &Context, expr: ExprId) -> Vec<ExprId> {
    let mut found = Vec::new();
    collect_functions(context, expr, &mut found);
    found
}

fn collect_functions(context: &Context, expr: ExprId, found: &mut Vec<ExprId>) {
    match context.node(expr) {
        Node::Call(..) if !found.contains(&expr) => found.push(expr),
        Node::Add(parts) | Node::Multiply(parts) => parts.iter().for_each(|&part| collect_functions(context, part, found)),
        Node::Power(base, _) => collect_functions(context, *base, found),
        _ => {}
    }
}

/// Solves `expr = value` for `function`, which must occur in one place, under sums, products and reciprocals.
fn isolate(context: &mut Context, expr: ExprId, function: ExprId, value: ExprId) -> Option<ExprId> {
    if expr == function {
        return Some(value);
    }
    match context.node(expr).clone() {
        Node::Add(parts) | Node::Multiply(parts) => {
            let is_sum = matches!(context.node(expr), Node::Add(_));
            let (inside, outside): (Vec<_>, Vec<_>) = parts.into_iter().partition(|&part| context.contains(part, function));
            let [inside] = inside[..] else { return None };
            let value = if is_sum {
                let rest = context.add(outside);
                context.subtract(value, rest)
            } else {
                let rest = context.multiply(outside);
                context.divide(value, rest)
            };
            isolate(context, inside, function, value)
        }
        Node::Power(base, exponent) if context.as_number(exponent) == Some(Number::MINUS_ONE) => {
            let value = context.reciprocal(value);
            isolate(context, base, function, value)
        }
        _ => None,
    }
}

/// All ways to put free indices of `expr` in the places of `indices`, `places` first.
fn renamings(context: &Context, expr: ExprId, indices: &[IndexId], places: &[Affine]) -> Vec<Vec<(IndexId, Affine)>> {
    let free = context.free_indices(expr);
    let mut all: Vec<Vec<(IndexId, Affine)>> = vec![Vec::new()];
    for (&index, place) in indices.iter().zip(places) {
        let range = |id: IndexId| (context.index_of(id).start, context.index_of(id).end);
        let mut candidates = vec![place.clone()];
        candidates.extend(free.iter().filter(|&&other| range(other) == range(index)).map(|&other| Affine::index(other)));
        candidates.dedup();
        let mut next = Vec::new();
        for renaming in &all {
            for candidate in &candidates {
                let mut longer = renaming.clone();
                longer.push((index, candidate.clone()));
                next.push(longer);
            }
        }
        next.truncate(MOST_RENAMINGS);
        all = next;
    }
    all
}
