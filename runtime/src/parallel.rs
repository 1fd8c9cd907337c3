//! Minibatches that several threads share the work of.

use alloc::boxed::Box;
use alloc::vec::Vec;

use rayon::ThreadPool;
use rayon::prelude::*;

use crate::{Boxed, Scalar, Trainable};

/// Numbers of a gradient that one thread adds up before the next asks for work.
const ADDED: usize = 1 << 14;

/// How a network's gradient is summed up over blocks of examples.
pub trait Blocks: Trainable {
    /// How many examples a block has, the last one of a minibatch maybe fewer.
    const EXAMPLES: usize;

    /// A seed for the noise of a block.
    fn seed(state: &mut Self::State) -> u64;

    /// The sum of the losses of a block, and that of the adjoints of its parameters.
    fn sum(
        &self,
        inputs: &[Self::Input],
        targets: &[Self::Target],
        seed: u64,
        gradient: &mut Self,
        scratch: &mut Self::Scratch,
    ) -> f64;

    /// One update from the sum over a minibatch of so many examples.
    fn update(&mut self, sums: &mut Self, state: &mut Self::State, examples: usize);
}

/// What a minibatch needs that several threads share the work of: scratch space and a gradient for each.
///
/// More workers than threads are of no use, and fewer leave threads without work. What is computed does not depend on their number.
pub struct Workers<N: Trainable> {
    workers: Vec<Worker<N>>,
    /// The sum of the gradients, where there are more blocks than workers.
    sums: Box<N>,
}

struct Worker<N: Trainable> {
    gradient: Box<N>,
    scratch: Box<N::Scratch>,
    seed: u64,
    loss: f64,
}

impl<N: Trainable> core::fmt::Debug for Workers<N> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Workers").field("count", &self.workers.len()).finish_non_exhaustive()
    }
}

impl<N: Trainable> Workers<N> {
    /// So many workers, at least one.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let worker = || Worker { gradient: N::boxed(), scratch: N::Scratch::boxed(), seed: 0, loss: 0.0 };
        Self { workers: (0..count.max(1)).map(|_| worker()).collect(), sums: N::boxed() }
    }
}

/// One update from a minibatch, computed by the threads of a pool. The mean loss before the update.
pub fn train<N>(
    net: &mut N,
    pool: &ThreadPool,
    (inputs, targets): (&[N::Input], &[N::Target]),
    state: &mut N::State,
    workers: &mut Workers<N>,
) -> N::Scalar
where
    N: Blocks + Send + Sync,
    N::Input: Sync,
    N::Target: Sync,
    N::Scratch: Send,
    N::State: Send,
{
    let count = inputs.len().min(targets.len());
    if count == 0 {
        return N::Scalar::default();
    }
    let (inputs, targets) = (inputs.get(..count).unwrap_or(&[]), targets.get(..count).unwrap_or(&[]));
    let round = N::EXAMPLES.saturating_mul(workers.workers.len());
    let is_one_round = count <= round;
    let mut total = 0.0;
    let (this, team, sums) = (&*net, &mut workers.workers, &mut workers.sums);
    let state_of_noise = &mut *state;
    let sums = pool.install(|| {
        for (at, (inputs, targets)) in inputs.chunks(round).zip(targets.chunks(round)).enumerate() {
            let used = team.get_mut(..inputs.len().div_ceil(N::EXAMPLES)).unwrap_or_default();
            used.iter_mut().for_each(|worker| worker.seed = N::seed(state_of_noise));
            let blocks = inputs.par_chunks(N::EXAMPLES).zip(targets.par_chunks(N::EXAMPLES));
            used.par_iter_mut().zip(blocks).with_max_len(1).for_each(|(worker, (inputs, targets))| {
                worker.loss = this.sum(inputs, targets, worker.seed, &mut worker.gradient, &mut worker.scratch);
            });
            used.iter().for_each(|worker| total += worker.loss);
            if is_one_round {
                continue;
            }
            let gradients: Vec<&N> = used.iter().map(|worker| &*worker.gradient).collect();
            match gradients.split_first() {
                Some((first, rest)) if at == 0 => {
                    sums.as_mut_slice().copy_from_slice(first.as_slice());
                    add(&mut **sums, rest);
                }
                _ => add(&mut **sums, &gradients),
            }
        }
        if !is_one_round {
            return Some(&mut **sums);
        }
        let (first, rest) = team.split_first_mut()?;
        let blocks = count.div_ceil(N::EXAMPLES);
        let rest: Vec<&N> = rest.iter().take(blocks - 1).map(|worker| &*worker.gradient).collect();
        add(&mut *first.gradient, &rest);
        Some(&mut *first.gradient)
    });
    if let Some(sums) = sums {
        net.update(sums, state, count);
    }
    N::Scalar::from_f64(total / count as f64)
}

/// Adds gradients to sums, each element in the order of the blocks.
fn add<N: Blocks + Sync>(sums: &mut N, gradients: &[&N]) {
    if gradients.is_empty() {
        return;
    }
    let places = sums.as_mut_slice().par_chunks_mut(ADDED).enumerate();
    places.for_each(|(at, sums)| {
        for gradient in gradients {
            let part = gradient.as_slice().get(at * ADDED..).unwrap_or(&[]);
            sums.iter_mut().zip(part).for_each(|(sum, &term)| *sum = *sum + term);
        }
    });
}

/// Gives a generated network its method for several threads.
#[doc(hidden)]
#[macro_export]
macro_rules! __parallel {
    ($network:ty, $blocks:item) => {
        $blocks

        impl $network {
            /// How many examples the blocks have that [`Self::train_parallel`] splits a minibatch into.
            pub const BLOCK_EXAMPLES: usize = <Self as $crate::__private::parallel::Blocks>::EXAMPLES;

            /// Learns from a minibatch as `train_slice` does, with the threads of a pool. The mean loss before the update. The shorter slice
            /// counts; without examples nothing happens, and the result is 0.
            ///
            /// The result is the same for any number of threads and workers. Noise is drawn for each block from a seed of its own.
            pub fn train_parallel(
                &mut self,
                inputs: &[<Self as $crate::Network>::Input],
                targets: &[<Self as $crate::Supervised>::Target],
                state: &mut <Self as $crate::Trainable>::State,
                pool: &$crate::rayon::ThreadPool,
                workers: &mut $crate::Workers<Self>,
            ) -> <Self as $crate::Network>::Scalar {
                $crate::__private::parallel::train(self, pool, (inputs, targets), state, workers)
            }
        }
    };
}
