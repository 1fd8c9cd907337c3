//! Training with the generic engine, epoch by epoch.

use crate::dataset::{Column, Dataset, accuracy, minibatches};
use crate::derivation::Derivation;
use crate::evaluation::{batch_of, parameters_of};
use crate::generic::{Batch, DataError, Engine, EngineError, Parameters, Scalar, State};
use crate::model::Model;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::Rng;
use std::fmt;

/// A net that is being trained.
#[derive(Debug)]
pub struct Training<'a, T> {
    model: &'a Model,
    engine: Engine<T>,
    parameters: Parameters<T>,
    state: State<T>,
    train: Batch<T>,
    test: Batch<T>,
    test_data: Dataset,
    minibatch: usize,
    random: Xoshiro256PlusPlus,
}

/// What came of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// The mean loss of the training examples, each just before the update it took part in; without regularizers.
    pub loss: f64,
    /// The mean loss of the test examples after the epoch, without regularizers.
    pub test_loss: f64,
    /// The share of test examples that the net gets right, where that is a question.
    pub test_accuracy: Option<f64>,
}

/// Why training stops.
#[derive(Debug)]
pub enum TrainingError {
    /// The engine cannot run the net.
    Engine(EngineError),
    /// The engine does not take the data.
    Data(DataError),
    /// The loss is infinite or not a number.
    Diverged {
        /// After so many updates.
        updates: u64,
    },
}

impl fmt::Display for TrainingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrainingError::Engine(error) => error.fmt(f),
            TrainingError::Data(error) => error.fmt(f),
            TrainingError::Diverged { updates } => {
                write!(f, "after {updates} updates the loss is not a finite number; a smaller rate or scaled inputs may help")
            }
        }
    }
}

impl std::error::Error for TrainingError {}

impl From<DataError> for TrainingError {
    fn from(error: DataError) -> Self {
        TrainingError::Data(error)
    }
}

impl<'a, T: Scalar> Training<'a, T> {
    /// Begins with given parameters, or with those drawn by `seed`. `random` decides the order of the examples and the noise.
    ///
    /// # Errors
    /// Where the engine cannot run the net, or does not take data or parameters.
    pub fn new(
        derivation: &'a Derivation,
        start: Start<'_>,
        train: &Dataset,
        test: Dataset,
        minibatch: usize,
        mut random: Xoshiro256PlusPlus,
    ) -> Result<Self, TrainingError> {
        let model = &derivation.model;
        let engine = Engine::new(derivation).map_err(TrainingError::Engine)?;
        let parameters = match start {
            Start::Seed(seed) => engine.initialize(seed),
            Start::Parameters(parameters) => parameters_of(&engine, model, parameters)?,
        };
        let (mut state, train) = (engine.state(), batch_of(&engine, model, train)?);
        if !model.noises.is_empty() {
            state.seed_noise(random.next_u64());
        }
        let test_batch = batch_of(&engine, model, &test)?;
        Ok(Training { model, engine, parameters, state, train, test: test_batch, test_data: test, minibatch, random })
    }

    /// Trains with every example once.
    ///
    /// # Errors
    /// Where the loss ceases to be a finite number.
    pub fn epoch(&mut self) -> Result<Epoch, TrainingError> {
        let all: Vec<usize> = (0..self.train.examples()).collect();
        let mut sum = 0.0;
        for minibatch in minibatches(&all, self.minibatch, &mut self.random) {
            let batch = self.train.select(&minibatch)?;
            let loss = self.engine.train(&mut self.parameters, &mut self.state, &batch)?.into_f64();
            if !loss.is_finite() {
                return Err(TrainingError::Diverged { updates: self.state.updates() });
            }
            sum += loss * minibatch.len() as f64;
        }
        let forward = self.engine.forward(&self.parameters, &self.test)?;
        let test_loss = forward.loss.iter().map(|loss| loss.into_f64()).sum::<f64>() / self.test.examples() as f64;
        let targets: Vec<&Column> = self.test_data.columns_of(&self.model.targets);
        let test_accuracy = match &forward.outputs[..] {
            [output] => {
                let values: Vec<f64> = output.values.iter().map(|value| value.into_f64()).collect();
                accuracy(&targets, &values, values.len() / self.test.examples())
            }
            _ => None,
        };
        Ok(Epoch { loss: sum / all.len() as f64, test_loss, test_accuracy })
    }

    /// The elements of each parameter, in the order of the model.
    ///
    /// # Errors
    /// Where one is no finite number any more.
    pub fn parameters(&self) -> Result<Vec<Vec<f64>>, TrainingError> {
        if self.parameters.check_finite().is_err() {
            return Err(TrainingError::Diverged { updates: self.state.updates() });
        }
        Ok(self.parameters.iter().map(|array| array.values.iter().map(|value| value.into_f64()).collect()).collect())
    }
}

/// Where training begins.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// With parameters drawn with this seed.
    Seed(u64),
    /// With these, the elements of each in the order of the model.
    Parameters(&'a [Vec<f64>]),
}
