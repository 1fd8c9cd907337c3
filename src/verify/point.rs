//! Values for everything that a rule may speak of: data and parameters that look random, all else by its equations.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use super::subject::Subject;
use crate::audit::mix;
use crate::equation::{Bindings, Context, Equation, IndexId, Node, Role, TensorId, evaluate, for_each_child};

/// Which values data and parameters have.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// Numbers with two digits on both sides of 0.
    Signed,
    /// Numbers with two digits above 0, for what has no value elsewhere.
    Positive,
    /// A few small integers and the numbers that conditions compare with, so that values meet as they do at a kink.
    Meeting(Vec<f64>),
}

/// One choice of values for data and parameters, and what follows from it as far as it was asked for.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) kind: Kind,
    seed: u64,
    values: RefCell<HashMap<(TensorId, Vec<i64>), f64>>,
}

impl Point {
    /// The points at which rules are compared, the plainest first.
    pub(super) fn all(subject: &Subject<'_>) -> Vec<Point> {
        let meeting = Kind::Meeting(compared_numbers(subject));
        let kinds = (0..6).map(|_| Kind::Signed).chain((0..3).map(|_| Kind::Positive)).chain((0..24).map(|_| meeting.clone()));
        kinds.enumerate().map(|(seed, kind)| Point { kind, seed: seed as u64, values: RefCell::default() }).collect()
    }

    /// The values at this point, by the equations of a subject.
    pub(super) fn values<'a>(&'a self, subject: &'a Subject<'_>) -> Values<'a> {
        let values = Values { context: &subject.context, equations: &subject.equations, point: self };
        if self.values.borrow().is_empty() {
            // Values are found when they are asked for, through the equations they need. Asking in the order of the equations keeps
            // that shallow in a deep network.
            let backward = subject.derivation.backward.iter().map(|adjoint| &adjoint.equation);
            for equation in subject.derivation.forward.iter().chain(backward) {
                values.element(equation.target, &vec![0; equation.indices.len()]);
            }
        }
        values
    }
}

/// Small integers, and the numbers that the network adds or compares with: where it has kinks.
fn compared_numbers(subject: &Subject<'_>) -> Vec<f64> {
    let mut found: BTreeSet<i64> = BTreeSet::from([-1, 0, 1, 2].map(|integer| integer * SCALE));
    let context = &subject.context;
    for equation in &subject.derivation.forward {
        context.visit(equation.value, &mut |context, part| {
            if let Node::Compare(..) | Node::Add(_) = context.node(part) {
                for_each_child(context.node(part), |side| {
                    let number = context.as_number(side).filter(|number| number.value().abs() <= GREATEST);
                    if let Some(number) = number.filter(|_| found.len() < NUMBERS) {
                        let scaled = (number.value() * SCALE as f64) as i64;
                        found.extend([scaled, scaled.saturating_neg()]);
                    }
                });
            }
        });
    }
    found.into_iter().map(|scaled| scaled as f64 / SCALE as f64).collect()
}

/// Numbers that are greater are no thresholds that values near 1 meet.
const GREATEST: f64 = 100.0;

/// How many numbers values are chosen from, so that they do meet.
const NUMBERS: usize = 10;

/// Thresholds are told apart as multiples of 1 / SCALE, a power of 2 so that the usual ones are exact.
const SCALE: i64 = 1 << 20;

/// A point with the equations that extend it.
pub(super) struct Values<'a> {
    context: &'a Context,
    equations: &'a HashMap<TensorId, Equation>,
    point: &'a Point,
}

impl Values<'_> {
    /// The value of data, a parameter or a state.
    fn given(&self, tensor: TensorId, indices: &[i64]) -> f64 {
        let description = self.context.tensor(tensor);
        let hash = |indices: &[i64]| {
            indices.iter().fold(mix(mix(self.point.seed) ^ tensor.index() as u64), |hash, &index| mix(hash ^ index as u64))
        };
        if description.label {
            let (class, lead) = indices.split_last().map_or((0, indices), |(class, lead)| (*class, lead));
            let classes = description.shape.last().copied().unwrap_or(1).max(1) as u64;
            return f64::from(u8::from(class as u64 == hash(lead) % classes));
        }
        let hash = hash(indices);
        let hundredths = |least: i64, most: i64| (least + (hash % (most - least + 1) as u64) as i64) as f64 / 100.0;
        match (description.role, &self.point.kind) {
            (Role::BatchSize, _) => (3 + hash % 5) as f64,
            (Role::UpdateNumber, _) => (2 + hash % 7) as f64,
            (Role::Target | Role::Noise | Role::State { .. }, _) => hundredths(5, 95),
            (_, Kind::Signed) => {
                let value = hundredths(-100, 99);
                // 0 hides factors.
                if value < 0.0 { value } else { value + 0.01 }
            }
            (_, Kind::Positive) => hundredths(5, 95),
            (_, Kind::Meeting(numbers)) => numbers[(hash % numbers.len().max(1) as u64) as usize],
        }
    }
}

impl Bindings for Values<'_> {
    fn element(&self, tensor: TensorId, indices: &[i64]) -> Option<f64> {
        // The minibatch is one example: a term in data stands for its mean.
        if let Role::BatchMean { of } = self.context.tensor(tensor).role {
            return self.element(of, indices);
        }
        let Some(equation) = self.equations.get(&tensor) else { return Some(self.given(tensor, indices)) };
        let key = (tensor, indices.to_vec());
        if let Some(&value) = self.point.values.borrow().get(&key) {
            return Some(value);
        }
        let at: Vec<(IndexId, i64)> = equation.indices.iter().copied().zip(indices.iter().copied()).collect();
        let value = evaluate(self.context, self, &at, equation.value).ok()?;
        self.point.values.borrow_mut().insert(key, value);
        Some(value)
    }
}
