//! Trains the net of `examples/digits` with several processes, each of which takes its part of every minibatch, and beside it without
//! them. Ends with an error where the two differ by more than rounding.

mod digits;

use std::error::Error;
use std::ops::Range;

use deltarule::derive_backprop;
use digits::Digits;
use mpi::collective::SystemOperation;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};

/// Recognizes handwritten digits.
#[derive_backprop("../../digits/digits.spec")]
pub struct Net;

const EPOCHS: usize = 5;
const MINIBATCH: usize = 32;
/// How far sums of the same numbers in another order may lie apart, as a part of the greatest of them.
const ROUNDING: f32 = 1e-5;
/// How far weights may lie apart at the end. Each step of Adam divides by the size of the gradient, so what was rounded in a small one
/// counts like the whole of a large one.
const WEIGHTS: f32 = 1e-4;

fn main() -> Result<(), Box<dyn Error>> {
    let universe = mpi::initialize().ok_or("MPI has been started before")?;
    let world = universe.world();
    let digits = Digits::read()?;
    let mut together = Training::new();
    let mut alone = Training::new();
    let mut worst = 0.0_f32;
    for epoch in 1..=EPOCHS {
        let (mut loss, mut steps) = (0.0, 0);
        for start in (0..digits.images.len()).step_by(MINIBATCH) {
            let minibatch = start..digits.images.len().min(start + MINIBATCH);
            worst = worst.max(together.difference(&world, &digits, &minibatch));
            loss += together.step(&world, &digits, &minibatch);
            alone.step_alone(&digits, &minibatch);
            steps += 1;
        }
        if world.rank() == 0 {
            println!("epoch {epoch}: mean loss {:.6}", loss / steps as f32);
        }
    }
    let weights = greatest(together.net.as_slice().iter().zip(alone.net.as_slice()).map(|(a, b)| a - b));
    let agree = together.agree(&world);
    if world.rank() == 0 {
        println!("{} processes against one, with {} weights:", world.size(), Net::PARAMETER_COUNT);
        println!("  gradients of the same step differ by at most {worst:.1e} of the greatest");
        println!("  weights differ by at most {weights:.1e} after {EPOCHS} epochs");
        println!("  all processes have the same weights: {}", if agree { "yes" } else { "no" });
    }
    if !agree || worst > ROUNDING || weights > WEIGHTS {
        return Err("the processes together do not train as one alone".into());
    }
    Ok(())
}

/// A net, and what its training needs.
struct Training {
    net: Net,
    state: NetState,
    scratch: NetScratch,
    /// The sums over this process's examples, and over all.
    own: Net,
    all: Net,
}

impl Training {
    fn new() -> Box<Training> {
        let mut training = Box::new(Training {
            net: Net::ZERO,
            state: NetState::ZERO,
            scratch: NetScratch::ZERO,
            own: Net::ZERO,
            all: Net::ZERO,
        });
        training.net.initialize(1);
        training
    }

    /// One step with a minibatch that all processes share. Its mean loss before the step.
    fn step(&mut self, world: &SimpleCommunicator, digits: &Digits, minibatch: &Range<usize>) -> f32 {
        let loss = self.sum(world, digits, minibatch);
        self.net.update(&mut self.all, minibatch.len(), &mut self.state);
        loss
    }

    /// The sums over a minibatch that all processes share, in one call for all parameters. The mean loss.
    fn sum(&mut self, world: &SimpleCommunicator, digits: &Digits, minibatch: &Range<usize>) -> f32 {
        let part = part(minibatch, world.rank() as usize, world.size() as usize);
        let count = part.len();
        let (images, labels) = (&digits.images[part.clone()], &digits.labels[part]);
        let loss = self.net.sum_slice(images, labels, &mut self.own, &mut self.state, &mut self.scratch);
        world.all_reduce_into(self.own.as_slice(), self.all.as_mut_slice(), SystemOperation::sum());
        let mut total = 0.0;
        world.all_reduce_into(&(loss * count as f32), &mut total, SystemOperation::sum());
        total / minibatch.len() as f32
    }

    /// One step without other processes.
    fn step_alone(&mut self, digits: &Digits, minibatch: &Range<usize>) {
        let (images, labels) = (&digits.images[minibatch.clone()], &digits.labels[minibatch.clone()]);
        self.net.train_slice(images, labels, &mut self.state, &mut self.scratch);
    }

    /// How far the sums of all processes lie from those of one, at the same weights, as a part of the greatest.
    fn difference(&mut self, world: &SimpleCommunicator, digits: &Digits, minibatch: &Range<usize>) -> f32 {
        self.sum(world, digits, minibatch);
        let (images, labels) = (&digits.images[minibatch.clone()], &digits.labels[minibatch.clone()]);
        self.net.sum_slice(images, labels, &mut self.own, &mut self.state, &mut self.scratch);
        let (all, own) = (self.all.as_slice(), self.own.as_slice());
        greatest(all.iter().zip(own).map(|(a, b)| a - b)) / greatest(own.iter().copied()).max(f32::MIN_POSITIVE)
    }

    /// Whether all processes have the same weights, bit for bit.
    fn agree(&self, world: &SimpleCommunicator) -> bool {
        let bits: Vec<u32> = self.net.as_slice().iter().map(|weight| weight.to_bits()).collect();
        let (mut least, mut most) = (vec![0; bits.len()], vec![0; bits.len()]);
        world.all_reduce_into(&bits[..], &mut least[..], SystemOperation::min());
        world.all_reduce_into(&bits[..], &mut most[..], SystemOperation::max());
        least == most
    }
}

/// The examples of one process: all have as many, but for one.
fn part(minibatch: &Range<usize>, rank: usize, processes: usize) -> Range<usize> {
    let at = |rank: usize| minibatch.start + minibatch.len() * rank / processes;
    at(rank)..at(rank + 1)
}

/// The greatest magnitude.
fn greatest(values: impl Iterator<Item = f32>) -> f32 {
    values.fold(0.0, |greatest, value| greatest.max(value.abs()))
}
