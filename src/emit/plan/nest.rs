//! Builds the loop nest of one kernel.
//!
//! Loops are opened and closed like brackets. An expression is computed at the outermost loop that binds all its
//! indices, once, and named there; a branch of a conditional keeps what only it needs. That is what moves the
//! invariant part of a product, or a whole softmax denominator, out of the inner loop.

use std::collections::HashMap;

use super::statement::{Branch, Condition, Local, Place, Position, Range, Statement, Value};
use crate::equation::{Affine, Context, Elementary, ExprId, IndexId, Node, Number, Role, Tensor, TensorId, for_each_child};

/// Integer powers up to this one are multiplied out; `powi` of the language's reference does the same.
const GREATEST_INTEGER_POWER: i64 = 64;

/// How often what stands in a level is done.
#[derive(Debug)]
enum Opening {
    /// For some values of the index.
    Loop(Range),
    /// For one value of the index.
    At(Position),
}

/// A loop or branch that is open, or the function's body.
#[derive(Debug, Default)]
pub(super) struct Level {
    /// The loop's index; none for a branch and for the function's body.
    pub(super) index: Option<IndexId>,
    /// What it is; a plain loop if not given.
    opening: Option<Opening>,
    pub(super) statements: Vec<Statement>,
    /// Which expressions a local variable of this level holds.
    bound: HashMap<ExprId, Local>,
}

impl Level {
    /// The index of a loop.
    pub(super) fn loop_index(&self) -> Option<IndexId> {
        self.index.filter(|_| !matches!(self.opening, Some(Opening::At(_))))
    }
}

/// A kernel under construction.
#[derive(Debug)]
pub(super) struct Nest<'a> {
    pub(super) context: &'a mut Context,
    /// The function's body, then what is open, outermost first.
    pub(super) levels: Vec<Level>,
    /// The names of the local variables, not unique.
    pub(super) locals: Vec<String>,
    /// Arrays that hold intermediate results.
    pub(super) temporaries: &'a mut Vec<TensorId>,
    /// How many parts of the current equation read an expression.
    uses: HashMap<ExprId, u32>,
    free: HashMap<ExprId, Vec<IndexId>>,
    /// Rows that are filled anew for each value of these indices: what reads them stays inside those loops.
    refilled: HashMap<TensorId, Vec<IndexId>>,
    /// What the steps of a recurrence write, in the loop that is outermost.
    pub(super) recurrent: Vec<TensorId>,
    /// Whether a number stands for those of several examples, in vectors: then no loop is to become one.
    pub(super) is_abreast: bool,
}

impl<'a> Nest<'a> {
    /// An empty function.
    pub(super) fn new(context: &'a mut Context, temporaries: &'a mut Vec<TensorId>) -> Self {
        Self {
            context,
            levels: vec![Level::default()],
            locals: Vec::new(),
            temporaries,
            uses: HashMap::new(),
            free: HashMap::new(),
            refilled: HashMap::new(),
            recurrent: Vec::new(),
            is_abreast: false,
        }
    }

    /// The finished body, with the names of its local variables.
    pub(super) fn finish(mut self) -> (Vec<Statement>, Vec<String>) {
        (std::mem::take(&mut self.levels[0].statements), self.locals)
    }

    // Loops.

    /// Opens a loop.
    pub(super) fn open(&mut self, index: IndexId) {
        self.levels.push(Level { index: Some(index), ..Level::default() });
    }

    /// Opens a loop over some of the values of an index.
    pub(super) fn open_range(&mut self, index: IndexId, range: Range) {
        self.levels.push(Level { index: Some(index), opening: Some(Opening::Loop(range)), ..Level::default() });
    }

    /// Opens what is done for one value of an index.
    pub(super) fn open_at(&mut self, index: IndexId, position: Position) {
        self.levels.push(Level { index: Some(index), opening: Some(Opening::At(position)), ..Level::default() });
    }

    /// Closes the innermost loop; `make` turns its body into a statement.
    pub(super) fn close_as(&mut self, make: impl FnOnce(IndexId, Vec<Statement>) -> Statement) {
        if let Some(Level { index: Some(index), statements, .. }) = self.levels.pop() {
            self.push(make(index, statements));
        }
    }

    /// Closes the innermost loop.
    pub(super) fn close(&mut self) {
        let opening = self.levels.last_mut().and_then(|level| level.opening.take());
        self.close_as(|index, body| match opening {
            None => Statement::For { index, range: Range::default(), body },
            Some(Opening::Loop(range)) => Statement::For { index, range, body },
            Some(Opening::At(position)) => Statement::At { index, position, body },
        });
    }

    /// Closes loops until so many levels are open.
    pub(super) fn close_to(&mut self, levels: usize) {
        while self.levels.len() > levels {
            self.close();
        }
    }

    /// Appends a statement to the innermost level.
    pub(super) fn push(&mut self, statement: Statement) {
        let innermost = self.levels.len() - 1;
        self.levels[innermost].statements.push(statement);
    }

    /// Runs `work` as if only the levels up to `level` were open.
    pub(super) fn at_level<T>(&mut self, level: usize, work: impl FnOnce(&mut Self) -> T) -> T {
        let inner = self.levels.split_off(level + 1);
        let result = work(self);
        self.levels.extend(inner);
        result
    }

    /// A new local variable.
    pub(super) fn local(&mut self, name: &str) -> Local {
        self.locals.push(name.to_owned());
        Local(self.locals.len() - 1)
    }

    /// Lets a local variable of the innermost level stand for an expression.
    pub(super) fn bind(&mut self, expr: ExprId, local: Local) {
        let innermost = self.levels.len() - 1;
        self.levels[innermost].bound.insert(expr, local);
    }

    /// A new array over these indices.
    pub(super) fn temporary(&mut self, indices: &[IndexId]) -> TensorId {
        let tensor = self.context.add_tensor(Tensor {
            name: format!("temporary{}", self.temporaries.len() + 1),
            shape: indices.iter().map(|&index| self.context.index_of(index).extent()).collect(),
            axes: indices.iter().map(|&index| self.context.index_of(index).name.clone()).collect(),
            role: Role::Value,
            label: false,
            origin: None,
        });
        self.temporaries.push(tensor);
        tensor
    }

    /// The element of a temporary (or of any tensor whose axes start where these indices do).
    pub(super) fn element(&mut self, tensor: TensorId, indices: &[IndexId]) -> Vec<Affine> {
        indices
            .iter()
            .zip(&self.context.tensor(tensor).shape)
            .map(|(&index, &extent)| {
                let range = self.context.index_of(index);
                // An index that starts elsewhere than at 0 fills a temporary of its extent from 0.
                let shift = if range.extent() == extent { -range.start } else { 0 };
                Affine { terms: vec![(index, 1)], constant: shift }
            })
            .collect()
    }

    /// Counts the uses of all parts of an expression that is about to be lowered.
    pub(super) fn count_uses(&mut self, expr: ExprId) {
        let mut uses = std::mem::take(&mut self.uses);
        self.context.visit(expr, &mut |context, part| {
            for_each_child(context.node(part), |child| *uses.entry(child).or_insert(0) += 1);
        });
        self.uses = uses;
    }

    /// A row over one index that is filled anew in each turn of the loops that are open.
    pub(super) fn row_temporary(&mut self, inner: IndexId) -> TensorId {
        self.refilled_temporary(&[inner])
    }

    /// An array over these indices that is filled anew in each turn of the loops that are open.
    pub(super) fn refilled_temporary(&mut self, indices: &[IndexId]) -> TensorId {
        let array = self.temporary(indices);
        let outer = self.levels.iter().filter_map(|level| level.index).collect();
        self.refilled.insert(array, outer);
        array
    }

    /// Whether a part of the current equation is an expression.
    pub(super) fn is_used(&self, expr: ExprId) -> bool {
        self.uses.contains_key(&expr)
    }

    /// The innermost level whose loop fills something that an expression reads.
    pub(super) fn filling_level(&self, expr: ExprId) -> usize {
        let read = self.context.tensors_in(expr);
        if read.is_empty() {
            return 0;
        }
        // What the steps of a recurrence write is filled in the outermost loop.
        let first = usize::from(self.levels.len() > 1 && read.iter().any(|tensor| self.recurrent.contains(tensor)));
        let is_filled_in =
            |index: IndexId| read.iter().any(|tensor| self.refilled.get(tensor).is_some_and(|outer| outer.contains(&index)));
        let last = self.levels.iter().rposition(|level| level.index.is_some_and(is_filled_in));
        last.map_or(first, |last| last.max(first))
    }

    /// The indices on which an expression depends: those that occur free, and those for which a row that it reads is refilled.
    pub(super) fn free_indices(&mut self, expr: ExprId) -> Vec<IndexId> {
        if let Some(free) = self.free.get(&expr) {
            return free.clone();
        }
        let mut free = self.context.free_indices(expr);
        for tensor in self.context.tensors_in(expr) {
            for &outer in self.refilled.get(&tensor).into_iter().flatten() {
                if !free.contains(&outer) {
                    free.push(outer);
                }
            }
        }
        self.free.insert(expr, free.clone());
        free
    }

    /// The level at which an expression is computed: the innermost that binds one of its indices, or a branch that is open
    /// there with no loop between.
    fn home(&mut self, expr: ExprId) -> usize {
        let free = self.free_indices(expr);
        let mut home = self.levels.iter().rposition(|level| level.index.is_some_and(|index| free.contains(&index))).unwrap_or(0);
        while self.levels.get(home + 1).is_some_and(|level| level.index.is_none()) {
            home += 1;
        }
        home
    }

    // Values.

    /// The value of an expression at the innermost level, its invariant parts computed further out.
    pub(super) fn value(&mut self, expr: ExprId) -> Value {
        if let Some(&local) = self.levels.iter().rev().find_map(|level| level.bound.get(&expr)) {
            return Value::Local(local);
        }
        let innermost = self.levels.len() - 1;
        let shared = self.uses.get(&expr).is_some_and(|&uses| uses > 1);
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
            Node::Call(function, argument) => Value::Call(function, Box::new(self.value(argument))),
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

    fn unconditional_product(&mut self, factors: Vec<ExprId>) -> Value {
        let factors = self.gather_invariant(factors, Context::multiply);
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
        if below.is_empty() { product(above) } else { Value::Quotient(Box::new(product(above)), Box::new(product(below))) }
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
            _ if magnitude.value() == 0.5 => Value::Call(Elementary::Sqrt, Box::new(self.value(base))),
            _ => return Value::Power(Box::new(self.value(base)), Box::new(Value::Number(number.value()))),
        };
        if number.value() < 0.0 { Value::Quotient(Box::new(Value::Number(1.0)), Box::new(positive)) } else { positive }
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
