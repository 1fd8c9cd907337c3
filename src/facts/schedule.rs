//! Whether the rates of all updates add up to infinity, and their squares do not: what stochastic approximation asks for (Robbins and
//! Monro 1951).

use std::collections::HashMap;

use super::{Fact, FactKind, Study};
use crate::calculus::{differentiate, number_of, simplified};
use crate::equation::{Affine, Context, Elementary, ExprId, Node, Relation, TensorId, evaluate};
use crate::model::Optimizer;

/// How an expression in `k` behaves for large `k`: as `factor * k^power * (ln k)^logarithm * e^(exponent k)`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Growth {
    factor: f64,
    exponent: f64,
    power: f64,
    logarithm: f64,
}

const ZERO: Growth = Growth { factor: 0.0, exponent: 0.0, power: 0.0, logarithm: 0.0 };

impl Growth {
    fn number(factor: f64) -> Self {
        Growth { factor, ..ZERO }
    }

    fn order(self) -> [f64; 3] {
        [self.exponent, self.power, self.logarithm]
    }

    fn is_number(self) -> bool {
        self.order() == [0.0; 3]
    }

    fn times(self, other: Self) -> Self {
        if self.factor == 0.0 || other.factor == 0.0 {
            return ZERO;
        }
        Growth {
            factor: self.factor * other.factor,
            exponent: self.exponent + other.exponent,
            power: self.power + other.power,
            logarithm: self.logarithm + other.logarithm,
        }
    }

    /// The sum, unless what grows fastest cancels.
    fn plus(self, other: Self) -> Option<Self> {
        if self.factor == 0.0 {
            return Some(other);
        }
        if other.factor == 0.0 {
            return Some(self);
        }
        match self.order().partial_cmp(&other.order())? {
            std::cmp::Ordering::Greater => Some(self),
            std::cmp::Ordering::Less => Some(other),
            std::cmp::Ordering::Equal => {
                let factor = self.factor + other.factor;
                let cancels = factor.abs() < 1e-12 * self.factor.abs();
                if !cancels {
                    Some(Growth { factor, ..self })
                } else if self.is_number() {
                    Some(ZERO)
                } else {
                    None
                }
            }
        }
    }

    fn to_the(self, exponent: f64) -> Option<Self> {
        if self.factor < 0.0 && exponent.fract() != 0.0 || self.factor == 0.0 {
            return (self.factor == 0.0 && exponent > 0.0).then_some(ZERO);
        }
        Some(Growth {
            factor: self.factor.powf(exponent),
            exponent: self.exponent * exponent,
            power: self.power * exponent,
            logarithm: self.logarithm * exponent,
        })
    }

    /// `e` to this, where this is at most linear.
    fn exponential(self) -> Option<Self> {
        match self.order() {
            order if order <= [0.0; 3] => Some(Growth::number(if self.is_number() { self.factor.exp() } else { 1.0 })),
            [0.0, 1.0, 0.0] => Some(Growth { factor: 1.0, exponent: self.factor, power: 0.0, logarithm: 0.0 }),
            [0.0, 0.0, 1.0] => Some(Growth { factor: 1.0, exponent: 0.0, power: self.factor, logarithm: 0.0 }),
            _ => None,
        }
    }

    fn logarithm(self) -> Option<Self> {
        if self.factor <= 0.0 {
            return None;
        }
        Some(match self.order() {
            [0.0, 0.0, 0.0] => Growth::number(self.factor.ln()),
            [0.0, power, _] if power != 0.0 => Growth { factor: power, exponent: 0.0, power: 0.0, logarithm: 1.0 },
            [exponent, ..] if exponent != 0.0 => Growth { factor: exponent, exponent: 0.0, power: 1.0, logarithm: 0.0 },
            _ => return None,
        })
    }

    /// Whether the sum over all `k` is finite.
    fn is_summable(self) -> bool {
        self.factor == 0.0 || self.order() < [0.0, -1.0, -1.0]
    }
}

/// A fact for each line of optimizers whose rate is found.
pub(super) fn facts(study: &mut Study<'_>) -> Vec<Fact> {
    let mut facts: Vec<Fact> = Vec::new();
    for optimizer in &study.derivation.model.optimizers {
        if let Some(fact) = rate(study, optimizer).and_then(|rate| fact(study, optimizer, rate))
            && !facts.iter().any(|known| known.what == fact.what && known.equations == fact.equations)
        {
            facts.push(fact);
        }
    }
    facts
}

/// How far an update goes for each unit of the gradient, where that does not depend on the gradient; else the constant that the whole
/// step is proportional to.
fn rate(study: &mut Study<'_>, optimizer: &Optimizer) -> Option<ExprId> {
    let (last, before) = optimizer.equations.split_last()?;
    let context = &mut study.context;
    let mut next = last.value;
    for equation in before.iter().rev() {
        next = context.substitute_tensor(next, equation.target, &mut |context, indices| {
            let renaming: Vec<(_, Affine)> = equation.indices.iter().copied().zip(indices.iter().cloned()).collect();
            context.substitute_indices(equation.value, &renaming)
        });
    }
    let parameter = context.access_at(optimizer.parameter, &last.indices);
    let step = context.subtract(next, parameter);
    let step = simplified(context, step);
    // The gradient's element as a number of its own.
    let gradient = context.access_at(optimizer.gradient, &last.indices);
    let variable = super::activation::variable(context);
    let moving = context.access(variable, Vec::new());
    let in_variable = context.replace(step, gradient, moving);
    let slope = differentiate(context, in_variable, variable, &[]);
    let slope = context.negate(slope);
    let slope = simplified(context, slope);
    if context.tensors_in(slope).into_iter().all(|tensor| is_scalar(context, tensor)) && !context.is_integer(slope, 0) {
        return Some(slope);
    }
    let zero = context.integer(0);
    let constants: Vec<TensorId> = context.tensors_in(step).into_iter().filter(|&tensor| is_scalar(context, tensor)).collect();
    constants.into_iter().find_map(|constant| {
        let access = context.access(constant, Vec::new());
        let without = context.replace(step, access, zero);
        let without = simplified(context, without);
        let slope = differentiate(context, step, constant, &[]);
        let slope = simplified(context, slope);
        (without == zero && !context.contains_tensor(slope, constant)).then_some(access)
    })
}

fn is_scalar(context: &Context, tensor: TensorId) -> bool {
    use crate::equation::Role;
    matches!(context.tensor(tensor).role, Role::Constant | Role::UpdateNumber)
}

fn fact(study: &mut Study<'_>, optimizer: &Optimizer, rate: ExprId) -> Option<Fact> {
    let constants = &study.derivation.model.constants;
    let mut equations = Vec::new();
    let mut value = rate;
    for equation in constants.iter().rev() {
        if study.context.contains_tensor(value, equation.target) {
            equations.extend(Some(equation.number).filter(|number| *number > 0));
            value = study.context.substitute_tensor(value, equation.target, &mut |_, _| equation.value);
        }
    }
    equations.reverse();
    let value = simplified(&mut study.context, value);
    let update = study.derivation.model.update_number;
    let growth = growth(&mut study.context, update, value)?;
    let square = growth.times(growth);
    let (diverges, converges) = (!growth.is_summable(), square.is_summable());
    let text = study.context.expression_text(value);
    let what = match (diverges, converges) {
        (true, true) => format!("the rate of {}, {text}, satisfies sum eta = inf and sum eta^2 < inf", optimizer.rule),
        (true, false) => {
            format!("the rate of {}, {text}, satisfies sum eta = inf, but sum eta^2 is infinite too", optimizer.rule)
        }
        (false, _) => format!("the rate of {}, {text}, has a finite sum, so that sum eta = inf fails", optimizer.rule),
    };
    let shape = shape(growth);
    let reason = match (diverges, converges) {
        (true, true) => format!("for large k it behaves as {shape}: steps reach any place, and their noise dies out"),
        (true, false) => format!("for large k it behaves as {shape}: the noise of single steps does not die out"),
        (false, _) => format!("for large k it behaves as {shape}: all steps together reach only so far"),
    };
    Some(Fact { kind: FactKind::Schedule, is_mistake: false, what, reason, formulas: Vec::new(), equations, origin: None })
}

fn shape(growth: Growth) -> String {
    if growth.factor == 0.0 {
        return "0".to_owned();
    }
    let mut parts = Vec::new();
    if growth.exponent != 0.0 {
        parts.push(format!("exp({} k)", super::number_text(growth.exponent)));
    }
    if growth.power != 0.0 {
        parts.push(format!("k^({})", super::number_text(growth.power)));
    }
    if growth.logarithm != 0.0 {
        parts.push(format!("ln(k)^({})", super::number_text(growth.logarithm)));
    }
    if parts.is_empty() { "a constant".to_owned() } else { parts.join(" ") }
}

/// The growth of an expression in numbers and `k`; `None` where it is not found.
fn growth(context: &mut Context, update: TensorId, expr: ExprId) -> Option<Growth> {
    if let Some(number) = number_of(context, expr) {
        return Some(Growth::number(number));
    }
    match context.node(expr).clone() {
        Node::Access { tensor, .. } => {
            (tensor == update).then_some(Growth { factor: 1.0, exponent: 0.0, power: 1.0, logarithm: 0.0 })
        }
        Node::Add(terms) => {
            let mut sum = ZERO;
            for term in terms {
                sum = sum.plus(growth(context, update, term)?)?;
            }
            Some(sum)
        }
        Node::Multiply(factors) => {
            let mut product = Growth::number(1.0);
            for factor in factors {
                product = product.times(growth(context, update, factor)?);
            }
            Some(product)
        }
        Node::Power(base, exponent) => {
            let base_growth = growth(context, update, base)?;
            if let Some(exponent) = number_of(context, exponent) {
                return base_growth.to_the(exponent);
            }
            let exponent = growth(context, update, exponent)?;
            let is_positive = base_growth.is_number() && base_growth.factor > 0.0;
            exponent.times(Growth::number(if is_positive { base_growth.factor.ln() } else { return None })).exponential()
        }
        Node::Call(function, argument) => {
            let argument = growth(context, update, argument)?;
            match function {
                Elementary::Exp => argument.exponential(),
                Elementary::Ln | Elementary::Log1p => argument.logarithm(),
                Elementary::Sqrt => argument.to_the(0.5),
                // Rounding down what grows changes it less and less.
                Elementary::Floor if argument.order() > [0.0; 3] => Some(argument),
                Elementary::Abs => Some(Growth { factor: argument.factor.abs(), ..argument }),
                Elementary::Tanh | Elementary::Erf if argument.order() > [0.0; 3] => {
                    Some(Growth::number(argument.factor.signum()))
                }
                _ if argument.is_number() => Some(Growth::number(value_of(context, function, argument.factor)?)),
                _ => None,
            }
        }
        Node::If { condition, then, otherwise } => {
            let holds = holds_at_last(context, update, condition)?;
            growth(context, update, if holds { then } else { otherwise })
        }
        Node::Compare(..) | Node::And(_) | Node::Or(_) | Node::Not(_) => {
            Some(Growth::number(f64::from(u8::from(holds_at_last(context, update, expr)?))))
        }
        _ => None,
    }
}

fn value_of(context: &mut Context, function: Elementary, argument: f64) -> Option<f64> {
    let argument = context.number(crate::equation::Number::new(argument)?);
    let call = context.call(function, argument);
    evaluate(context, &(&*context, &HashMap::new()), &[], call).ok()
}

/// Whether a condition holds for all large `k`.
fn holds_at_last(context: &mut Context, update: TensorId, condition: ExprId) -> Option<bool> {
    match context.node(condition).clone() {
        Node::Compare(relation, left, right) => {
            let difference = context.subtract(left, right);
            let difference = simplified(context, difference);
            let sign = growth(context, update, difference)?.factor;
            Some(match relation {
                Relation::Less => sign < 0.0,
                Relation::LessEqual => sign <= 0.0,
                Relation::Equal => sign == 0.0,
                Relation::NotEqual => sign != 0.0,
                Relation::GreaterEqual => sign >= 0.0,
                Relation::Greater => sign > 0.0,
            })
        }
        Node::And(parts) => parts.into_iter().try_fold(true, |all, part| Some(all & holds_at_last(context, update, part)?)),
        Node::Or(parts) => parts.into_iter().try_fold(false, |any, part| Some(any | holds_at_last(context, update, part)?)),
        Node::Not(part) => holds_at_last(context, update, part).map(|holds| !holds),
        _ => None,
    }
}
