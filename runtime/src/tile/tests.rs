//! Contractions by all sets of instructions against sums written out.

extern crate std;

use std::format;
use std::vec::Vec;

use super::all_instructions::{Check, with_all_instructions};
use super::product::Shape;
use super::{Contraction, Level, Product, Run, Sizes, Vectors, vectorized};

/// The numbers from 1 to 13 in some order, exact in sums of products.
pub(super) fn numbers(count: usize, step: usize) -> Vec<f32> {
    (0..count).map(|at| (at * step % 13 + 1) as f32).collect()
}

fn check(rows: usize, columns: usize, terms: usize, is_beside: bool, is_added: bool) {
    let (a_row, a_term) = if is_beside { (1, rows) } else { (terms, 1) };
    let (a, b, start) = (numbers(rows * terms, 5), numbers(terms * columns, 7), numbers(columns, 3));
    let before = numbers(rows * columns, 11);
    let mut expected = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let sum: f32 = (0..terms).map(|term| a[row * a_row + term * a_term] * b[term * columns + column]).sum();
            expected.push(2.0 * sum + if is_added { before[row * columns + column] } else { start[column] });
        }
    }
    let levels = [Level { count: 1, a: 0, b: 0 }, Level { count: 1, a: 0, b: 0 }, Level { count: terms, a: a_term, b: columns }];
    let (a, b, start, c) = (&a[..], &b[..], &start[..], &mut [][..]);
    let (a_at, b_at, b_column, scale, c_row) = (0, 0, 1, 2.0, columns);
    with_all_instructions(&Check {
        computation: Contraction { rows, columns, a, a_at, a_row, b, b_at, b_column, levels, scale, start, c, c_row, is_added },
        before,
        expected,
        what: format!("{rows} rows, {columns} columns, {terms} terms, {is_beside}, {is_added}"),
    });
}

/// The same with the numbers of a column beside each other, by products of rows with rows.
fn check_dots(rows: usize, columns: usize, terms: usize, is_added: bool) {
    let (a, b, start) = (numbers(rows * terms, 5), numbers(terms * columns + 1, 7), numbers(columns, 3));
    let before = numbers(rows * columns, 11);
    let mut expected = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            // Not aligned to anything.
            let sum: f32 = (0..terms).map(|term| a[row * terms + term] * b[1 + column * terms + term]).sum();
            expected.push(sum + if is_added { before[row * columns + column] } else { start[column] });
        }
    }
    let one = Level { count: 1, a: 0, b: 0 };
    let levels = [one, one, Level { count: terms, a: 1, b: 1 }];
    let (a, b, start, c) = (&a[..], &b[..], &start[..], &mut [][..]);
    let (a_at, b_at, a_row, b_column, scale, c_row) = (0, 1, terms, terms, 1.0, columns);
    with_all_instructions(&Check {
        computation: Contraction { rows, columns, a, a_at, a_row, b, b_at, b_column, levels, scale, start, c, c_row, is_added },
        before,
        expected,
        what: format!("dots: {rows} rows, {columns} columns, {terms} terms"),
    });
}

#[test]
fn every_set_of_instructions_gives_the_same_for_all_sizes() {
    for size in 1..=70 {
        for is_beside in [false, true] {
            check(size, 5, 3, is_beside, false);
            check(3, size, 4, is_beside, true);
            check(9, 17, size, is_beside, false);
            check(size, size, 2, is_beside, true);
            check(1, size, 5, is_beside, true);
            check(1, 130, size, is_beside, false);
        }
        check_dots(3, size, 7, size % 2 == 0);
        check_dots(size, 3, size, true);
        check_dots(2, 6, size + 1, false);
    }
    check(0, 3, 3, true, false);
    check(3, 3, 0, false, false);
}

#[test]
fn sums_inside_each_other_are_those_of_all_their_terms() {
    // c[row][column] = sum(i, j, k: a[i][row][j] * b[i][k][j][column]), k only in b.
    let (rows, columns) = (3, 20);
    let (a, b) = (numbers(2 * rows * 4, 5), numbers(2 * 5 * 4 * columns, 7));
    let mut expected = std::vec![0.0_f32; rows * columns];
    for i in 0..2 {
        for j in 0..4 {
            for k in 0..5 {
                for row in 0..rows {
                    for column in 0..columns {
                        expected[row * columns + column] +=
                            a[(i * rows + row) * 4 + j] * b[((i * 5 + k) * 4 + j) * columns + column];
                    }
                }
            }
        }
    }
    let levels = [
        Level { count: 2, a: rows * 4, b: 5 * 4 * columns },
        Level { count: 5, a: 0, b: 4 * columns },
        Level { count: 4, a: 1, b: columns },
    ];
    let computation = Contraction {
        rows,
        columns,
        a: &a,
        a_at: 0,
        a_row: 4,
        b: &b,
        b_at: 0,
        b_column: 1,
        levels,
        scale: 1.0,
        start: &[],
        c: &mut [],
        c_row: columns,
        is_added: false,
    };
    let before = std::vec![0.0; rows * columns];
    with_all_instructions(&Check { computation, before, expected, what: "sums inside each other".into() });
}

#[test]
fn sums_run_backwards_too() {
    let (a, b) = (numbers(5, 5), numbers(5 * 3, 7));
    let expected: Vec<f32> = (0..3).map(|column| (0..5).map(|term| a[term] * b[(4 - term) * 3 + column]).sum()).collect();
    let one = Level { count: 1, a: 0, b: 0 };
    let levels = [one, one, Level { count: 5, a: 1, b: 3_usize.wrapping_neg() }];
    let computation = Contraction {
        rows: 1,
        columns: 3,
        a: &a,
        a_at: 0,
        a_row: 5,
        b: &b,
        b_at: 12,
        b_column: 1,
        levels,
        scale: 1.0,
        start: &[],
        c: &mut [],
        c_row: 3,
        is_added: false,
    };
    with_all_instructions(&Check { computation, before: std::vec![0.0; 3], expected, what: "backwards".into() });
}

#[test]
fn what_is_outside_is_not_computed() {
    let mut c = [7.0_f64; 4];
    let level = Level { count: 1, a: 0, b: 0 };
    let levels = [level, level, Level { count: 3, a: 1, b: 2 }];
    let (a, b) = (&[1.0; 3][..], &[1.0; 4][..]);
    vectorized(Contraction {
        rows: 2,
        columns: 2,
        a,
        a_at: 0,
        a_row: 3,
        b,
        b_at: 0,
        b_column: 1,
        levels,
        scale: 1.0,
        start: &[],
        c: &mut c,
        c_row: 2,
        is_added: false,
    });
    assert!(c.iter().all(|value| value.is_finite()));
}

/// A product by each set of instructions that this machine has, with slices that are aligned to nothing.
fn check_product<P: Shape + Copy>(shape: P, rows: usize, terms: usize, is_added: bool) {
    let rows = if P::A_ROW == 0 { 1 } else { rows };
    let terms = if P::TERMS > 0 { P::TERMS } else { terms };
    let scale = if rows % 2 == 0 { 1.0 } else { 2.0 };
    let a = numbers((rows - 1) * P::A_ROW + (terms - 1) * P::A_TERM + 2, 5);
    let b = numbers((terms - 1) * P::B_TERM + (P::COLUMNS - 1) * P::B_COLUMN + 2, 7);
    let start = if terms % 3 == 0 { Vec::new() } else { numbers(P::COLUMNS, 3) };
    // What lies between and after the rows of results stays as it is.
    let before = numbers(rows * P::C_ROW.max(P::COLUMNS) + 40, 11);
    let mut expected = before.clone();
    for row in 0..rows {
        for column in 0..P::COLUMNS {
            let factor = |term: usize| a[1 + row * P::A_ROW + term * P::A_TERM];
            let sum: f32 = (0..terms).map(|term| factor(term) * b[1 + term * P::B_TERM + column * P::B_COLUMN]).sum();
            let place = &mut expected[1 + row * P::C_ROW + column];
            *place = scale * sum + if is_added { *place } else { start.get(column).copied().unwrap_or_default() };
        }
    }
    let what = format!("{rows} rows, {} columns, {terms} terms, {is_added}, {}", P::COLUMNS, P::A_ROW);
    let (a, b, start, c) = (&a[1..], &b[1..], &start[..], &mut [][..]);
    let computation = Product { shape, rows, terms, a, b, scale, start, c, is_added };
    with_all_instructions(&Check { computation, before, expected, what });
}

/// Products with a number of columns or of terms, in each role.
fn check_columns<const COLUMNS: usize>() {
    for size in [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, COLUMNS] {
        check_product(Sizes::<COLUMNS, 0, 70, 1, COLUMNS, 1, COLUMNS>, size, 6, size % 2 == 0);
        check_product(Sizes::<COLUMNS, 0, 1, 70, 71, 1, 72>, size, 5, true);
        check_product(Sizes::<COLUMNS, 0, 0, 1, COLUMNS, 1, 0>, 1, size, false);
        check_product(Sizes::<COLUMNS, 1, 1, 0, 0, 1, COLUMNS>, size, 1, size % 2 == 1);
    }
    // The results are one row of sums over the last axis of both.
    check_product(Sizes::<COLUMNS, 3, 0, 1, 1, 19, 0>, 1, 3, COLUMNS.is_multiple_of(2));
    check_product(Sizes::<5, COLUMNS, 0, 1, 1, COLUMNS, 0>, 1, COLUMNS, !COLUMNS.is_multiple_of(2));
}

macro_rules! check_all_columns {
    ($($columns:literal)*) => { $(check_columns::<$columns>();)* };
}

#[test]
fn products_of_known_sizes_are_right_for_all_columns() {
    // Two vectors of 16 and a rest, and what begins a third: compiling one takes longer than running it.
    check_all_columns!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33);
    check_all_columns!(40 47 48 49 63 64 65 70 128 130);
}

#[test]
fn products_of_known_sizes_are_right_for_all_rows_and_terms() {
    for size in 1..=70 {
        check_product(Sizes::<10, 0, 70, 1, 10, 1, 10>, size, 9, true);
        check_product(Sizes::<37, 0, 1, 70, 37, 1, 37>, size, 4, false);
        check_product(Sizes::<37, 0, 70, 1, 37, 1, 40>, 17, size, true);
        check_product(Sizes::<10, 0, 1, 20, 10, 1, 10>, 16, size, false);
        check_product(Sizes::<45, 0, 0, 3, 46, 1, 0>, 1, size, true);
    }
}

#[test]
fn of_a_known_product_nothing_outside_is_computed() {
    with_all_instructions(Outside);
}

#[derive(Clone, Copy)]
struct Outside;

impl Run for Outside {
    type Output = ();

    #[inline(always)]
    fn run<V: Vectors>(self, vectors: V) {
        let (a, b, mut c) = ([1.0_f64; 30], [1.0; 30], [7.0; 30]);
        let (shape, scale) = (Sizes::<9, 0, 8, 1, 9, 1, 9>, 1.0);
        Product { shape, rows: 8, terms: 9, a: &a, b: &b, scale, start: &[], c: &mut c, is_added: true }.compute(vectors);
        assert!(c.iter().all(|value| value.is_finite()), "{}: {c:?}", core::any::type_name::<V>());
    }
}
