//! How much an expression costs to compute, as the simplifier sees it.
//!
//! Not a prediction of time: an order on equal expressions that prefers fewer and cheaper operations. The ratios are those
//! of throughputs on common cores: a division is several multiplications, a transcendental function a few dozen.

use rustc_hash::FxHashMap;

use crate::equation::{Context, ExprId, IndexId, Node, Number};

const ADDITION: f64 = 1.0;
const MULTIPLICATION: f64 = 1.0;
const COMPARISON: f64 = 1.0;
const DIVISION: f64 = 8.0;
const FUNCTION: f64 = 24.0;
/// Reading an element breaks ties between forms with equally many operations.
const ACCESS: f64 = 0.01;

/// The weight of an expression for one value of its free indices; equal parts count each time they stand there.
pub fn weight(context: &Context, expr: ExprId) -> f64 {
    weight_memoized(context, expr, &mut FxHashMap::default())
}

fn weight_memoized(context: &Context, expr: ExprId, done: &mut FxHashMap<ExprId, f64>) -> f64 {
    if let Some(&weight) = done.get(&expr) {
        return weight;
    }
    let mut part = |expr: ExprId| weight_memoized(context, expr, done);
    let weight = match context.node(expr) {
        Node::Number(_) | Node::Index(_) => 0.0,
        Node::Access { .. } | Node::Partial { .. } => ACCESS,
        Node::Add(terms) => {
            // A factor -1 makes a subtraction of an addition and costs nothing of its own.
            let signs = terms.iter().filter(|&&term| is_negated(context, term)).count().min(terms.len() - 1);
            terms.iter().map(|&term| part(term)).sum::<f64>() + ADDITION * (terms.len() - 1) as f64
                - MULTIPLICATION * signs as f64
        }
        Node::Multiply(factors) => {
            let mut multiplications = factors.len() - 1;
            let mut total = 0.0;
            for &factor in factors {
                total += part(factor);
                // `a * b^-1` is one division, which the factor has been charged with.
                if is_reciprocal(context, factor) {
                    multiplications = multiplications.saturating_sub(1);
                }
            }
            total + MULTIPLICATION * multiplications as f64
        }
        // A constant: the compiler computes it.
        Node::Power(base, exponent) if context.as_number(*base).is_some() && context.as_number(*exponent).is_some() => 0.0,
        Node::Power(base, exponent) => {
            let base = part(*base);
            base + match context.as_number(*exponent).and_then(Number::as_integer) {
                Some(times) if times.unsigned_abs() <= 64 => {
                    let magnitude = times.unsigned_abs();
                    let products = magnitude.max(1).ilog2() + magnitude.count_ones() - 1;
                    MULTIPLICATION * f64::from(products) + if times < 0 { DIVISION } else { 0.0 }
                }
                _ => 2.0 * FUNCTION + part(*exponent),
            }
        }
        Node::Call(_, argument) => FUNCTION + part(*argument),
        Node::Compare(_, left, right) => COMPARISON + part(*left) + part(*right),
        Node::And(conditions) | Node::Or(conditions) => {
            conditions.iter().map(|&condition| part(condition)).sum::<f64>() + COMPARISON * (conditions.len() - 1) as f64
        }
        Node::Not(condition) => part(*condition),
        Node::If { condition, then, otherwise } => part(*condition) + part(*then).max(part(*otherwise)) + COMPARISON,
        Node::Reduce { indices, body, .. } | Node::ArgReduce { indices, body, .. } => {
            (part(*body) + ADDITION) * places(context, indices)
        }
    };
    done.insert(expr, weight);
    weight
}

/// How many values a list of indices takes together.
pub(super) fn places(context: &Context, indices: &[IndexId]) -> f64 {
    indices.iter().map(|&index| context.index_of(index).extent() as f64).product()
}

fn is_negated(context: &Context, expr: ExprId) -> bool {
    matches!(context.node(expr), Node::Multiply(factors) if context.is_integer(factors[0], -1))
}

fn is_reciprocal(context: &Context, expr: ExprId) -> bool {
    matches!(context.node(expr), Node::Power(_, exponent) if context.as_number(*exponent).is_some_and(|number| number.value() < 0.0))
}

/// How often a kind of node occurs in an expression, each place counted.
pub(super) fn count(context: &Context, expr: ExprId, wanted: &dyn Fn(&Node) -> bool) -> usize {
    let mut total = 0;
    context.visit(expr, &mut |context, part| total += usize::from(wanted(context.node(part))));
    total
}
