//! The operations of one kernel.

use std::collections::BTreeMap;

use super::count::{Count, Operation};
use super::loops::{Loop, LoopKind, distinct, repetitions};
use super::polynomial::Polynomial;
use super::sizes::Sizes;
use crate::emit::plan::{Branch, Condition, Function, Kernel, Place, Plan, Position, Statement, Value};
use crate::equation::{Elementary, IndexId, ReduceKind, Role, TensorId};

/// What a kernel does.
pub(super) struct Counted {
    /// For one example, or once.
    pub(super) count: Count,
    /// The additions to the gradient that a further example takes besides.
    pub(super) accumulated: Polynomial,
}

/// Counts the operations of a kernel.
pub(super) fn count(plan: &Plan, sizes: &Sizes, kernel: &Kernel) -> Counted {
    let mut walk = Walk {
        plan,
        sizes,
        loops: Vec::new(),
        often: Polynomial::number(1),
        serial: 0,
        count: Count::default(),
        accumulated: Polynomial::default(),
        started: BTreeMap::new(),
        cleared: BTreeMap::new(),
    };
    walk.statements(&kernel.body);
    if let Some(result) = &kernel.result {
        walk.value(result);
    }
    Counted { count: walk.count, accumulated: walk.accumulated }
}

struct Walk<'a> {
    plan: &'a Plan,
    sizes: &'a Sizes,
    /// The loops that are open.
    loops: Vec<Loop>,
    /// How often what stands here is done.
    often: Polynomial,
    serial: usize,
    count: Count,
    accumulated: Polynomial,
    /// The indices of the loops in which each accumulator starts, until something is put into it.
    started: BTreeMap<usize, Vec<IndexId>>,
    /// The loops in which each tensor was set to 0.
    cleared: BTreeMap<TensorId, Vec<Loop>>,
}

impl Walk<'_> {
    fn statements(&mut self, statements: &[Statement]) {
        statements.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::For { index, range, body } => self.inside(*index, LoopKind::Range(range.bounds.clone()), body),
            Statement::ForLanes { index, body, .. } => self.inside(*index, LoopKind::Range(Vec::new()), body),
            Statement::At { index, position, body } => {
                let kind = match position {
                    Position::Sum(affine, others) if others.is_empty() => LoopKind::At(affine.clone()),
                    Position::Sum(_, others) => {
                        others.iter().for_each(|(_, value)| self.value(value));
                        LoopKind::AtData
                    }
                    Position::Label(_) => LoopKind::AtData,
                };
                self.inside(*index, kind, body);
            }
            Statement::Let(_, value) => self.value(value),
            Statement::Start(local, _) | Statement::StartLanes(local, ..) => {
                self.started.insert(local.0, self.loops.iter().map(|open| open.index).collect());
            }
            Statement::StartRow(local, index, place) => {
                let first = Statement::Add(place.clone(), Value::OfRow(*local, *index));
                self.inside(*index, LoopKind::Range(Vec::new()), &[first]);
                self.started.insert(local.0, self.loops.iter().map(|open| open.index).chain([*index]).collect());
            }
            Statement::Combine { into, kind, value, .. } => {
                self.value(value);
                self.combine(into.0, *kind);
            }
            Statement::KeepBest { best, value, .. } => {
                self.value(value);
                self.combine(best.0, ReduceKind::Max);
            }
            // The accumulators of all lanes take as many operations less while they are filled.
            Statement::FinishLanes { .. } => {}
            Statement::Set(place, Value::Number(0.0)) => {
                self.cleared.insert(place.tensor, self.loops.clone());
            }
            Statement::Set(place, value) => {
                self.value(value);
                self.cleared.remove(&place.tensor);
            }
            Statement::Add(place, value) => {
                self.value(value);
                self.add_to(place);
            }
            // What is counted is planned for one example.
            Statement::Tile(_) | Statement::Sweep { .. } | Statement::Transpose { .. } => self.count.is_exact = false,
        }
    }

    fn inside(&mut self, index: IndexId, kind: LoopKind, body: &[Statement]) {
        self.serial += 1;
        let extent = self.sizes.of_loop(&self.plan.context, index, body);
        self.loops.push(Loop { index, serial: self.serial, extent, kind });
        let before = std::mem::take(&mut self.often);
        self.often = repetitions(&self.plan.context, &self.loops).unwrap_or_else(|| {
            self.count.is_exact = false;
            self.loops.last().map_or(Polynomial::number(1), |open| before.times(&open.extent))
        });
        self.statements(body);
        self.loops.pop();
        self.often = before;
    }

    fn done(&mut self, operation: Operation, times: usize) {
        if times > 0 {
            let number = self.often.times(&Polynomial::number(times));
            self.count.insert(operation, number);
        }
    }

    /// An accumulator takes a value; the first of all is no operation.
    fn combine(&mut self, into: usize, kind: ReduceKind) {
        let operation = match kind {
            ReduceKind::Sum => Operation::Add,
            ReduceKind::Product => Operation::Multiply,
            ReduceKind::Max | ReduceKind::Min => Operation::Compare,
        };
        self.done(operation, 1);
        if let Some(outer) = self.started.remove(&into) {
            self.first_ones(operation, &outer);
        }
    }

    /// Takes away what is no operation because nothing was there before: one for each value of these indices.
    fn first_ones(&mut self, operation: Operation, indices: &[IndexId]) {
        match distinct(&self.plan.context, &self.loops, indices) {
            Some(first) => self.count.remove(operation, &first),
            None => self.count.is_exact = false,
        }
    }

    /// Something is added to an element.
    fn add_to(&mut self, place: &Place) {
        self.done(Operation::Add, 1);
        let mut indices: Vec<IndexId> = place.indices.iter().flat_map(|affine| affine.terms.iter().map(|term| term.0)).collect();
        let is_gradient = matches!(self.plan.context.tensor(place.tensor).role, Role::Gradient { .. });
        if let Some(cleared) = self.cleared.get(&place.tensor) {
            // In each turn of the loops around both it is cleared anew.
            let shared = cleared.iter().zip(&self.loops).take_while(|(a, b)| a.serial == b.serial);
            indices.extend(shared.map(|(open, _)| open.index));
        } else if !is_gradient {
            return;
        }
        let Some(first) = distinct(&self.plan.context, &self.loops, &indices) else {
            self.count.is_exact = false;
            return;
        };
        // Where the data decides on a place, more of them may be the first.
        let is_decided = !self.loops.iter().any(|open| matches!(open.kind, LoopKind::AtData)) || first == self.often;
        self.count.is_exact &= is_decided;
        self.count.remove(Operation::Add, &first);
        if is_gradient {
            self.accumulated = self.accumulated.plus(&first);
        }
        self.cleared.remove(&place.tensor);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Number(_) | Value::Local(_) | Value::OfRow(..) | Value::Load(_) | Value::Index(_) => {}
            Value::Sum(terms) => {
                terms.iter().for_each(|term| self.value(term));
                self.done(Operation::Add, terms.len().saturating_sub(1));
            }
            Value::Product(factors) => {
                factors.iter().for_each(|factor| self.value(factor));
                // A sign is no factor.
                let factors = factors.iter().filter(|factor| !matches!(factor, Value::Number(-1.0))).count();
                self.done(Operation::Multiply, factors.saturating_sub(1));
            }
            Value::Quotient(above, below) => {
                self.value(above);
                self.value(below);
                self.done(Operation::Divide, 1);
            }
            Value::IntegerPower(base, times) => {
                self.value(base);
                self.done(Operation::Multiply, multiplications(*times));
            }
            Value::Power(base, exponent) => {
                self.value(base);
                self.value(exponent);
                self.done(Operation::Power, 1);
            }
            Value::Call(function, argument) => {
                self.value(argument);
                match function {
                    Function::Elementary(function) => self.done(Operation::Call(*function), 1),
                    Function::Logistic => {
                        self.done(Operation::Call(Elementary::Exp), 1);
                        self.done(Operation::Add, 1);
                        self.done(Operation::Divide, 1);
                    }
                }
            }
            Value::Choose { condition, then, otherwise } => {
                self.condition(condition);
                let [then, otherwise] = [then, otherwise].map(|branch| self.apart(|walk| walk.branch(branch)));
                self.count.add(&then.either(otherwise));
            }
            Value::Truth(condition) => self.condition(condition),
        }
    }

    fn branch(&mut self, branch: &Branch) {
        self.statements(&branch.statements);
        self.value(&branch.value);
    }

    /// What some work counts.
    fn apart(&mut self, work: impl FnOnce(&mut Self)) -> Count {
        let before = std::mem::take(&mut self.count);
        work(self);
        std::mem::replace(&mut self.count, before)
    }

    fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::Compare(_, left, right) => {
                self.value(left);
                self.value(right);
                self.done(Operation::Compare, 1);
            }
            Condition::Label(..) => {}
            Condition::And(parts) | Condition::Or(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    let mut count = self.apart(|walk| walk.condition(part));
                    // What comes after the first need not be looked at.
                    count.is_exact &= at == 0 || count == Count::default();
                    self.count.add(&count);
                }
            }
            Condition::Not(part) => self.condition(part),
            Condition::NotZero(value) => {
                self.value(value);
                self.done(Operation::Compare, 1);
            }
        }
    }
}

/// The multiplications of an integer power: short ones are written out, longer ones square.
fn multiplications(times: u32) -> usize {
    /// As the emitter has it.
    const GREATEST_WRITTEN_POWER: u32 = 4;
    match times {
        0 => 0,
        1..=GREATEST_WRITTEN_POWER => times as usize - 1,
        _ => (u32::BITS - times.leading_zeros() + times.count_ones() - 1) as usize,
    }
}
