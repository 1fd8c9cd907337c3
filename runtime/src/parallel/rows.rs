//! Threads that go over blocks of examples first and over rows of parameters then, so that no gradient is stored.
//!
//! First, each block goes forward and backward in scratch space of its own. Then each thread takes some rows of a parameter after the other,
//! sums up their gradient over the blocks, in their order, in the nearest memory, and updates them at once.

use alloc::vec::Vec;

use rayon::ThreadPool;

use super::together::together;
use super::{Workers, learn, over_blocks};
use crate::tile::{Run, Vectors, vectorized};
use crate::{Scalar, Trainable};

/// An update writes at most so many tensors: a parameter, and what an optimizer remembers of it.
pub const MOST_WRITTEN: usize = 4;

/// How a network's gradient is summed up row by row.
pub trait Split: Trainable {
    /// How many examples a block has, the last one of a minibatch maybe fewer.
    const EXAMPLES: usize;

    /// What the updates of all elements have in common.
    type Constants: Send + Sync;

    /// The most elements whose gradient is summed up at once.
    type Buffer: AsMut<[Self::Scalar]>;

    /// A buffer that was not used yet.
    const BUFFER: Self::Buffer;

    /// A seed for the noise of a block.
    fn seed(state: &mut Self::State) -> u64;

    /// Forward and backward for a block. The sum of its losses.
    fn pass(&self, inputs: &[Self::Input], targets: &[Self::Target], seed: u64, scratch: &mut Self::Scratch) -> f64;

    /// Counts an update, for a minibatch of so many examples.
    fn constants(state: &mut Self::State, examples: usize) -> Self::Constants;

    /// All parameters with their gradients and what is updated with them.
    fn parts<'a>(&'a mut self, sums: &'a mut Self, state: &'a mut Self::State, parts: &mut Parts<'a, Self::Scalar>);

    /// Adds to sums what a block's gradient is, by a parameter's elements from a place on, or sets them to it for the first block. Where
    /// that is all of an update, it is what the block adds to the parameter.
    fn add_part<V: Vectors>(
        vectors: V,
        part: (usize, usize),
        block: (&[Self::Input], &Self::Scratch),
        constants: &Self::Constants,
        is_first: bool,
        sums: &mut [Self::Scalar],
    );

    /// Updates those elements.
    fn update_part<V: Vectors>(
        vectors: V,
        parameter: usize,
        constants: &Self::Constants,
        sums: &[Self::Scalar],
        written: &mut [&mut [Self::Scalar]; MOST_WRITTEN],
    );
}

/// Some rows of a parameter.
struct Part<'a, T> {
    /// The number of the parameter.
    parameter: usize,
    /// The first of its elements.
    place: usize,
    /// Whether the update just adds a multiple of each block's gradient.
    is_added: bool,
    sums: &'a mut [T],
    written: [&'a mut [T]; MOST_WRITTEN],
}

/// All parameters, in parts that one thread computes after the other.
pub struct Parts<'a, T>(Vec<Part<'a, T>>);

impl<T> core::fmt::Debug for Parts<'_, T> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Parts").field("count", &self.0.len()).finish_non_exhaustive()
    }
}

impl<'a, T> Parts<'a, T> {
    /// A parameter, its gradient, and the tensors that its update writes, in parts of so many elements.
    pub fn add<const COUNT: usize>(
        &mut self,
        parameter: usize,
        (elements, is_added): (usize, bool),
        sums: &'a mut [T],
        written: [&'a mut [T]; COUNT],
    ) {
        const { assert!(COUNT <= MOST_WRITTEN, "an update writes more tensors than there is space for") };
        let elements = elements.max(1);
        let mut written = written.map(|tensor| tensor.chunks_mut(elements));
        for (at, sums) in sums.chunks_mut(elements).enumerate() {
            let written_here = core::array::from_fn(|_| &mut [][..]);
            let mut part = Part { parameter, place: at * elements, is_added, sums, written: written_here };
            part.written.iter_mut().zip(&mut written).for_each(|(part, tensor)| *part = tensor.next().unwrap_or(&mut []));
            self.0.push(part);
        }
    }
}

/// What is computed of a part.
struct Step<'p, 'a, N: Split> {
    part: &'p mut Part<'a, N::Scalar>,
    blocks: &'p [(&'p [N::Input], &'p N::Scratch)],
    constants: &'p N::Constants,
    /// Whether there were no blocks before.
    is_first: bool,
    /// Whether there are none after them.
    is_last: bool,
}

impl<N: Split> Run for Step<'_, '_, N> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vectors>(self, vectors: V) {
        let Self { part: Part { parameter, place, is_added, sums: stored, written }, blocks, constants, is_first, is_last } =
            self;
        let mut buffer = N::BUFFER;
        let Some(near) = buffer.as_mut().get_mut(..if *is_added { 0 } else { stored.len() }) else { return };
        let sums = match (*is_added, is_first, is_last) {
            (true, true, true) => &mut *written[0],
            // As long as other blocks want to read the parameter, a copy of it changes.
            (true, true, false) => {
                stored.copy_from_slice(written[0]);
                &mut **stored
            }
            (true, false, _) => &mut **stored,
            (false, true, _) => &mut *near,
            (false, false, _) => {
                near.copy_from_slice(stored);
                &mut *near
            }
        };
        for (at, &block) in blocks.iter().enumerate() {
            N::add_part(vectors, (*parameter, *place), block, constants, is_first && at == 0 && !*is_added, sums);
        }
        match (*is_added, is_last) {
            (false, true) => N::update_part(vectors, *parameter, constants, near, written),
            (false, false) => stored.copy_from_slice(near),
            (true, true) if !is_first => written[0].copy_from_slice(stored),
            (true, _) => {}
        }
    }
}

/// One update from a minibatch, computed by the threads of a pool. The mean loss before the update.
///
/// There are as many blocks at a time as workers. Sums are kept between: as they are, so that the number of workers changes nothing.
pub fn train<N>(
    net: &mut N,
    pool: &ThreadPool,
    examples: (&[N::Input], &[N::Target]),
    state: &mut N::State,
    workers: &mut Workers<N>,
) -> N::Scalar
where
    N: Split + Send + Sync,
    N::Scalar: Send,
    N::Input: Sync,
    N::Target: Sync,
    N::Scratch: Send + Sync,
    N::State: Send,
{
    learn::<N>(pool, examples, |(inputs, targets), total| {
        let count = inputs.len();
        let Workers { first, others, sums } = workers;
        let round = N::EXAMPLES.saturating_mul(others.len() + 1);
        let constants = N::constants(state, count);
        let mut done = 0;
        for (inputs, targets) in inputs.chunks(round).zip(targets.chunks(round)) {
            let team = core::iter::once(&mut *first).chain(others.iter_mut());
            let blocks = inputs.chunks(N::EXAMPLES).zip(targets.chunks(N::EXAMPLES));
            over_blocks(
                team.zip(blocks),
                || N::seed(state),
                total,
                |worker, (inputs, targets)| net.pass(inputs, targets, worker.seed, &mut worker.scratch),
            );
            let is_first = done == 0;
            done += inputs.len();
            let is_last = done == count;
            let scratch = core::iter::once(&*first).chain(others.iter()).map(|worker| &*worker.scratch);
            let blocks: Vec<_> = inputs.chunks(N::EXAMPLES).zip(scratch).collect();
            let mut parts = Parts(Vec::new());
            net.parts(sums, state, &mut parts);
            together(&mut parts.0, |part| {
                vectorized(Step::<N> { part, blocks: &blocks, constants: &constants, is_first, is_last });
            });
        }
    })
}

/// Adds part of a gradient, from a place on; or sets it for the first.
#[inline(always)]
pub fn add<T: Scalar>(gradient: &[T], place: usize, is_first: bool, sums: &mut [T]) {
    let part = gradient.get(place..).unwrap_or(&[]);
    sums.iter_mut().zip(part).for_each(|(sum, &term)| *sum = if is_first { term } else { *sum + term });
}
