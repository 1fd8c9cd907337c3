//! A gradient for each block of examples, which are added up and read by the update.

use alloc::vec::Vec;

use rayon::ThreadPool;
use rayon::prelude::*;

use super::{Workers, learn, over_blocks};
use crate::{Boxed, Trainable};

/// Numbers of a gradient that one thread adds up before the next asks for work.
const ADDED: usize = 1 << 14;

/// How a network's gradient is summed up over blocks of examples.
pub trait Split: Trainable {
    /// How many examples a block has, the last one of a minibatch maybe fewer.
    const EXAMPLES: usize;

    /// A seed for the noise of a block.
    fn seed(state: &mut Self::State) -> u64;

    /// The sum of the losses of a block, and that of the adjoints of its parameters.
    fn sum_block(
        &self,
        inputs: &[Self::Input],
        targets: &[Self::Target],
        seed: u64,
        gradient: &mut Self,
        scratch: &mut Self::Scratch,
    ) -> f64;

    /// One update from the sum over a minibatch of so many examples, by the threads of the pool that it runs in.
    fn update_together(&mut self, sums: &mut Self, state: &mut Self::State, examples: usize);
}

/// One update from a minibatch, computed by the threads of a pool. The mean loss before the update.
pub fn train<N>(
    net: &mut N,
    pool: &ThreadPool,
    examples: (&[N::Input], &[N::Target]),
    state: &mut N::State,
    workers: &mut Workers<N>,
) -> N::Scalar
where
    N: Split + Send + Sync,
    N::Input: Sync,
    N::Target: Sync,
    N::Scratch: Send,
    N::State: Send,
{
    learn::<N>(pool, examples, |examples, total| {
        let sums = sum(net, examples, state, workers, total);
        net.update_together(sums, state, examples.0.len());
    })
}

/// The sum of the gradients of a minibatch's blocks, in their order; that of the losses is added to `total`.
fn sum<'w, N>(
    net: &N,
    (inputs, targets): (&[N::Input], &[N::Target]),
    state: &mut N::State,
    workers: &'w mut Workers<N>,
    total: &mut f64,
) -> &'w mut N
where
    N: Split + Send + Sync,
    N::Input: Sync,
    N::Target: Sync,
    N::Scratch: Send,
{
    let Workers { first, others, sums } = workers;
    let round = N::EXAMPLES.saturating_mul(others.len() + 1);
    let is_one_round = inputs.len() <= round;
    let mut used = 0;
    for (at, (inputs, targets)) in inputs.chunks(round).zip(targets.chunks(round)).enumerate() {
        used = inputs.len().div_ceil(N::EXAMPLES) - 1;
        let team = core::iter::once(&mut *first).chain(others.iter_mut().take(used));
        let blocks = inputs.chunks(N::EXAMPLES).zip(targets.chunks(N::EXAMPLES));
        over_blocks(
            team.zip(blocks),
            || N::seed(state),
            total,
            |worker, (inputs, targets)| {
                let gradient = worker.gradient.get_or_insert_with(N::boxed);
                net.sum_block(inputs, targets, worker.seed, gradient, &mut worker.scratch)
            },
        );
        if is_one_round {
            break;
        }
        let team = core::iter::once(&*first).chain(others.iter().take(used));
        let gradients: Vec<&N> = team.filter_map(|worker| worker.gradient.as_deref()).collect();
        match gradients.split_first() {
            Some((first, others)) if at == 0 => {
                sums.as_mut_slice().copy_from_slice(first.as_slice());
                add(&mut **sums, others);
            }
            _ => add(&mut **sums, &gradients),
        }
    }
    if !is_one_round {
        return sums;
    }
    let rest: Vec<&N> = others.iter().take(used).filter_map(|worker| worker.gradient.as_deref()).collect();
    let all = first.gradient.get_or_insert_with(N::boxed);
    add(&mut **all, &rest);
    all
}

/// Adds gradients to sums, each element in the order of the blocks.
fn add<N: Split + Sync>(sums: &mut N, gradients: &[&N]) {
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
