//! Generated against generic code: the same net, parameters and data in both engines, compared and timed in turn.

use crate::allocations;
use crate::dataset::{Column, Dataset, classes, data_shape};
use crate::derivation::Derivation;
use crate::emit::ScalarType;
use crate::equation::TensorId;
use crate::evaluation::{Differences, Evaluation, batch_of, evaluate, parameters_of};
use crate::generic::{Batch, DataError, Engine, EngineError, Parameters, Scalar, State};
use crate::model::Model;
use crate::scratch::{Driver, Runtime, ScratchError, Sizes, evaluate_generated};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use std::fmt;
use std::time::Instant;

/// How long each engine is timed in one repeat, at least.
const REPEAT_NANOSECONDS: f64 = 5e7;

/// The most steps of one repeat.
const MOST_STEPS: usize = 1 << 20;

/// Updates after which parameters are compared.
const COMPARED_STEPS: usize = 3;

/// What is compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The type of all numbers.
    pub scalar: ScalarType,
    /// The sizes of minibatches.
    pub minibatches: Vec<usize>,
    /// How often each engine is timed.
    pub repeats: usize,
    /// Decides parameters and data.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The largest differences in all minibatches, the parameters after a few updates included.
    pub differences: Differences,
    /// What a training step costs with each size of minibatch; empty where nothing is trained.
    pub timings: Vec<Timing>,
    /// The sizes of generated types.
    pub sizes: Sizes,
}

/// What a training step of one minibatch costs in each engine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// The examples of the minibatch.
    pub minibatch: usize,
    /// In generated code.
    pub generated: Cost,
    /// In the generic engine.
    pub generic: Cost,
}

/// What one step costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Time, the median of all repeats.
    pub nanoseconds: f64,
    /// Time, the least of all repeats.
    pub least_nanoseconds: f64,
    /// Heap allocations; 0 for the generic engine where the process does not count them.
    pub allocations: f64,
}

/// Why a comparison is not possible.
#[derive(Debug)]
pub enum ComparisonError {
    /// The generated code cannot be built or run.
    Scratch(ScratchError),
    /// The generic engine cannot run the net.
    Engine(EngineError),
    /// The generic engine refused the data.
    Data(DataError),
}

impl fmt::Display for ComparisonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ComparisonError::Scratch(error) => error.fmt(f),
            ComparisonError::Engine(error) => write!(f, "error: {error}"),
            ComparisonError::Data(error) => write!(f, "error: {error}"),
        }
    }
}

impl std::error::Error for ComparisonError {}

impl From<ScratchError> for ComparisonError {
    fn from(error: ScratchError) -> Self {
        ComparisonError::Scratch(error)
    }
}

impl From<EngineError> for ComparisonError {
    fn from(error: EngineError) -> Self {
        ComparisonError::Engine(error)
    }
}

impl From<DataError> for ComparisonError {
    fn from(error: DataError) -> Self {
        ComparisonError::Data(error)
    }
}

/// Builds the generated code and compares it with the generic engine.
///
/// # Errors
/// Where one of them cannot run the net.
pub fn compare(derivation: &Derivation, settings: &Settings, runtime: &Runtime) -> Result<Comparison, ComparisonError> {
    let mut driver = Driver::start(derivation, settings.scalar, runtime)?;
    match settings.scalar {
        ScalarType::F32 => compare_in::<f32>(derivation, settings, &mut driver),
        ScalarType::F64 => compare_in::<f64>(derivation, settings, &mut driver),
    }
}

fn compare_in<T: Scalar>(
    derivation: &Derivation,
    settings: &Settings,
    driver: &mut Driver,
) -> Result<Comparison, ComparisonError> {
    let model = &derivation.model;
    let engine = Engine::<T>::new(derivation)?;
    let parameters: Vec<Vec<f64>> = (engine.initialize(settings.seed).iter())
        .map(|array| array.values.iter().map(|value| value.into_f64()).collect())
        .collect();
    let trains = model.loss.is_some() && !model.optimizers.is_empty();
    let steps = if trains { COMPARED_STEPS } else { 0 };
    let (mut differences, mut timings) = (Differences::default(), Vec::new());
    for &minibatch in &settings.minibatches {
        let examples = random_examples(model, minibatch, settings.seed);
        let generated: Evaluation = evaluate_generated(driver, derivation, &parameters, &examples, steps)?;
        let generic = evaluate(&engine, derivation, &parameters, &examples, steps)?;
        differences = differences.or_larger(Differences::between(&generated, &generic));
        if trains {
            let mut run = GenericRun {
                parameters: parameters_of(&engine, model, &parameters)?,
                batch: batch_of(&engine, model, &examples)?,
                state: engine.state(),
                engine: &engine,
            };
            let (generated, generic) = time(driver, &mut run, settings.repeats)?;
            timings.push(Timing { minibatch, generated, generic });
        }
    }
    Ok(Comparison { differences, timings, sizes: driver.sizes()? })
}

/// A net that the generic engine trains.
struct GenericRun<'a, T> {
    engine: &'a Engine<T>,
    parameters: Parameters<T>,
    state: State<T>,
    batch: Batch<T>,
}

impl<T: Scalar> GenericRun<'_, T> {
    /// The nanoseconds and heap allocations of so many steps.
    fn time(&mut self, steps: usize) -> Result<(u64, u64), DataError> {
        let (allocations, start) = (allocations::count(), Instant::now());
        for _ in 0..steps {
            self.engine.train(&mut self.parameters, &mut self.state, &self.batch)?;
        }
        let nanoseconds = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Ok((nanoseconds, allocations::count() - allocations))
    }
}

/// Times both engines in turn, so that what disturbs the machine disturbs both.
fn time<T: Scalar>(
    driver: &mut Driver,
    generic: &mut GenericRun<'_, T>,
    repeats: usize,
) -> Result<(Cost, Cost), ComparisonError> {
    let enough = |(nanoseconds, _): (u64, u64), steps: usize| {
        let more = REPEAT_NANOSECONDS / (nanoseconds as f64 / steps as f64).max(1.0);
        (more as usize).clamp(1, MOST_STEPS)
    };
    let generated_steps = enough(driver.time(10)?, 10);
    let generic_steps = enough(generic.time(10)?, 10);
    let (mut generated_times, mut generic_times) = (Vec::new(), Vec::new());
    for _ in 0..repeats {
        generated_times.push(driver.time(generated_steps)?);
        generic_times.push(generic.time(generic_steps)?);
    }
    Ok((cost(&generated_times, generated_steps), cost(&generic_times, generic_steps)))
}

fn cost(times: &[(u64, u64)], steps: usize) -> Cost {
    let sorted = |values: &mut dyn Iterator<Item = u64>| {
        let mut values: Vec<u64> = values.collect();
        values.sort_unstable();
        values
    };
    let per_step = |total: u64| total as f64 / steps as f64;
    let nanoseconds = sorted(&mut times.iter().map(|time| time.0));
    let allocations = sorted(&mut times.iter().map(|time| time.1));
    Cost {
        nanoseconds: per_step(nanoseconds[nanoseconds.len() / 2]),
        least_nanoseconds: per_step(nanoseconds[0]),
        allocations: per_step(allocations[allocations.len() / 2]),
    }
}

/// Random data that every loss takes: inputs from -1 to 1, targets positive, those of one tensor adding up to 1 for each example; labels of
/// all classes.
pub fn random_examples(model: &Model, count: usize, seed: u64) -> Dataset {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x5eed_0fda_7a00_0000);
    let mut uniform = move || (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    let mut column = |id: TensorId, is_target: bool| {
        let tensor = model.context.tensor(id);
        let shape = data_shape(tensor);
        let size: usize = shape.iter().product();
        let mut values: Vec<f64> = (0..count * size).map(|_| uniform()).collect();
        match (tensor.label, is_target) {
            (true, _) => values.iter_mut().for_each(|value| *value = (*value * classes(tensor) as f64).floor()),
            (false, false) => values.iter_mut().for_each(|value| *value = 2.0 * *value - 1.0),
            (false, true) if size > 1 => values.chunks_mut(size).for_each(|example| {
                let sum: f64 = example.iter().sum();
                example.iter_mut().for_each(|value| *value /= sum);
            }),
            (false, true) => {}
        }
        Column { tensor: id, shape, label: tensor.label, values }
    };
    let mut columns: Vec<Column> = model.inputs.iter().map(|&id| column(id, false)).collect();
    columns.extend(model.targets.iter().map(|&id| column(id, true)));
    Dataset { count, columns }
}
