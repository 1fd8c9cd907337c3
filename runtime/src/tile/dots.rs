//! Products of rows with rows: the columns of a matrix that lies the other way round.

use pulp::Simd;

use super::contraction::Contraction;
use super::lanes::{Lanes, lanes_of};

/// So many columns share what is loaded of a row, and their sums are independent.
const COLUMNS: usize = 4;

/// Computes a contraction whose terms lie beside each other in both operands.
#[inline(always)]
pub(super) fn dots<S: Simd, T: Lanes>(simd: S, mut all: Contraction<'_, T>) {
    for row in 0..all.rows {
        let mut column = 0;
        while column + COLUMNS <= all.columns {
            some::<S, T, COLUMNS>(simd, &mut all, row, column);
            column += COLUMNS;
        }
        while column < all.columns {
            some::<S, T, 1>(simd, &mut all, row, column);
            column += 1;
        }
    }
}

/// Some columns of a row.
#[inline(always)]
fn some<S: Simd, T: Lanes, const COUNT: usize>(simd: S, all: &mut Contraction<'_, T>, row: usize, column: usize) {
    let lanes = lanes_of::<T, S>();
    let mut sums = [T::splat(simd, T::default()); COUNT];
    let [outer, middle, inner] = all.levels;
    for outer_at in 0..outer.count {
        for middle_at in 0..middle.count {
            let place = |first: usize, outer: usize, middle: usize| {
                first.wrapping_add(outer_at.wrapping_mul(outer)).wrapping_add(middle_at.wrapping_mul(middle))
            };
            let a_at = place(all.a_at, outer.a, middle.a).wrapping_add(row * all.a_row);
            let b_at = place(all.b_at, outer.b, middle.b).wrapping_add(column * all.b_column);
            let Some(a) = all.a.get(a_at..).and_then(|a| a.get(..inner.count)) else { return };
            let mut rows: [&[T]; COUNT] = [&[]; COUNT];
            let mut vectors: [&[T::Vector<S>]; COUNT] = [&[]; COUNT];
            for (at, (row, vectors)) in rows.iter_mut().zip(&mut vectors).enumerate() {
                let b_at = b_at.wrapping_add(at * all.b_column);
                let Some(found) = all.b.get(b_at..).and_then(|b| b.get(..inner.count)) else { return };
                (*row, *vectors) = (found, T::vectors::<S>(found));
            }
            for (at, factors) in T::vectors::<S>(a).iter().enumerate() {
                for (sum, row) in sums.iter_mut().zip(vectors) {
                    if let Some(numbers) = row.get(at) {
                        *sum = T::multiply_add(simd, *factors, *numbers, *sum);
                    }
                }
            }
            let done = inner.count - inner.count % lanes;
            if done < inner.count {
                let factors = T::load_rest(simd, a.get(done..).unwrap_or(&[]));
                for (sum, row) in sums.iter_mut().zip(rows) {
                    let numbers = T::load_rest(simd, row.get(done..).unwrap_or(&[]));
                    *sum = T::multiply_add(simd, factors, numbers, *sum);
                }
            }
        }
    }
    for (at, sum) in sums.into_iter().enumerate() {
        let column = column + at;
        let Some(c) = all.c.get_mut(row * all.c_row + column) else { return };
        let before = if all.is_added { *c } else { all.start.get(column).copied().unwrap_or_default() };
        *c = all.scale * T::total(simd, sum) + before;
    }
}
