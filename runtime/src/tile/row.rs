//! A single row of results: nothing but its columns can be computed side by side, so that the terms are split up as well.

use pulp::Simd;

use super::columns::Strips;
use super::contraction::Contraction;
use super::lanes::{Lanes, lanes_of};
use super::registers::{added_up, finish, load_at, multiply_add, start_at};

/// A contraction with one row, whose numbers lie beside each other.
pub(super) struct Row<'a, T>(pub(super) Contraction<'a, T>);

impl<T: Lanes> Strips<T> for Row<'_, T> {
    const COLUMNS: usize = 0;
    const IS_WIDE: bool = true;

    #[inline(always)]
    fn columns(&self) -> usize {
        self.0.columns
    }

    /// A sum takes several turns until the next can be added to it: there are about as many sums as turns.
    #[inline(always)]
    fn strip<S: Simd, const VECTORS: usize, const PARTIAL: bool>(&mut self, simd: S, column: usize) {
        if const { VECTORS >= 4 } {
            part::<S, T, VECTORS, 1, PARTIAL>(simd, &mut self.0, column);
        } else {
            part::<S, T, VECTORS, 4, PARTIAL>(simd, &mut self.0, column);
        }
    }
}

/// Some vectors of columns, with several sums of each.
#[inline(always)]
fn part<S: Simd, T: Lanes, const VECTORS: usize, const SUMS: usize, const PARTIAL: bool>(
    simd: S,
    all: &mut Contraction<'_, T>,
    column: usize,
) {
    let width = if PARTIAL { all.columns - column } else { VECTORS * lanes_of::<T, S>() };
    let mut sums = [[T::splat(simd, T::default()); VECTORS]; SUMS];
    let [outer, middle, inner] = all.levels;
    for outer_at in 0..outer.count {
        for middle_at in 0..middle.count {
            let place = |first: usize, outer: usize, middle: usize| {
                first.wrapping_add(outer_at.wrapping_mul(outer)).wrapping_add(middle_at.wrapping_mul(middle))
            };
            let (mut a_at, mut b_at) =
                (place(all.a_at, outer.a, middle.a), place(all.b_at, outer.b, middle.b).wrapping_add(column));
            for _ in 0..inner.count / SUMS {
                for sum in &mut sums {
                    add::<S, T, VECTORS, PARTIAL>(simd, sum, (all.a, a_at), (all.b, b_at), width);
                    (a_at, b_at) = (a_at.wrapping_add(inner.a), b_at.wrapping_add(inner.b));
                }
            }
            for _ in 0..inner.count % SUMS {
                add::<S, T, VECTORS, PARTIAL>(simd, &mut sums[0], (all.a, a_at), (all.b, b_at), width);
                (a_at, b_at) = (a_at.wrapping_add(inner.a), b_at.wrapping_add(inner.b));
            }
        }
    }
    let start = start_at::<S, T, VECTORS, PARTIAL>(simd, all.start, column, width);
    let Some(c) = all.c.get_mut(column..column + width) else { return };
    let sums = added_up::<S, T, VECTORS>(simd, &sums);
    finish::<S, T, VECTORS, PARTIAL>(simd, sums, all.scale, (!all.is_added).then_some(start), c);
}

/// Adds a term to a sum.
#[inline(always)]
fn add<S: Simd, T: Lanes, const VECTORS: usize, const PARTIAL: bool>(
    simd: S,
    sums: &mut [T::Vector<S>; VECTORS],
    (a, a_at): (&[T], usize),
    (b, b_at): (&[T], usize),
    width: usize,
) {
    let Some(factor) = a.get(a_at) else { return };
    let Some(columns) = load_at::<S, T, VECTORS, PARTIAL>(simd, b, b_at, width) else { return };
    multiply_add(simd, core::array::from_mut(sums), &[*factor], columns);
}
