//! Minibatches that several threads share the work of.
//!
//! A minibatch is split into blocks of examples, a number that follows from the network alone. Where the gradient of each parameter is a sum over
//! the examples whose rows can be computed by themselves, and updates look at no other element than their own, threads go over the
//! blocks first and over the parameters' rows then ([`rows`]): no gradient is stored. Else there is a gradient for each block ([`blocks`]).

use alloc::boxed::Box;
use alloc::vec::Vec;

use rayon::ThreadPool;
use together::together;

use crate::{Boxed, Network, Scalar, Supervised, Trainable};

pub mod blocks;
pub mod rows;
mod together;

/// What a minibatch needs that several threads share the work of: scratch space for each, and where updates want the whole of a gradient,
/// one for each as well.
///
/// Fewer workers than threads leave threads without work. More are of use where a minibatch has more blocks than threads, for each worker
/// keeps what it has computed of one until all of the others' is there. What is computed does not depend on their number.
pub struct Workers<N: Trainable> {
    first: Worker<N>,
    others: Vec<Worker<N>>,
    /// The sum of the gradients, where there are more blocks than workers.
    sums: Box<N>,
}

struct Worker<N: Trainable> {
    /// The sum over a block, where updates want the whole of a gradient.
    gradient: Option<Box<N>>,
    scratch: Box<N::Scratch>,
    seed: u64,
    loss: f64,
}

impl<N: Trainable> core::fmt::Debug for Workers<N> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Workers").field("count", &(self.others.len() + 1)).finish_non_exhaustive()
    }
}

impl<N: Trainable> Workers<N> {
    /// So many workers, at least one.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let worker = || Worker { gradient: None, scratch: N::Scratch::boxed(), seed: 0, loss: 0.0 };
        Self { first: worker(), others: (1..count).map(|_| worker()).collect(), sums: N::boxed() }
    }
}

/// Some inputs and their targets.
type Examples<'a, N> = (&'a [<N as Network>::Input], &'a [<N as Supervised>::Target]);

/// Lets the threads of a pool learn from a minibatch, as far as the shorter slice goes, and add up its losses. Their mean; without
/// examples nothing happens, and it is 0.
fn learn<N>(
    pool: &ThreadPool,
    (inputs, targets): Examples<'_, N>,
    update: impl FnOnce(Examples<'_, N>, &mut f64) + Send,
) -> N::Scalar
where
    N: Trainable<Input: Sync, Target: Sync>,
{
    let count = inputs.len().min(targets.len());
    if count == 0 {
        return N::Scalar::default();
    }
    let examples = (inputs.get(..count).unwrap_or(&[]), targets.get(..count).unwrap_or(&[]));
    let mut total = 0.0;
    pool.install(|| update(examples, &mut total));
    N::Scalar::from_f64(total / count as f64)
}

/// Each worker computes a block, with a seed of its own. The losses are added to `total`, in the order of the blocks.
fn over_blocks<'a, N>(
    blocks: impl Iterator<Item = (&'a mut Worker<N>, Examples<'a, N>)>,
    mut seed: impl FnMut() -> u64,
    total: &mut f64,
    compute: impl Fn(&mut Worker<N>, Examples<'_, N>) -> f64 + Sync,
) where
    N: Trainable<Input: Sync, Target: Sync, Scratch: Send> + Send + 'a,
{
    let mut tasks: Vec<_> = blocks.collect();
    tasks.iter_mut().for_each(|(worker, _)| worker.seed = seed());
    together(&mut tasks, |(worker, examples)| worker.loss = compute(worker, *examples));
    tasks.iter().for_each(|(worker, _)| *total += worker.loss);
}

/// Gives a generated network its method for several threads.
#[doc(hidden)]
#[macro_export]
macro_rules! __parallel {
    ($way:ident, $network:ty, $split:item) => {
        $split

        impl $network {
            /// How many examples the blocks have that [`Self::train_parallel`] splits a minibatch into.
            pub const BLOCK_EXAMPLES: usize = <Self as $crate::__private::parallel::$way::Split>::EXAMPLES;

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
                $crate::__private::parallel::$way::train(self, pool, (inputs, targets), state, workers)
            }
        }
    };
}
