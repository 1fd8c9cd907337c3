//! Every line of a derivation is an equality; this checks that it is one, by evaluating both sides.
//!
//! Inputs, parameters and targets get values that look random, forward values and adjoints those that their equations give
//! them, and each step of each record must then have the value of the step before, at several places.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::calculus::Step;
use crate::derivation::Derivation;
use crate::equation::{Bindings, Equation, EvaluationError, ExprId, IndexId, Role, TensorId, evaluate};

/// How far two values of one expression may differ, relative to the greater.
pub const TOLERANCE: f64 = 1e-7;

/// How many places of each step are looked at.
const PLACES: u64 = 4;

/// Two sides of an equality that have different values.
#[derive(Clone, Debug)]
pub struct Discrepancy {
    /// The number of the equation whose derivation it is.
    pub equation: u32,
    /// The name of the rule that made the second side of the first.
    pub rule: &'static str,
    /// The sides.
    pub sides: (ExprId, ExprId),
    /// Their values.
    pub values: (f64, f64),
}

/// What an audit found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many equalities were checked.
    pub checked: usize,
    /// Those that do not hold.
    pub discrepancies: Vec<Discrepancy>,
}

/// Checks every step of a derivation, and that what is computed equals what is printed.
pub fn audit(derivation: &Derivation, seed: u64) -> Report {
    let mut report = Report::default();
    let point = Point::new(derivation, seed, false);
    let normalized = Point::new(derivation, seed, true);
    for equation in &derivation.forward {
        point.compare(&mut report, equation.number, "computed", equation.value, equation.computed);
    }
    for adjoint in &derivation.backward {
        let Equation { number, value, computed, .. } = adjoint.equation;
        for factor in &adjoint.record.factors {
            point.compare_steps(&mut report, number, &factor.steps);
        }
        // The first step names partial derivatives; with the factors known it is the second.
        point.compare_steps(&mut report, number, adjoint.record.steps.get(1..).unwrap_or_default());
        point.compare(&mut report, number, "computed", value, computed);
        if let Some(special) = &adjoint.record.special_case {
            normalized.compare(&mut report, number, special.rule, value, special.value);
        }
    }
    for gradient in &derivation.gradient {
        let steps = &gradient.record.steps;
        point.compare_steps(&mut report, gradient.equation.number, &steps[..steps.len().saturating_sub(1)]);
    }
    report
}

/// Values for all tensors.
struct Point<'a> {
    derivation: &'a Derivation,
    equations: HashMap<TensorId, &'a Equation>,
    seed: u64,
    /// Whether targets that are not labels sum to 1 over their last axis.
    normalized: bool,
    known: RefCell<HashMap<(TensorId, Vec<i64>), f64>>,
}

impl<'a> Point<'a> {
    fn new(derivation: &'a Derivation, seed: u64, normalized: bool) -> Self {
        let equations = (derivation.forward.iter())
            .chain(derivation.backward.iter().map(|adjoint| &adjoint.equation))
            .chain(&derivation.model.constants)
            .map(|equation| (equation.target, equation))
            .collect();
        let point = Point { derivation, equations, seed, normalized, known: RefCell::default() };
        // Values are found when they are asked for, through the equations they need. Asking in the order of the equations keeps
        // that shallow in a deep network.
        let backward = derivation.backward.iter().map(|adjoint| &adjoint.equation);
        for equation in derivation.forward.iter().chain(backward) {
            point.element(equation.target, &vec![0; equation.indices.len()]);
        }
        point
    }

    fn compare_steps(&self, report: &mut Report, equation: u32, steps: &[Step]) {
        for pair in steps.windows(2) {
            self.compare(report, equation, pair[1].rule, pair[0].value, pair[1].value);
        }
    }

    fn compare(&self, report: &mut Report, equation: u32, rule: &'static str, left: ExprId, right: ExprId) {
        if left == right {
            return;
        }
        report.checked += 1;
        let context = &self.derivation.model.context;
        let mut free = context.free_indices(left);
        free.extend(context.free_indices(right));
        for place in 0..PLACES {
            let at: Vec<(IndexId, i64)> = free
                .iter()
                .map(|&index| {
                    let range = context.index_of(index);
                    let offset = mix(self.seed ^ mix(place + 31 * index.index() as u64)) % range.extent().max(1) as u64;
                    (index, range.start + offset as i64)
                })
                .collect();
            let values = (evaluate(context, self, &at, left), evaluate(context, self, &at, right));
            let (Ok(left_value), Ok(right_value)) = values else { continue };
            let scale = 1.0 + left_value.abs().max(right_value.abs());
            let same = (left_value - right_value).abs() <= TOLERANCE * scale
                || left_value == right_value
                // Where the first side has no value (the logarithm of a negative number), the second need not have one.
                || !left_value.is_finite();
            if !same {
                let discrepancy = Discrepancy { equation, rule, sides: (left, right), values: (left_value, right_value) };
                report.discrepancies.push(discrepancy);
                return;
            }
        }
    }

    /// A value that looks random: labels one-hot, noise and targets in 0..1, all else in -1..1.
    fn leaf(&self, tensor: TensorId, indices: &[i64]) -> f64 {
        let context = &self.derivation.model.context;
        let description = context.tensor(tensor);
        let hash = |indices: &[i64]| {
            indices.iter().fold(mix(self.seed ^ (tensor.index() as u64) << 32), |hash, &index| mix(hash ^ index as u64))
        };
        let unit = |indices: &[i64]| (hash(indices) >> 11) as f64 / (1u64 << 53) as f64;
        if description.label {
            let (class, lead) = indices.split_last().map_or((0, indices), |(class, lead)| (*class, lead));
            let classes = description.shape.last().copied().unwrap_or(1) as u64;
            return f64::from(u8::from(class as u64 == hash(lead) % classes));
        }
        match description.role {
            Role::BatchSize => 5.0,
            Role::UpdateNumber => 3.0,
            Role::Target if self.normalized && !indices.is_empty() => {
                let mut place = indices.to_vec();
                let last = place.len() - 1;
                let total: f64 = (0..description.shape[last] as i64)
                    .map(|index| {
                        place[last] = index;
                        unit(&place)
                    })
                    .sum();
                unit(indices) / total
            }
            Role::Target | Role::Noise => unit(indices),
            _ => 2.0 * unit(indices) - 1.0,
        }
    }
}

impl Bindings for Point<'_> {
    fn element(&self, tensor: TensorId, indices: &[i64]) -> Option<f64> {
        let Some(equation) = self.equations.get(&tensor) else { return Some(self.leaf(tensor, indices)) };
        let key = (tensor, indices.to_vec());
        if let Some(&value) = self.known.borrow().get(&key) {
            return Some(value);
        }
        let at: Vec<(IndexId, i64)> = equation.indices.iter().copied().zip(indices.iter().copied()).collect();
        let value: Result<f64, EvaluationError> = evaluate(&self.derivation.model.context, self, &at, equation.value);
        let value = value.ok()?;
        self.known.borrow_mut().insert(key, value);
        Some(value)
    }
}

/// A bijection of 64-bit integers that scatters them: the finalizer of `SplitMix64` (Steele, Lea, Flood 2014, figure 15).
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
