//! Tasks of tests with all sets of instructions.

extern crate std;

use core::any::type_name;
use std::string::String;
use std::vec::Vec;

use super::instructions::{Run, Vectors, vectorized};
use super::lanes::Lanes;
use super::product::Shape;
use super::{Contraction, Product, Transpose};

/// Runs a task with each set of instructions that this machine has, and as passes are run. The type of its vectors says with which.
pub(super) fn with_all_instructions(task: impl Run<Output = ()> + Copy) {
    vectorized(task);
    pulp::Scalar::new().run(task);
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    {
        if let Some(vectors) = pulp::x86::V3::try_new() {
            vectors.run(task);
        }
        if let Some(vectors) = pulp::x86::V4::try_new() {
            vectors.run(task);
        }
    }
    #[cfg(target_arch = "aarch64")]
    if let Some(vectors) = pulp::aarch64::Neon::try_new() {
        vectors.run(task);
    }
}

/// A computation as a task, which compares what it made of some numbers with what it should.
pub(super) struct Check<C, T> {
    /// What computes, with nowhere to put its results yet.
    pub(super) computation: C,
    /// What is in memory before.
    pub(super) before: Vec<T>,
    /// What is there afterwards.
    pub(super) expected: Vec<T>,
    /// The sizes, for a message.
    pub(super) what: String,
}

impl<T: Lanes, C: Computation<T>> Run for &Check<C, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vectors>(self, vectors: V) {
        let mut results = self.before.clone();
        self.computation.compute_into(&mut results, vectors);
        assert_results(&results, &self.expected, type_name::<V>(), &self.what);
    }
}

/// Apart from what computes, of which there are many: it is compiled once.
#[inline(never)]
fn assert_results<T: Lanes>(results: &[T], expected: &[T], instructions: &str, what: &str) {
    assert_eq!(results, expected, "{instructions}: {what}");
}

/// What can be computed many times, each time into other memory.
pub(super) trait Computation<T> {
    /// Computes it once.
    fn compute_into<V: Vectors>(&self, results: &mut [T], vectors: V);
}

impl<T: Lanes> Computation<T> for Contraction<'_, T> {
    #[inline(always)]
    fn compute_into<V: Vectors>(&self, results: &mut [T], vectors: V) {
        Contraction { c: results, ..*self }.compute(vectors);
    }
}

impl<T: Lanes, P: Shape + Copy> Computation<T> for Product<'_, T, P> {
    /// From the second number on, which is aligned to nothing.
    #[inline(always)]
    fn compute_into<V: Vectors>(&self, results: &mut [T], vectors: V) {
        Product { c: &mut results[1..], ..*self }.compute(vectors);
    }
}

impl<T: Lanes> Computation<T> for Transpose<'_, T> {
    #[inline(always)]
    fn compute_into<V: Vectors>(&self, results: &mut [T], vectors: V) {
        Transpose { to: results, ..*self }.compute(vectors);
    }
}
