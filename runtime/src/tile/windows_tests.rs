//! Sums over windows by all sets of instructions against sums written out.

extern crate std;

use std::format;

use super::all_instructions::{Check, with_all_instructions};
use super::product::Shape;
use super::tests::numbers;
use super::{Level, Product, Sizes, Windows};

/// Sums inside of two others, of which the second runs backwards in the rows of numbers, with slices that are aligned to nothing.
fn check<const MOST_ROWS: usize, P: Shape + Copy>(sizes: P, rows: usize, terms: usize, [outer, middle]: [usize; 2]) {
    let terms = if P::TERMS > 0 { P::TERMS } else { terms };
    let (a_steps, b_steps) = ([11, 3], [2 * middle * terms * P::B_TERM, terms * P::B_TERM]);
    let is_added = (rows + terms).is_multiple_of(2);
    let scale = if outer.is_multiple_of(2) { 1.0 } else { 2.0 };
    let a = numbers(1 + outer * a_steps[0] + middle * a_steps[1] + rows * P::A_ROW + terms * P::A_TERM, 5);
    let b = numbers(1 + outer * b_steps[0] + middle * b_steps[1] + terms * P::B_TERM + P::COLUMNS, 7);
    let start = if terms.is_multiple_of(3) { &[][..] } else { &numbers(P::COLUMNS, 3)[..] };
    let b_at = 1 + (middle.max(1) - 1) * b_steps[1];
    let before = numbers(rows * P::C_ROW + 40, 11);
    let mut expected = before.clone();
    for row in 0..rows {
        for column in 0..P::COLUMNS {
            let place = &mut expected[1 + row * P::C_ROW + column];
            let mut sum = 0.0;
            for (i, j) in (0..outer).flat_map(|i| (0..middle).map(move |j| (i, j))) {
                let (a_at, b_at) = (1 + i * a_steps[0] + j * a_steps[1], b_at + i * b_steps[0] - j * b_steps[1]);
                let factor = |term: usize| a[a_at + row * P::A_ROW + term * P::A_TERM];
                sum += (0..terms).map(|term| factor(term) * b[b_at + term * P::B_TERM + column]).sum::<f32>();
            }
            *place = scale * sum + if is_added { *place } else { start.get(column).copied().unwrap_or_default() };
        }
    }
    let levels = [
        Level { count: outer, a: a_steps[0], b: b_steps[0] },
        Level { count: middle, a: a_steps[1], b: b_steps[1].wrapping_neg() },
    ];
    let shape = Windows::<MOST_ROWS, P> { sizes, levels, a_at: 1, b_at };
    let what = format!("{rows} rows, {} columns, {outer} times {middle} times {terms} terms", P::COLUMNS);
    let (a, b, c) = (&a[..], &b[..], &mut [][..]);
    let computation = Product { shape, rows, terms, a, b, scale, start, c, is_added };
    with_all_instructions(&Check { computation, before, expected, what });
}

/// As many columns, with many and few rows, and with as many terms as windows have at their edges.
fn check_columns<const COLUMNS: usize>() {
    for around in [[1, 1], [1, 3], [3, 5], [2, 0], [0, 2]] {
        for rows in [0, 1, 7, 8, 15, 16, 17, 24, 33] {
            for terms in [0, 1, 2, 3, 4, 5, 9] {
                check::<33, _>(Sizes::<COLUMNS, 0, 70, 1, COLUMNS, 1, COLUMNS>, rows, terms, around);
            }
            check::<33, _>(Sizes::<COLUMNS, 6, 1, 70, 40, 1, 41>, rows, 6, around);
        }
        // As few as a window's kernel has.
        for rows in 0..=7 {
            for terms in [0, 1, 3, 4, 7] {
                check::<7, _>(Sizes::<COLUMNS, 0, 1, 70, 40, 1, COLUMNS>, rows, terms, around);
                check::<5, _>(Sizes::<COLUMNS, 0, 1, 70, 40, 1, COLUMNS>, rows.min(5), terms, around);
                check::<3, _>(Sizes::<COLUMNS, 0, 1, 70, 40, 1, COLUMNS>, rows.min(3), terms, around);
            }
        }
    }
}

#[test]
fn sums_over_windows_are_those_of_all_their_terms() {
    check_columns::<1>();
    check_columns::<5>();
    check_columns::<8>();
    check_columns::<16>();
    check_columns::<20>();
    check_columns::<40>();
}
