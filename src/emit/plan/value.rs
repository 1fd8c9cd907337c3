//! Lowers expressions to values, statements and conditions of a nest.

use super::nest::{Level, Nest};
use super::statement::{Branch, Condition, Function, Place, Statement, Value};
use crate::equation::{Context, Elementary, ExprId, Node, Number, Role, TensorId};

/// Integer powers up to this one are multiplied out; `powi` of the language's reference does the same.
const GREATEST_INTEGER_POWER: i64 = 64;

impl Nest<'_> {
    /// The value of an expression at the innermost level, its invariant parts computed further out.
    pub(super) fn value(&mut self, expr: ExprId) -> Value {
        if let Some(&local) = self.levels.iter().rev().find_map(|level| level.bound.get(expr)) {
            return Value::Local(local);
        }
        let innermost = self.levels.len() - 1;
        let shared = self.uses.get(expr).is_some_and(|&uses| uses > 1);
        match self.context.node(expr) {
            Node::Number(_) | Node::Index(_) => return self.build(expr),
            Node::Compare(..) | Node::And(_) | Node::Or(_) | Node::Not(_) => {
                return Value::Truth(Box::new(self.condition(expr)));
            }
            // Scalars reach a kernel by value: there is nothing to hoist.
            Node::Access { indices, tensor } if indices.is_empty() || self.context.tensor(*tensor).label => {
                return self.build(expr);
            }
            Node::Access { .. } => {
                let home = self.home(expr);
                return if home < innermost { self.bind_value_at(home, expr) } else { self.build(expr) };
            }
            _ => {}
        }
        if let Some(term) = self.only_term(expr) {
            return self.value(term);
        }
        let home = self.home(expr);
        match self.context.node(expr) {
            Node::Reduce { .. } | Node::ArgReduce { .. } => self.reduction(expr, home),
            _ if home < innermost || shared => self.bind_value_at(home, expr),
            _ => self.build(expr),
        }
    }

    /// Computes an expression at a level and names it there.
    fn bind_value_at(&mut self, level: usize, expr: ExprId) -> Value {
        self.at_level(level, |nest| {
            let value = nest.build(expr);
            if let Value::Local(_) | Value::Number(_) = value {
                return value;
            }
            let name = nest.suggest_name(expr);
            let local = nest.local(&name);
            nest.push(Statement::Let(local, value));
            nest.bind(expr, local);
            Value::Local(local)
        })
    }

    /// A name for a local variable that says what it holds, where that is short.
    fn suggest_name(&self, expr: ExprId) -> String {
        match self.context.node(expr) {
            Node::Access { tensor, .. } => self.context.tensor(*tensor).name.clone() + "_here",
            Node::Call(function, _) => format!("{}_here", function.name()),
            Node::Power(_, exponent) if self.context.is_integer(*exponent, -1) => "reciprocal".to_owned(),
            Node::Multiply(_) => "factor".to_owned(),
            Node::Add(_) => "term".to_owned(),
            _ => "value".to_owned(),
        }
    }

    fn build(&mut self, expr: ExprId) -> Value {
        match self.context.node(expr).clone() {
            Node::Number(number) => Value::Number(number.value()),
            Node::Index(affine) => Value::Index(affine),
            Node::Access { tensor, indices } => {
                if self.context.tensor(tensor).label {
                    return Value::Truth(Box::new(self.condition(expr)));
                }
                Value::Load(Place { tensor, indices })
            }
            Node::Add(terms) => {
                let terms = self.gather_invariant(terms, Context::add);
                Value::Sum(terms.into_iter().map(|term| self.value(term)).collect())
            }
            Node::Multiply(factors) => self.product(factors),
            Node::Power(base, exponent) => self.power(base, exponent),
            Node::Call(function, argument) => Value::Call(Function::Elementary(function), Box::new(self.value(argument))),
            Node::Compare(..) | Node::And(_) | Node::Or(_) | Node::Not(_) => Value::Truth(Box::new(self.condition(expr))),
            Node::If { condition, then, otherwise } => {
                let condition = Box::new(self.condition(condition));
                let then = Box::new(self.branch(|nest| nest.value(then)));
                let otherwise = Box::new(self.branch(|nest| nest.value(otherwise)));
                Value::Choose { condition, then, otherwise }
            }
            Node::Reduce { .. } | Node::ArgReduce { .. } => {
                let home = self.home(expr);
                self.reduction(expr, home)
            }
            // The record of a derivation is never computed.
            Node::Partial { .. } => Value::Number(0.0),
        }
    }

    /// The statements and the value of a branch.
    fn branch(&mut self, work: impl FnOnce(&mut Self) -> Value) -> Branch {
        self.levels.push(Level::default());
        let value = work(self);
        let statements = self.levels.pop().map(|level| level.statements).unwrap_or_default();
        Branch { statements, value }
    }

    /// Puts the operands that are computed further out into one, so that they are combined out there.
    fn gather_invariant(&mut self, operands: Vec<ExprId>, combine: fn(&mut Context, Vec<ExprId>) -> ExprId) -> Vec<ExprId> {
        let innermost = self.levels.len() - 1;
        let is_number = |nest: &Self, operand: &ExprId| nest.context.as_number(*operand).is_some();
        let (outer, inner): (Vec<_>, Vec<_>) = operands
            .iter()
            .copied()
            .partition(|&operand| is_number(self, &operand) || (!self.is_condition(operand) && self.home(operand) < innermost));
        if inner.is_empty() || outer.len() < 2 || outer.iter().all(|operand| is_number(self, operand)) {
            return operands;
        }
        let mut gathered = vec![combine(self.context, outer)];
        gathered.extend(inner);
        gathered
    }

    fn is_condition(&self, expr: ExprId) -> bool {
        match self.context.node(expr) {
            Node::Compare(..) | Node::And(_) | Node::Or(_) | Node::Not(_) => true,
            Node::Access { tensor, .. } => self.context.tensor(*tensor).label,
            _ => false,
        }
    }

    /// A product. Conditions among the factors decide whether the rest is computed at all.
    fn product(&mut self, factors: Vec<ExprId>) -> Value {
        let (conditions, factors): (Vec<_>, Vec<_>) = factors.into_iter().partition(|&factor| self.is_condition(factor));
        if conditions.is_empty() {
            return self.unconditional_product(factors);
        }
        let conditions: Vec<_> = conditions.into_iter().map(|condition| self.condition(condition)).collect();
        let condition = Box::new(if conditions.len() == 1 {
            conditions.into_iter().next().unwrap_or(Condition::And(Vec::new()))
        } else {
            Condition::And(conditions)
        });
        if factors.is_empty() {
            return Value::Truth(condition);
        }
        let product = self.context.multiply(factors);
        let then = Box::new(self.branch(|nest| nest.value(product)));
        let otherwise = Box::new(Branch { statements: Vec::new(), value: Value::Number(0.0) });
        Value::Choose { condition, then, otherwise }
    }

    /// Which of the tensors that an expression reads was defined last, which is mostly the one that is computed last: the others can be
    /// multiplied by each other before it is there. Parameters and data are there from the beginning.
    fn defined_last(&self, expr: ExprId) -> Option<TensorId> {
        let is_computed = |tensor: &TensorId| matches!(self.context.tensor(*tensor).role, Role::Value | Role::Adjoint { .. });
        if let Node::Access { tensor, .. } = self.context.node(expr) {
            return Some(*tensor).filter(is_computed);
        }
        self.context.tensors_in(expr).into_iter().filter(is_computed).max()
    }

    fn unconditional_product(&mut self, factors: Vec<ExprId>) -> Value {
        let mut factors = self.gather_invariant(factors, Context::multiply);
        factors.sort_by_key(|&factor| self.defined_last(factor));
        let innermost = self.levels.len() - 1;
        let mut above = Vec::new();
        let mut below = Vec::new();
        for factor in factors {
            if let Node::Power(base, exponent) = *self.context.node(factor)
                && let Some(exponent) = self.context.as_number(exponent)
                && exponent.value() < 0.0
                && self.home(factor) == innermost
            {
                let positive = self.context.number(Number::new(-exponent.value()).unwrap_or(Number::ONE));
                let divisor = self.context.power(base, positive);
                below.push(self.value(divisor));
            } else {
                above.push(self.value(factor));
            }
        }
        let product = |mut values: Vec<Value>| match values.len() {
            0 => Value::Number(1.0),
            1 => values.swap_remove(0),
            _ => Value::Product(values),
        };
        if below.is_empty() { product(above) } else { Value::quotient(product(above), product(below)) }
    }

    fn power(&mut self, base: ExprId, exponent: ExprId) -> Value {
        let Some(number) = self.context.as_number(exponent) else {
            return Value::Power(Box::new(self.value(base)), Box::new(self.value(exponent)));
        };
        let magnitude = Number::new(number.value().abs()).unwrap_or(Number::ONE);
        let positive = match magnitude.as_integer() {
            Some(1) => self.value(base),
            Some(times) if times <= GREATEST_INTEGER_POWER => {
                let base = self.named(base);
                Value::IntegerPower(Box::new(base), times.unsigned_abs() as u32)
            }
            _ if magnitude.value() == 0.5 => Value::Call(Function::Elementary(Elementary::Sqrt), Box::new(self.value(base))),
            _ => return Value::Power(Box::new(self.value(base)), Box::new(Value::Number(number.value()))),
        };
        if number.value() < 0.0 { Value::quotient(Value::Number(1.0), positive) } else { positive }
    }

    /// The value of an expression, in a local variable unless it is as simple as one.
    fn named(&mut self, expr: ExprId) -> Value {
        match self.value(expr) {
            value @ (Value::Local(_) | Value::Load(_) | Value::Number(_)) => value,
            value => {
                let local = self.local("base");
                self.push(Statement::Let(local, value));
                self.bind(expr, local);
                Value::Local(local)
            }
        }
    }

    /// An expression as a truth value.
    fn condition(&mut self, expr: ExprId) -> Condition {
        match self.context.node(expr).clone() {
            Node::Compare(relation, left, right) => Condition::Compare(relation, self.value(left), self.value(right)),
            Node::And(parts) => Condition::And(parts.into_iter().map(|part| self.condition(part)).collect()),
            Node::Or(parts) => Condition::Or(parts.into_iter().map(|part| self.condition(part)).collect()),
            Node::Not(part) => Condition::Not(Box::new(self.condition(part))),
            Node::Access { tensor, mut indices } if self.context.tensor(tensor).label => {
                let class = indices.pop().unwrap_or_default();
                Condition::Label(Place { tensor, indices }, class)
            }
            _ => Condition::NotZero(self.value(expr)),
        }
    }
}
