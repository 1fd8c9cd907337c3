//! Sweeps by all sets of instructions against loops.

extern crate std;

use core::any::type_name;
use std::vec;
use std::vec::Vec;

use super::all_instructions::with_all_instructions;
use super::tests::numbers;
use super::{Run, Sizes, Sweep, Vectors};

/// A sweep over a matrix of so many rows of so many terms, with slices that are aligned to nothing.
struct Check<const ROWS: usize, const TERMS: usize> {
    vector: Vec<f32>,
    factors: Vec<f32>,
    /// The matrix before.
    before: Vec<f32>,
    /// The matrix afterwards.
    matrix: Vec<f32>,
    results: Vec<f32>,
}

impl<const ROWS: usize, const TERMS: usize> Check<ROWS, TERMS> {
    fn new() -> Self {
        let (vector, factors, before) = (numbers(TERMS + 1, 5), numbers(ROWS + 1, 3), numbers(ROWS * TERMS + 20, 7));
        let (mut matrix, mut results) = (before.clone(), vec![0.0; ROWS]);
        for row in 0..ROWS {
            let of_row = 1 + row * TERMS;
            results[row] = 2.0 * (0..TERMS).map(|term| vector[1 + term] * before[of_row + term]).sum::<f32>();
            for term in 0..TERMS {
                matrix[of_row + term] += -0.5 * factors[1 + row] * vector[1 + term];
            }
        }
        Self { vector, factors, before, matrix, results }
    }
}

impl<const ROWS: usize, const TERMS: usize> Run for &Check<ROWS, TERMS> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vectors>(self, vectors: V) {
        let (mut matrix, mut results) = (self.before.clone(), numbers(ROWS + 20, 11));
        let after = results[1 + ROWS..].to_vec();
        let shape = Sizes::<ROWS, TERMS, 0, 1, 1, TERMS, 0>;
        let (a, b, c, factors) = (&self.vector[1..], &mut matrix[1..], &mut results[1..], &self.factors[1..]);
        Sweep { shape, a, b, scale: 2.0, c, factors, rate: -0.5 }.compute(vectors);
        let instructions = type_name::<V>();
        assert_eq!(results[1..=ROWS], self.results, "{instructions}: {ROWS} rows of {TERMS}");
        assert_eq!(results[1 + ROWS..], after, "{instructions}: {ROWS} rows of {TERMS}");
        assert_eq!(matrix, self.matrix, "{instructions}: {ROWS} rows of {TERMS}");
    }
}

#[test]
fn a_sweep_is_a_product_and_an_update() {
    macro_rules! check_all {
        ($($rows:literal rows of $($terms:literal)*;)*) => { $($(with_all_instructions(&Check::<$rows, $terms>::new());)*)* };
    }
    check_all! {
        1 rows of 1 16 33;
        7 rows of 5 32;
        16 rows of 16 31 64;
        33 rows of 7 32 70;
        70 rows of 16 48 65;
    }
}

/// A sweep of which slices are too short.
#[derive(Clone, Copy)]
struct Outside {
    vector: usize,
    matrix: usize,
    results: usize,
    factors: usize,
}

impl Run for Outside {
    type Output = ();

    #[inline(always)]
    fn run<V: Vectors>(self, vectors: V) {
        let (vector, factors, mut matrix, mut results) = ([1.0_f64; 20], [1.0; 9], [1.0; 144], [0.0; 9]);
        let (a, factors) = (&vector[..self.vector], &factors[..self.factors]);
        let (b, c) = (&mut matrix[..self.matrix], &mut results[..self.results]);
        Sweep { shape: Sizes::<9, 16, 0, 1, 1, 16, 0>, a, b, scale: 1.0, c, factors, rate: 1.0 }.compute(vectors);
        let instructions = type_name::<V>();
        assert!(matrix.iter().all(|number| [1.0, 2.0].contains(number)), "{instructions}: {matrix:?}");
        assert!(results.iter().all(|sum| [0.0, 16.0].contains(sum)), "{instructions}: {results:?}");
    }
}

#[test]
fn of_a_sweep_nothing_outside_is_computed() {
    // Too short a vector, matrix, row of results and row of factors, in turn.
    for [vector, matrix, results, factors] in [[15, 144, 9, 9], [16, 100, 9, 9], [16, 144, 5, 9], [16, 144, 9, 5], [0, 0, 0, 0]] {
        with_all_instructions(Outside { vector, matrix, results, factors });
    }
}
