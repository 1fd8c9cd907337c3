//! Training with the generic engine.

use super::data::Data;
use super::report::Results;
use deltarule_compiler::allocations;
use deltarule_compiler::dataset::accuracy;
use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::evaluation::batch_of;
use deltarule_compiler::generic::{Batch, DataError, Engine, Parameters, State};
use std::error::Error;
use std::time::{Duration, Instant};

pub(crate) struct Trainer<'a> {
    derivation: &'a Derivation,
    digits: &'a Data,
    engine: Engine<f32>,
    parameters: Parameters<f32>,
    state: State<f32>,
    train: Batch<f32>,
    test: Batch<f32>,
    steps: u32,
    elapsed: Duration,
    allocations: u64,
}

impl<'a> Trainer<'a> {
    /// Starts from given parameters.
    pub(crate) fn new(derivation: &'a Derivation, start: &[f32], digits: &'a Data) -> Result<Trainer<'a>, Box<dyn Error>> {
        let engine = Engine::new(derivation)?;
        let mut parameters = engine.initialize(0);
        let mut rest = start;
        let shapes: Vec<_> = parameters.iter().map(|array| (array.name.clone(), array.values.raw_dim())).collect();
        for (name, shape) in shapes {
            let (values, others) = rest.split_at(ndarray::Dimension::size(&shape));
            parameters.set(&name, ndarray::ArrayD::from_shape_vec(shape, values.to_vec())?)?;
            rest = others;
        }
        Ok(Trainer {
            state: engine.state(),
            train: batch_of(&engine, &derivation.model, &digits.train)?,
            test: batch_of(&engine, &derivation.model, &digits.test)?,
            derivation,
            digits,
            engine,
            parameters,
            steps: 0,
            elapsed: Duration::ZERO,
            allocations: 0,
        })
    }

    pub(crate) fn parameters(&self) -> Vec<f32> {
        self.parameters.to_vec()
    }

    /// One update with these examples. Collecting them is no part of what is measured.
    pub(crate) fn step(&mut self, minibatch: &[usize]) -> Result<(), DataError> {
        let batch = self.train.select(minibatch)?;
        let (allocations, start) = (allocations::count(), Instant::now());
        self.engine.train(&mut self.parameters, &mut self.state, &batch)?;
        self.elapsed += start.elapsed();
        self.allocations += allocations::count() - allocations;
        self.steps += 1;
        Ok(())
    }

    pub(crate) fn results(&self) -> Result<Results, DataError> {
        let forward = self.engine.forward(&self.parameters, &self.test)?;
        let outputs: Vec<f64> = forward.outputs[0].values.iter().map(|&value| f64::from(value)).collect();
        let targets = self.digits.test.columns_of(&self.derivation.model.targets);
        Ok(Results {
            accuracy: accuracy(&targets, &outputs, 10).unwrap_or(0.0),
            loss: f64::from(forward.loss.mean().unwrap_or(0.0)),
            step: self.elapsed / self.steps.max(1),
            allocations: self.allocations,
            parameter_bytes: 4 * self.parameters.count(),
            scratch_bytes: None,
        })
    }
}
