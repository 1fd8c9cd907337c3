//! The derivative of one expression with respect to one element of a tensor.
//!
//! Only elementary functions ([`ELEMENTARY`]) and reductions own a rule. An access contributes Kronecker deltas, which
//! the simplifier then picks out of sums; so the derivative of anything is again an indexed expression, of a size that
//! does not depend on any extent.

use super::mutation;
use crate::equation::{Affine, Context, Elementary, ExprId, IndexId, Node, Number, ReduceKind, Relation, TensorId};

/// The derivative of an elementary function, in terms of its argument `u`.
type Slope = fn(&mut Context, ExprId) -> ExprId;

/// The derivatives of the elementary functions.
const ELEMENTARY: &[(Elementary, Slope)] = &[
    (Elementary::Exp, |c, u| c.call(Elementary::Exp, u)),
    (Elementary::Ln, |c, u| c.reciprocal(u)),
    (Elementary::Log1p, |c, u| {
        let sum = one_plus(c, u);
        c.reciprocal(sum)
    }),
    (Elementary::Expm1, |c, u| c.call(Elementary::Exp, u)),
    (Elementary::Sqrt, |c, u| {
        let root = c.call(Elementary::Sqrt, u);
        let two = c.integer(2);
        let denominator = c.multiply([two, root]);
        c.reciprocal(denominator)
    }),
    (Elementary::Sin, |c, u| c.call(Elementary::Cos, u)),
    (Elementary::Cos, |c, u| {
        let sine = c.call(Elementary::Sin, u);
        c.negate(sine)
    }),
    (Elementary::Tan, |c, u| {
        let square = squared_call(c, Elementary::Tan, u);
        one_plus(c, square)
    }),
    (Elementary::Tanh, |c, u| {
        let square = squared_call(c, Elementary::Tanh, u);
        let minus = c.negate(square);
        one_plus(c, minus)
    }),
    (Elementary::Atan, |c, u| {
        let square = squared(c, u);
        let sum = one_plus(c, square);
        c.reciprocal(sum)
    }),
    // d/du erf(u) = 2/sqrt(pi) exp(-u^2): Abramowitz and Stegun 7.1.1.
    (Elementary::Erf, |c, u| {
        let square = squared(c, u);
        let minus = c.negate(square);
        let bell = c.call(Elementary::Exp, minus);
        let factor = c.number(Number::new(std::f64::consts::FRAC_2_SQRT_PI).unwrap_or(Number::ONE));
        c.multiply([factor, bell])
    }),
    (Elementary::Floor, |c, _| c.integer(0)),
    (Elementary::Abs, |c, u| {
        let zero = c.integer(0);
        let positive = c.compare(Relation::Greater, u, zero);
        let negative = c.compare(Relation::Less, u, zero);
        c.subtract(positive, negative)
    }),
];

fn one_plus(c: &mut Context, u: ExprId) -> ExprId {
    let one = c.integer(1);
    c.add([one, u])
}

fn squared(c: &mut Context, u: ExprId) -> ExprId {
    let two = c.integer(2);
    c.power(u, two)
}

fn squared_call(c: &mut Context, function: Elementary, u: ExprId) -> ExprId {
    let call = c.call(function, u);
    squared(c, call)
}

/// The derivative of an elementary function at `u`.
pub fn elementary_slope(context: &mut Context, function: Elementary, u: ExprId) -> ExprId {
    match ELEMENTARY.iter().find(|(candidate, _)| *candidate == function) {
        Some((_, slope)) => {
            let slope = slope(context, u);
            mutation::result(context, function.name(), slope)
        }
        None => context.integer(0),
    }
}

/// The derivative of `expr` with respect to `tensor[at]`, where `at` are indices that do not occur in `expr`.
pub fn differentiate(context: &mut Context, expr: ExprId, tensor: TensorId, at: &[IndexId]) -> ExprId {
    differentiate_with_laws(context, expr, tensor, at).0
}

/// [`differentiate`], and the laws that it applied: their names in [`LAWS`](super::LAWS), each once, in the order of their use.
pub fn differentiate_with_laws(
    context: &mut Context,
    expr: ExprId,
    tensor: TensorId,
    at: &[IndexId],
) -> (ExprId, Vec<&'static str>) {
    let mut derivative = Derivative { tensor, at, laws: Vec::new() };
    let value = derivative.of(context, expr);
    (value, derivative.laws)
}

/// What is differentiated by, and the laws that were applied on the way.
struct Derivative<'a> {
    tensor: TensorId,
    at: &'a [IndexId],
    laws: Vec<&'static str>,
}

impl Derivative<'_> {
    fn of(&mut self, context: &mut Context, expr: ExprId) -> ExprId {
        if !context.contains_tensor(expr, self.tensor) {
            return context.integer(0);
        }
        match context.node(expr).clone() {
            Node::Access { indices, .. } => {
                // Reached only where the access is one of the tensor. An access outside of the tensor reads 0 and its deltas
                // never hold, so no condition is needed.
                let deltas: Vec<_> = indices.into_iter().zip(self.at).map(|(index, &at)| delta(context, index, at)).collect();
                let deltas = context.multiply(deltas);
                mutation::result(context, "derivative of an element", deltas)
            }
            Node::Add(terms) => {
                let terms: Vec<_> = terms.into_iter().map(|term| self.of(context, term)).collect();
                let sum = context.add(terms);
                mutation::result(context, "derivative of a sum", sum)
            }
            Node::Multiply(factors) => self.of_product(context, &factors),
            Node::Power(base, exponent) => self.of_power(context, expr, base, exponent),
            Node::Call(function, argument) => {
                self.note(function.name());
                let outer = elementary_slope(context, function, argument);
                let inner = self.of(context, argument);
                let product = context.multiply([outer, inner]);
                mutation::result(context, "derivative of a composition", product)
            }
            Node::If { condition, then, otherwise } => {
                let then = self.of(context, then);
                let otherwise = self.of(context, otherwise);
                let cases = context.if_else(condition, then, otherwise);
                mutation::result(context, "derivative of cases", cases)
            }
            Node::Reduce { kind, indices, body } => {
                let (fresh, body) = context.open(&indices, body);
                self.of_reduction(context, kind, &fresh, body)
            }
            // Piecewise constant: slope 0 wherever there is one.
            Node::Compare(..) | Node::And(_) | Node::Or(_) | Node::Not(_) | Node::ArgReduce { .. } => context.integer(0),
            Node::Number(_) | Node::Index(_) | Node::Partial { .. } => context.integer(0),
        }
    }

    fn note(&mut self, law: &'static str) {
        if !self.laws.contains(&law) {
            self.laws.push(law);
        }
    }

    fn of_product(&mut self, context: &mut Context, factors: &[ExprId]) -> ExprId {
        let dependent: Vec<ExprId> =
            factors.iter().copied().filter(|&factor| context.contains_tensor(factor, self.tensor)).collect();
        if dependent.len() > 1 {
            let is_quotient = dependent.iter().any(|&factor| is_reciprocal(context, factor));
            self.note(if is_quotient { "quotient" } else { "product" });
        }
        let mut terms = Vec::new();
        for position in 0..factors.len() {
            let mut product = factors.to_vec();
            product[position] = self.of(context, factors[position]);
            terms.push(context.multiply(product));
        }
        let sum = context.add(terms);
        mutation::result(context, "derivative of a product", sum)
    }

    fn of_power(&mut self, context: &mut Context, power: ExprId, base: ExprId, exponent: ExprId) -> ExprId {
        let mut terms = Vec::new();
        if context.contains_tensor(base, self.tensor) {
            self.note(if is_reciprocal(context, power) { "quotient" } else { "power" });
            // (u^n)' = n u^(n-1) u'
            let one_less = {
                let minus_one = context.integer(-1);
                context.add([exponent, minus_one])
            };
            let lower = context.power(base, one_less);
            let inner = self.of(context, base);
            let term = context.multiply([exponent, lower, inner]);
            terms.push(mutation::result(context, "derivative by the base", term));
        }
        if context.contains_tensor(exponent, self.tensor) {
            self.note("exponential");
            // (a^v)' = a^v ln(a) v'
            let logarithm = context.call(Elementary::Ln, base);
            let inner = self.of(context, exponent);
            let term = context.multiply([power, logarithm, inner]);
            terms.push(mutation::result(context, "derivative by the exponent", term));
        }
        context.add(terms)
    }

    /// The derivative of a reduction, whose indices are free in `body`.
    fn of_reduction(&mut self, context: &mut Context, kind: ReduceKind, indices: &[IndexId], body: ExprId) -> ExprId {
        let inner = self.of(context, body);
        let factor = match kind {
            ReduceKind::Sum => context.integer(1),
            // (Π f)' = Σ_k f'(k) Π_l (if l = k { 1 } else { f(l) }): right also where a factor is 0.
            ReduceKind::Product => {
                let others: Vec<_> = indices.iter().map(|&index| context.fresh(index)).collect();
                let renaming: Vec<_> = indices.iter().zip(&others).map(|(&from, &to)| (from, Affine::index(to))).collect();
                let other_body = context.substitute_indices(body, &renaming);
                let same: Vec<_> =
                    indices.iter().zip(&others).map(|(&index, &other)| delta(context, Affine::index(index), other)).collect();
                let same = context.and(same);
                let one = context.integer(1);
                let factor = context.if_else(same, one, other_body);
                context.reduce(ReduceKind::Product, &others, factor)
            }
            // The slope of the greatest element is that of the first place where it stands.
            ReduceKind::Max | ReduceKind::Min => {
                let mut picks = Vec::new();
                for (position, &index) in indices.iter().enumerate() {
                    let place = context.arg_reduce(kind, indices, position, body);
                    let index = context.index_value(Affine::index(index));
                    picks.push(context.compare(Relation::Equal, index, place));
                }
                context.multiply(picks)
            }
        };
        let product = context.multiply([factor, inner]);
        let sum = context.sum(indices, product);
        let rule = match kind {
            ReduceKind::Sum => "derivative under a sum",
            ReduceKind::Product => "derivative of many factors",
            ReduceKind::Max | ReduceKind::Min => "derivative of the greatest",
        };
        mutation::result(context, rule, sum)
    }
}

/// Whether an expression is one over something, to a power that is a number.
fn is_reciprocal(context: &Context, expr: ExprId) -> bool {
    match context.node(expr) {
        Node::Power(_, exponent) => context.as_number(*exponent).is_some_and(|exponent| exponent.value() < 0.0),
        _ => false,
    }
}

/// `[index = at]`.
fn delta(context: &mut Context, index: Affine, at: IndexId) -> ExprId {
    let left = context.index_value(index);
    let right = context.index_value(Affine::index(at));
    context.compare(Relation::Equal, left, right)
}
