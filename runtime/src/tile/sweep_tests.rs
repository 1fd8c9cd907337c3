//! Sweeps by all sets of instructions against loops.

extern crate std;

use std::vec;
use std::vec::Vec;

use super::tests::numbers;
use super::{Run, Sizes, Sweep, Vectors, vectorized};

/// A sweep over a matrix of so many rows of so many terms, with slices that are aligned to nothing.
fn check<const ROWS: usize, const TERMS: usize>() {
    let (a, factors, before) = (numbers(TERMS + 1, 5), numbers(ROWS + 1, 3), numbers(ROWS * TERMS + 20, 7));
    let (mut matrix, mut results) = (before.clone(), vec![0.0; ROWS]);
    for row in 0..ROWS {
        let of_row = 1 + row * TERMS;
        results[row] = 2.0 * (0..TERMS).map(|term| a[1 + term] * before[of_row + term]).sum::<f32>();
        for term in 0..TERMS {
            matrix[of_row + term] += -0.5 * factors[1 + row] * a[1 + term];
        }
    }
    let check = |name: &str, compute: &dyn Fn(Sweep<'_, f32, Sizes<ROWS, TERMS, 0, 1, 1, TERMS, 0>>)| {
        let (mut b, mut c) = (before.clone(), numbers(ROWS + 20, 11));
        let after = c[1 + ROWS..].to_vec();
        let (a, b_of, c_of, factors) = (&a[1..], &mut b[1..], &mut c[1..], &factors[1..]);
        compute(Sweep { shape: Sizes, a, b: b_of, scale: 2.0, c: c_of, factors, rate: -0.5 });
        assert_eq!(c[1..=ROWS], results, "{name}: {ROWS} rows of {TERMS}");
        assert_eq!(c[1 + ROWS..], after, "{name}: {ROWS} rows of {TERMS}");
        assert_eq!(b, matrix, "{name}: {ROWS} rows of {TERMS}");
    };
    check("no vectors", &|sweep| sweep.compute(pulp::Scalar::new()));
    check("the best instructions", &|sweep| vectorized(Task(sweep)));
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(vectors) = pulp::x86::V3::try_new() {
            check("AVX2", &|sweep| sweep.compute(vectors));
        }
        if let Some(vectors) = pulp::x86::V4::try_new() {
            check("AVX-512", &|sweep| sweep.compute(vectors));
        }
    }
}

struct Task<'a, const ROWS: usize, const TERMS: usize>(Sweep<'a, f32, Sizes<ROWS, TERMS, 0, 1, 1, TERMS, 0>>);

impl<const ROWS: usize, const TERMS: usize> Run for Task<'_, ROWS, TERMS> {
    type Output = ();

    fn run<V: Vectors>(self, vectors: V) {
        self.0.compute(vectors);
    }
}

#[test]
fn a_sweep_is_a_product_and_an_update() {
    macro_rules! check_all {
        ($($rows:literal rows of $($terms:literal)*;)*) => { $($(check::<$rows, $terms>();)*)* };
    }
    check_all! {
        1 rows of 1 16 33;
        7 rows of 5 32;
        16 rows of 16 31 64;
        33 rows of 7 32 70;
        70 rows of 16 48 65;
    }
}

#[test]
fn of_a_sweep_nothing_outside_is_computed() {
    let factors = [1.0_f64; 9];
    let vector = [1.0; 20];
    // Too short a vector, matrix, row of results and row of factors, in turn.
    for [of_a, of_b, of_c, of_factors] in [[15, 144, 9, 9], [16, 100, 9, 9], [16, 144, 5, 9], [16, 144, 9, 5], [0, 0, 0, 0]] {
        let (mut matrix, mut results) = ([1.0; 144], [0.0; 9]);
        let run = |sweep: Sweep<'_, f64, Sizes<9, 16, 0, 1, 1, 16, 0>>| {
            sweep.compute(pulp::Scalar::new());
        };
        let (b, c) = (&mut matrix[..of_b], &mut results[..of_c]);
        run(Sweep { shape: Sizes, a: &vector[..of_a], b, scale: 1.0, c, factors: &factors[..of_factors], rate: 1.0 });
        #[cfg(target_arch = "x86_64")]
        if let Some(vectors) = pulp::x86::V3::try_new() {
            let (b, c) = (&mut matrix[..of_b], &mut results[..of_c]);
            let sweep = Sweep {
                shape: Sizes::<9, 16, 0, 1, 1, 16, 0>,
                a: &vector[..of_a],
                b,
                scale: 1.0,
                c,
                factors: &factors[..of_factors],
                rate: 1.0,
            };
            sweep.compute(vectors);
        }
        assert!(matrix.iter().all(|number| [1.0, 2.0, 3.0].contains(number)), "{matrix:?}");
        let rows: Vec<f64> = results.iter().copied().filter(|sum| *sum != 0.0).collect();
        assert!(rows.iter().all(|sum| [16.0, 32.0].contains(sum)), "{rows:?}");
    }
}
