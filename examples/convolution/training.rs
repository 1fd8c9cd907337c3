//! Training with generated code, the same for every net.

use super::mnist::{Digits, Image};
use deltarule::{Boxed, Trainable};
use deltarule_compiler::dataset::minibatches;
use indicatif::{ProgressBar, ProgressStyle};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use std::error::Error;
use std::time::{Duration, Instant};

/// As the assignment asks.
const MINIBATCH: usize = 16;

/// How often the net is tested while it goes through the digits once.
const TESTS_PER_EPOCH: usize = 4;

/// How a net did.
pub(crate) struct Results {
    pub(crate) name: &'static str,
    pub(crate) parameters: usize,
    /// From the first test to the last.
    pub(crate) points: Vec<Point>,
    /// The time of all updates together.
    pub(crate) training: Duration,
}

/// Where a net stands after some training.
#[derive(Clone, Copy)]
pub(crate) struct Point {
    /// How often it has seen each training digit.
    pub(crate) epochs: f64,
    /// The mean loss of the training digits since the point before, each just before the update it took part in.
    pub(crate) loss: f64,
    /// The share of test digits that it gets right.
    pub(crate) accuracy: f64,
}

/// Trains a net from the start.
pub(crate) fn train<N>(train: &Digits, test: &Digits, epochs: usize, seed: u64) -> Result<Results, Box<dyn Error>>
where
    N: Trainable<Scalar = f32, Input = Image, Target = usize, Output = [f32; 10]>,
{
    let mut net = N::boxed();
    net.initialize(seed);
    let (mut state, mut scratch, mut values) = (N::State::boxed(), N::Scratch::boxed(), N::Values::boxed());
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let examples: Vec<usize> = (0..train.labels.len()).collect();
    let updates = examples.len().div_ceil(MINIBATCH);
    let progress = ProgressBar::new((epochs * updates) as u64)
        .with_style(ProgressStyle::with_template("{prefix:8} {bar:20} update {pos}/{len}  {eta} left  {wide_msg}")?)
        .with_prefix(N::NAME);
    let mut results = Results { name: N::NAME, parameters: net.as_slice().len(), points: Vec::new(), training: Duration::ZERO };
    let (mut inputs, mut targets) = (Vec::with_capacity(MINIBATCH), Vec::with_capacity(MINIBATCH));
    for epoch in 0..epochs {
        let (mut loss, mut seen) = (0.0, 0);
        for (update, minibatch) in minibatches(&examples, MINIBATCH, &mut random).iter().enumerate() {
            inputs.clear();
            inputs.extend(minibatch.iter().map(|&example| train.images[example]));
            targets.clear();
            targets.extend(minibatch.iter().map(|&example| train.labels[example]));
            let start = Instant::now();
            loss += f64::from(net.train_slice(&inputs, &targets, &mut state, &mut scratch)) * minibatch.len() as f64;
            results.training += start.elapsed();
            seen += minibatch.len();
            progress.inc(1);
            if (update + 1) * TESTS_PER_EPOCH / updates > update * TESTS_PER_EPOCH / updates {
                let epochs = epoch as f64 + (update + 1) as f64 / updates as f64;
                let point = Point { epochs, loss: loss / seen as f64, accuracy: accuracy::<N>(&net, test, &mut values) };
                progress.set_message(format!("loss {:.4}  test accuracy {:.4}", point.loss, point.accuracy));
                results.points.push(point);
                (loss, seen) = (0.0, 0);
            }
        }
    }
    progress.finish();
    Ok(results)
}

/// The share of digits whose class has the greatest probability.
fn accuracy<N>(net: &N, digits: &Digits, values: &mut N::Values) -> f64
where
    N: Trainable<Scalar = f32, Input = Image, Target = usize, Output = [f32; 10]>,
{
    let right = digits.images.iter().zip(&digits.labels).filter(|(image, label)| {
        let mut output = [0.0; 10];
        net.predict(image, &mut output, values);
        output.iter().all(|probability| *probability <= output[**label])
    });
    right.count() as f64 / digits.labels.len() as f64
}
