//! Contractions by all sets of instructions against sums written out.

extern crate std;

use std::format;
use std::vec::Vec;

use pulp::Simd;

use super::contraction::Tiles;
use super::{Contraction, Level, vectorized};

/// The numbers from 1 to 13 in some order, exact in sums of products.
fn numbers(count: usize, step: usize) -> Vec<f32> {
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
    let what = format!("{rows} rows, {columns} columns, {terms} terms, {is_beside}, {is_added}");
    by_all_instructions(&what, &before, &expected, &mut |c, compute| {
        let (a, b, start) = (&a[..], &b[..], &start[..]);
        let (a_at, b_at, b_column, scale, c_row) = (0, 0, 1, 2.0, columns);
        compute(Contraction { rows, columns, a, a_at, a_row, b, b_at, b_column, levels, scale, start, c, c_row, is_added });
    });
}

/// Given results and what computes a contraction, computes one into the results.
type WithContraction<'a> = dyn FnMut(&mut [f32], &dyn Fn(Contraction<'_, f32>)) + 'a;

/// Computes a contraction with each set of instructions that this machine has.
fn by_all_instructions(what: &str, before: &[f32], expected: &[f32], with_contraction: &mut WithContraction<'_>) {
    let mut computed = before.to_vec();
    with_contraction(&mut computed, &|contraction| Simd::vectorize(pulp::Scalar::new(), Tiles(contraction)));
    assert_eq!(computed, expected, "no vectors: {what}");
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(simd) = pulp::x86::V3::try_new() {
            computed.copy_from_slice(before);
            with_contraction(&mut computed, &|contraction| Simd::vectorize(simd, Tiles(contraction)));
            assert_eq!(computed, expected, "AVX2: {what}");
        }
        if let Some(simd) = pulp::x86::V4::try_new() {
            computed.copy_from_slice(before);
            with_contraction(&mut computed, &|contraction| Simd::vectorize(simd, Tiles(contraction)));
            assert_eq!(computed, expected, "AVX-512: {what}");
        }
    }
    computed.copy_from_slice(before);
    with_contraction(&mut computed, &|contraction| vectorized(contraction));
    assert_eq!(computed, expected, "the best instructions: {what}");
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
    by_all_instructions(
        &format!("dots: {rows} rows, {columns} columns, {terms} terms"),
        &before,
        &expected,
        &mut |c, compute| {
            let (a, b, start) = (&a[..], &b[..], &start[..]);
            let (a_at, b_at, a_row, b_column, scale, c_row) = (0, 1, terms, terms, 1.0, columns);
            compute(Contraction { rows, columns, a, a_at, a_row, b, b_at, b_column, levels, scale, start, c, c_row, is_added });
        },
    );
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
    let mut c = std::vec![0.0; rows * columns];
    let levels = [
        Level { count: 2, a: rows * 4, b: 5 * 4 * columns },
        Level { count: 5, a: 0, b: 4 * columns },
        Level { count: 4, a: 1, b: columns },
    ];
    let (a, b, c_row) = (&a[..], &b[..], columns);
    vectorized(Contraction {
        rows,
        columns,
        a,
        a_at: 0,
        a_row: 4,
        b,
        b_at: 0,
        b_column: 1,
        levels,
        scale: 1.0,
        start: &[],
        c: &mut c,
        c_row,
        is_added: false,
    });
    assert_eq!(c, expected);
}

#[test]
fn sums_run_backwards_too() {
    let (a, b) = (numbers(5, 5), numbers(5 * 3, 7));
    let expected: Vec<f32> = (0..3).map(|column| (0..5).map(|term| a[term] * b[(4 - term) * 3 + column]).sum()).collect();
    let mut c = [0.0; 3];
    let one = Level { count: 1, a: 0, b: 0 };
    let levels = [one, one, Level { count: 5, a: 1, b: 3_usize.wrapping_neg() }];
    let (a, b, start) = (&a[..], &b[..], &[][..]);
    let (rows, columns, a_row, b_at, c_row) = (1, 3, 5, 12, 3);
    vectorized(Contraction {
        rows,
        columns,
        a,
        a_at: 0,
        a_row,
        b,
        b_at,
        b_column: 1,
        levels,
        scale: 1.0,
        start,
        c: &mut c,
        c_row,
        is_added: false,
    });
    assert_eq!(c[..], expected);
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
