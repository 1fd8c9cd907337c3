//! Training with generated code. After `new` it allocates nothing.

use super::data::{Data, images, labels};
use super::report::Results;
use super::{Digits, DigitsScratch, DigitsState, DigitsValues, MINIBATCH};
use deltarule_compiler::allocations;
use std::time::{Duration, Instant};

pub(crate) struct Trainer {
    net: Digits,
    state: DigitsState,
    scratch: DigitsScratch,
    train: (Vec<[f32; 64]>, Vec<usize>),
    test: (Vec<[f32; 64]>, Vec<usize>),
    steps: u32,
    elapsed: Duration,
    allocations: u64,
}

impl Trainer {
    pub(crate) fn new(seed: u64, digits: &Data) -> Trainer {
        let mut net = Digits::ZERO;
        net.initialize(seed);
        Trainer {
            net,
            state: DigitsState::ZERO,
            scratch: DigitsScratch::ZERO,
            train: (images(&digits.train), labels(&digits.train)),
            test: (images(&digits.test), labels(&digits.test)),
            steps: 0,
            elapsed: Duration::ZERO,
            allocations: 0,
        }
    }

    pub(crate) fn parameters(&self) -> &[f32] {
        self.net.as_slice()
    }

    /// One update with these examples. Collecting them is no part of what is measured.
    pub(crate) fn step(&mut self, minibatch: &[usize]) {
        let mut inputs = [[0.0; 64]; MINIBATCH];
        let mut targets = [0; MINIBATCH];
        for (at, &example) in minibatch.iter().enumerate() {
            inputs[at] = self.train.0[example];
            targets[at] = self.train.1[example];
        }
        let (inputs, targets) = (&inputs[..minibatch.len()], &targets[..minibatch.len()]);
        let (allocations, start) = (allocations::count(), Instant::now());
        self.net.train_slice(inputs, targets, &mut self.state, &mut self.scratch);
        self.elapsed += start.elapsed();
        self.allocations += allocations::count() - allocations;
        self.steps += 1;
    }

    /// The mean loss and the accuracy on the digits that were not trained on.
    pub(crate) fn test(&mut self) -> (f64, f64) {
        let (inputs, targets) = &self.test;
        let loss = self.net.forward_slice(inputs, targets, &mut self.scratch);
        let mut values = DigitsValues::ZERO;
        let right = inputs.iter().zip(targets).filter(|(input, target)| {
            let mut output = [0.0; 10];
            self.net.predict(input, &mut output, &mut values);
            (0..10).all(|class| output[class] <= output[**target])
        });
        (f64::from(loss), right.count() as f64 / targets.len() as f64)
    }

    pub(crate) fn results(&mut self) -> Results {
        let (loss, accuracy) = self.test();
        Results {
            accuracy,
            loss,
            step: self.elapsed / self.steps.max(1),
            allocations: self.allocations,
            parameter_bytes: size_of::<Digits>(),
            scratch_bytes: Some(size_of::<DigitsScratch>() + size_of::<DigitsState>()),
        }
    }
}
