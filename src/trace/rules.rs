//! What an operation gives, and how fast that changes with each operand, by the rules of the calculus.
//!
//! The operands of an operation are the elements of one vector `u`; its value is an expression in `u`, and its slopes are that
//! expression's derivative by `u[k]`, found once for each operation and number of operands.

use super::Operation;
use crate::calculus::{differentiate, simplified};
use crate::equation::{Affine, Bindings, Context, ExprId, IndexId, ReduceKind, Role, Tensor, TensorId, evaluate};
use std::collections::HashMap;

/// The rules that were needed so far.
#[derive(Default)]
pub(super) struct Rules {
    context: Context,
    known: HashMap<(Operation, usize), Rule>,
}

#[derive(Clone, Copy)]
struct Rule {
    value: ExprId,
    /// The derivative by the operand at [`Self::at`].
    slope: ExprId,
    at: IndexId,
}

/// The values of the operands.
struct Operands<'a>(&'a [f64]);

impl Bindings for Operands<'_> {
    fn element(&self, _: TensorId, indices: &[i64]) -> Option<f64> {
        self.0.get(usize::try_from(*indices.first()?).ok()?).copied()
    }
}

impl Rules {
    /// The value of an operation.
    pub(super) fn value(&mut self, operation: &Operation, operands: &[f64]) -> f64 {
        let rule = self.rule(operation, operands.len());
        let value = evaluate(&self.context, &Operands(operands), &[], rule.value).unwrap_or(f64::NAN);
        match operation {
            // The rule gives the position of the operand.
            Operation::Place(_, places) => places.get(value as usize).map_or(f64::NAN, |&place| place as f64),
            _ => value,
        }
    }

    /// The derivative of the value by each operand.
    pub(super) fn slopes(&mut self, operation: &Operation, operands: &[f64]) -> Vec<f64> {
        let rule = self.rule(operation, operands.len());
        let slope = |at: usize| evaluate(&self.context, &Operands(operands), &[(rule.at, at as i64)], rule.slope);
        (0..operands.len()).map(|at| slope(at).unwrap_or(f64::NAN)).collect()
    }

    fn rule(&mut self, operation: &Operation, count: usize) -> Rule {
        let key = (operation.clone(), count);
        if let Some(&rule) = self.known.get(&key) {
            return rule;
        }
        let context = &mut self.context;
        let operands = context.add_tensor(Tensor {
            name: "u".to_owned(),
            shape: vec![count],
            axes: vec!["k".to_owned()],
            role: Role::Value,
            label: false,
            origin: None,
        });
        let value = expression(context, operation, operands, count);
        let at = context.add_index("k", 0, count as i64);
        let slope = differentiate(context, value, operands, &[at]);
        let slope = simplified(context, slope);
        let rule = Rule { value, slope, at };
        self.known.insert(key, rule);
        rule
    }
}

/// The value of an operation in terms of the operands `u[0], u[1], …`.
fn expression(context: &mut Context, operation: &Operation, operands: TensorId, count: usize) -> ExprId {
    let places = 0..count as i64;
    let u: Vec<ExprId> = match operation {
        Operation::Reduce(_) | Operation::Place(..) => Vec::new(),
        _ => places.clone().map(|place| context.access(operands, vec![Affine::constant(place)])).collect(),
    };
    let over_all = |context: &mut Context, reduce: &dyn Fn(&mut Context, IndexId, ExprId) -> ExprId| {
        let index = context.add_index("i", places.start, places.end);
        let body = context.access_at(operands, &[index]);
        reduce(context, index, body)
    };
    match (operation, &u[..]) {
        (Operation::Copy, &[a]) => a,
        (Operation::Add, _) => context.add(u),
        (Operation::Subtract, &[a, b]) => context.subtract(a, b),
        (Operation::Multiply, _) => context.multiply(u),
        (&Operation::AddNumber(number), &[a]) => {
            let number = context.number(number);
            context.add([a, number])
        }
        (&Operation::MultiplyByNumber(number), &[a]) => {
            let number = context.number(number);
            context.multiply([number, a])
        }
        (&Operation::Power(exponent), &[a]) => {
            let exponent = context.number(exponent);
            context.power(a, exponent)
        }
        (Operation::Raise, &[a, b]) => context.power(a, b),
        (&Operation::Call(function), &[a]) => context.call(function, a),
        (&Operation::Choose(relation), &[a, b]) => {
            let condition = context.compare(relation, a, b);
            context.if_else(condition, a, b)
        }
        (&Operation::Compare(relation), &[a, b]) => context.compare(relation, a, b),
        (Operation::And, _) => context.and(u),
        (Operation::Or, _) => context.or(u),
        (Operation::Not, &[a]) => context.not(a),
        (Operation::If, &[condition, then, otherwise]) => context.if_else(condition, then, otherwise),
        (&Operation::Reduce(kind), _) => over_all(context, &|context, index, body| context.reduce(kind, &[index], body)),
        (&Operation::Place(kind, _), _) => over_all(context, &|context, index, body| {
            let kind = if kind == ReduceKind::Min { kind } else { ReduceKind::Max };
            context.arg_reduce(kind, &[index], 0, body)
        }),
        // A leaf has no operands, and an element of an equation is not one operation.
        _ => context.integer(0),
    }
}
