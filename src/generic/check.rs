//! Gradients against central differences: the derivation compared with nothing but its own forward pass.

use std::collections::BTreeSet;
use std::fmt;

use ndarray::{ArrayD, Dimension, IxDyn};

use super::data::{Batch, DataError, Values};
use super::decisions::Decisions;
use super::parameters::{Parameters, Sampler};
use super::{Engine, EngineError};
use crate::calculus::{Condition, Record};
use crate::derivation::Derivation;
use crate::equation::{Role, Tensor, TensorId};
use crate::model::Distribution;

/// Examples of the minibatch that is checked: more than one, so that a mean differs from a sum.
const EXAMPLES: usize = 3;
/// Elements of each tensor that are compared.
const ELEMENTS: usize = 6;
/// Equations that are computed for difference quotients, about: where all tensors take more, some of each rule are compared.
const EVALUATIONS: usize = 400_000;
/// How often other random numbers are tried where the objective is not finite.
const POINTS: u64 = 8;
/// Steps of the differences, relative to the element, the next where the one before meets a kink. The quotients of a step and
/// of its half are extrapolated, which leaves an error of the fourth order.
const STEPS: [f64; 3] = [2e-4, 2e-5, 2e-6];
/// The most that a relative error may be.
const TOLERANCE: f64 = 1e-6;

/// The comparison of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientCheck {
    /// The tensor by which is differentiated.
    pub tensor: String,
    /// How many elements were compared.
    pub compared: usize,
    /// How many could not be, since a comparison in the network changes sides beside them.
    pub at_kinks: usize,
    /// The greatest relative error.
    pub error: f64,
    /// Where it is; for data, the example comes first.
    pub index: Vec<usize>,
    /// The derivation's value there.
    pub analytic: f64,
    /// The difference quotient there.
    pub numeric: f64,
}

impl GradientCheck {
    /// Whether the derivation agrees with the difference quotients. A NaN does not.
    pub fn passes(&self) -> bool {
        self.error <= TOLERANCE
    }
}

/// The comparison of all tensors.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientReport {
    /// One for each trained parameter, or for each tensor of `objective … by …`; for a deep net, some of each rule.
    pub checks: Vec<GradientCheck>,
    /// How many tensors there are to differentiate by; more than were compared where that would take long.
    pub tensors: usize,
}

impl GradientReport {
    /// Whether all agree.
    pub fn passes(&self) -> bool {
        self.checks.iter().all(GradientCheck::passes)
    }

    /// The greatest relative error.
    pub fn error(&self) -> f64 {
        self.checks
            .iter()
            .fold(0.0, |greatest, check| if check.error > greatest || check.error.is_nan() { check.error } else { greatest })
    }
}

impl fmt::Display for GradientReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let GradientCheck { tensor, compared, at_kinks, error, index, analytic, numeric } = check;
            write!(f, "{tensor}: {compared} elements compared, greatest relative error {error:.1e}")?;
            if *at_kinks > 0 {
                write!(f, ", {at_kinks} beside a kink left out")?;
            }
            if !check.passes() {
                write!(f, "; at {index:?} the derivation gives {analytic}, the difference quotient {numeric}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Why gradients could not be compared.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckError {
    /// The engine cannot run the derivation.
    Engine(EngineError),
    /// The engine refused the random data.
    Data(DataError),
    /// No random point was found where the objective is finite.
    NotFinite,
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CheckError::Engine(error) => error.fmt(f),
            CheckError::Data(error) => error.fmt(f),
            CheckError::NotFinite => write!(f, "the objective is not finite at {POINTS} random points"),
        }
    }
}

impl std::error::Error for CheckError {}

impl From<EngineError> for CheckError {
    fn from(error: EngineError) -> Self {
        CheckError::Engine(error)
    }
}

impl From<DataError> for CheckError {
    fn from(error: DataError) -> Self {
        CheckError::Data(error)
    }
}

/// Compares the derivatives of a derivation with central differences, at a random point and a few random elements of each tensor.
///
/// # Errors
/// Where the derivation cannot be run, or its objective is nowhere finite.
pub fn check_gradients(derivation: &Derivation, seed: u64) -> Result<GradientReport, CheckError> {
    let engine = Engine::<f64>::new(derivation)?;
    let by_objective = derivation.model.objective.is_some();
    for attempt in 0..POINTS {
        let mut sampler = Sampler::new(seed.wrapping_add(attempt));
        let mut point = Point::draw(derivation, &engine, &mut sampler, attempt % 2 == 1)?;
        let (value, _) = point.value(None)?;
        let analytic: Vec<(TensorId, ArrayD<f64>)> = if by_objective {
            let by = derivation.model.objective.iter().flat_map(|objective| objective.by.iter().copied());
            by.zip(engine.derivatives(&point.parameters, &point.batch)?.into_iter().map(|named| named.values)).collect()
        } else {
            let gradients = engine.gradient(&point.parameters, &point.batch)?.gradient.arrays;
            derivation
                .gradient
                .iter()
                .map(|gradient| gradient.parameter)
                .zip(gradients.into_iter().map(|named| named.values))
                .collect()
        };
        if !value.is_finite() {
            continue;
        }
        let chosen = chosen(derivation, analytic.len());
        let checks = analytic
            .iter()
            .zip(chosen)
            .filter_map(|(tensor, is_chosen)| is_chosen.then_some(tensor))
            .map(|(tensor, values)| point.check(derivation, *tensor, values, by_objective, &mut sampler))
            .collect::<Result<_, _>>()?;
        return Ok(GradientReport { checks, tensors: analytic.len() });
    }
    Err(CheckError::NotFinite)
}

/// Which tensors are compared: all of them, or of a deep net the first of each rule and others at equal distances.
fn chosen(derivation: &Derivation, count: usize) -> Vec<bool> {
    // An element takes at most two quotients of two values a step.
    let for_each = derivation.forward.len().saturating_mul(ELEMENTS * 4);
    let affordable = (EVALUATIONS / for_each.max(1)).max(1);
    let stride = count.div_ceil(affordable);
    let mut rules = BTreeSet::new();
    let is_first = |at: usize| derivation.gradient.get(at).is_some_and(|gradient| rules.insert(gradient.equation.number));
    (0..count).map(is_first).enumerate().map(|(at, is_first)| is_first || at % stride == 0 || at + 1 == count).collect()
}

/// Random parameters and data.
struct Point<'a> {
    engine: &'a Engine<f64>,
    parameters: Parameters<f64>,
    batch: Batch<f64>,
}

impl<'a> Point<'a> {
    fn draw(
        derivation: &Derivation,
        engine: &'a Engine<f64>,
        sampler: &mut Sampler,
        positive_inputs: bool,
    ) -> Result<Self, CheckError> {
        let model = &derivation.model;
        let mut parameters = engine.initialize((sampler.uniform() * 1e9) as u64);
        for (parameter, array) in model.parameters.iter().zip(&mut parameters.arrays) {
            // Equal elements would hide a mistake in their order.
            if matches!(parameter.initial, Distribution::Constant(_)) {
                array.values.mapv_inplace(|value| value + 0.1 * sampler.normal());
            }
        }
        let data = model.context.tensors().filter(|(_, tensor)| matches!(tensor.role, Role::Input | Role::Target | Role::Noise));
        let mut values = Vec::new();
        for (id, tensor) in data {
            if let Some(noise) = model.noises.iter().find(|noise| noise.tensor == id) {
                let shape: Vec<usize> = std::iter::once(EXAMPLES).chain(tensor.shape.iter().copied()).collect();
                values.push((tensor.name.clone(), Values::Numbers(sampler.array(noise.distribution, &shape))));
                continue;
            }
            let is_normal = tensor.role == Role::Input && !positive_inputs;
            values.push((tensor.name.clone(), draw_data(tensor, sampler, is_normal, must_sum_to_one(derivation, id))));
        }
        Ok(Point { engine, parameters, batch: engine.batch(values)? })
    }

    /// The objective, or the value of one example, and the decisions on the way.
    fn value(&self, example: Option<usize>) -> Result<(f64, Decisions), DataError> {
        let mut decisions = Decisions::new();
        let value = match example {
            None => self.engine.objective_with(&self.parameters, &self.batch, Some(&mut decisions))?,
            Some(example) => self.engine.value_with(&self.parameters, &self.batch, &mut decisions)?[[example].as_slice()],
        };
        Ok((value, decisions))
    }

    fn element(&mut self, tensor: TensorId, name: &str, index: &[usize]) -> Option<&mut f64> {
        match self.parameters.arrays.iter().position(|array| array.name == name) {
            Some(at) => self.parameters.arrays[at].values.get_mut(index),
            None => self.batch.number_mut(tensor, index),
        }
    }

    /// Compares a few elements of one tensor. With `per_example`, the first axis of `analytic` are the examples.
    fn check(
        &mut self,
        derivation: &Derivation,
        tensor: TensorId,
        analytic: &ArrayD<f64>,
        per_example: bool,
        sampler: &mut Sampler,
    ) -> Result<GradientCheck, CheckError> {
        let context = &derivation.model.context;
        let Tensor { name, role, .. } = context.tensor(tensor);
        let mut check = GradientCheck {
            tensor: name.clone(),
            compared: 0,
            at_kinks: 0,
            error: 0.0,
            index: Vec::new(),
            analytic: 0.0,
            numeric: 0.0,
        };
        let greatest = analytic.fold(0.0, |greatest: f64, value| greatest.max(value.abs()));
        for _ in 0..ELEMENTS.min(analytic.len()) {
            let place = IxDyn(&analytic.shape().iter().map(|&extent| sampler.below(extent)).collect::<Vec<_>>());
            let example = per_example.then(|| place[0]);
            // A parameter is the same for all examples; data has an element for each.
            let element = if per_example && *role == Role::Parameter { &place.slice()[1..] } else { place.slice() };
            let Some((numeric, noise)) = self.difference_quotient(tensor, name, element, example)? else {
                check.at_kinks += 1;
                continue;
            };
            let analytic = analytic[place.slice()];
            let scale = analytic.abs().max(numeric.abs()).max(1e-3 * greatest).max(noise / (0.1 * TOLERANCE));
            let error = if scale == 0.0 { 0.0 } else { (analytic - numeric).abs() / scale };
            check.compared += 1;
            if check.compared == 1 || error > check.error || error.is_nan() {
                let index = place.slice().to_vec();
                check = GradientCheck { error, index, analytic, numeric, ..check };
            }
        }
        Ok(check)
    }

    /// The derivative by one element, extrapolated from two steps, and its error by rounding; `None` beside a kink.
    fn difference_quotient(
        &mut self,
        tensor: TensorId,
        name: &str,
        element: &[usize],
        example: Option<usize>,
    ) -> Result<Option<(f64, f64)>, CheckError> {
        let Some(&mut middle) = self.element(tensor, name, element) else { return Ok(None) };
        let (value, decisions) = self.value(example)?;
        for step in STEPS {
            let step = step * middle.abs().max(1.0);
            let mut values = [0.0; 4];
            let mut is_smooth = true;
            for (value, offset) in values.iter_mut().zip([step, -step, step / 2.0, -step / 2.0]) {
                if let Some(moved) = self.element(tensor, name, element) {
                    *moved = middle + offset;
                }
                let (moved_value, moved_decisions) = self.value(example)?;
                *value = moved_value;
                is_smooth = is_smooth && moved_decisions == decisions;
            }
            if let Some(moved) = self.element(tensor, name, element) {
                *moved = middle;
            }
            if is_smooth {
                let (whole, half) = ((values[0] - values[1]) / (2.0 * step), (values[2] - values[3]) / step);
                return Ok(Some(((4.0 * half - whole) / 3.0, f64::EPSILON * value.abs() / step)));
            }
        }
        Ok(None)
    }
}

/// Whether the derivation assumes of a target that its elements sum to 1.
fn must_sum_to_one(derivation: &Derivation, target: TensorId) -> bool {
    let records = (derivation.backward.iter().map(|adjoint| &adjoint.record))
        .chain(derivation.gradient.iter().map(|gradient| &gradient.record));
    let mut steps =
        records.flat_map(|Record { factors, steps, .. }| steps.iter().chain(factors.iter().flat_map(|factor| &factor.steps)));
    steps.any(|step| step.condition == Some(Condition::SumsToOne(target)))
}

/// Labels; else numbers, normal or between 0 and 1, as probabilities want it.
fn draw_data(tensor: &Tensor, sampler: &mut Sampler, is_normal: bool, sums_to_one: bool) -> Values<f64> {
    let mut shape = vec![EXAMPLES];
    shape.extend(&tensor.shape);
    if tensor.label {
        let classes = shape.pop().unwrap_or(1);
        return Values::Labels(ArrayD::from_shape_simple_fn(IxDyn(&shape), || sampler.below(classes)));
    }
    let mut numbers =
        ArrayD::from_shape_simple_fn(IxDyn(&shape), || if is_normal { sampler.normal() } else { 0.05 + 0.9 * sampler.uniform() });
    if sums_to_one {
        for mut row in numbers.rows_mut() {
            let sum = row.sum();
            row.mapv_inplace(|value| value / sum);
        }
    }
    Values::Numbers(numbers)
}
