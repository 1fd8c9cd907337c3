//! One term: each row is a multiple of the same row, the product of a column and a row.

use pulp::Simd;

use super::{Product, Shape};
use crate::tile::columns::Strips;
use crate::tile::elements::Elements;
use crate::tile::lanes::{Lanes, lanes_of};
use crate::tile::permute::{has_permutation, permuted};
use crate::tile::registers::{load, load_at, start_at, store};
use crate::tile::transpose::MOST_LANES;

/// Rows of at most so many columns may be computed as one long row.
const MOST_COLUMNS: usize = 4 * MOST_LANES;

/// A product of a column and a row.
pub(super) struct Outer<'p, 'a, T, P>(pub(super) &'p mut Product<'a, T, P>);

impl<T: Lanes, P: Shape> Strips<T> for Outer<'_, '_, T, P> {
    const COLUMNS: usize = P::COLUMNS;
    const IS_WIDE: bool = true;

    #[inline(always)]
    fn strip<S: Simd, const VECTORS: usize, const PARTIAL: bool>(&mut self, simd: S, column: usize) {
        self.0.multiples::<S, VECTORS, PARTIAL>(simd, column);
    }
}

impl<T: Lanes, P: Shape> Product<'_, T, P> {
    /// Whether there is one term, and rows are not much shorter than a vector.
    pub(super) const fn is_outer<S: Simd>() -> bool {
        P::A_TERM == 0 && P::A_ROW != 0 && P::B_COLUMN == 1 && (P::COLUMNS >= lanes_of::<T, S>() || Self::is_long_row::<S>())
    }

    /// Whether the rows of results lie in one long row, of which each vector has numbers of at most three.
    pub(super) const fn is_long_row<S: Simd>() -> bool {
        let lanes = lanes_of::<T, S>();
        P::C_ROW == P::COLUMNS && P::COLUMNS <= MOST_COLUMNS && !P::COLUMNS.is_multiple_of(lanes) && 2 * P::COLUMNS >= lanes
    }

    /// After how many rows the next begins with a vector of the long row again.
    pub(super) const fn rows_of_period<S: Simd>() -> usize {
        let lanes = lanes_of::<T, S>();
        let twos = 1 << P::COLUMNS.trailing_zeros();
        if Self::is_long_row::<S>() && twos < lanes { lanes / twos } else { 1 }
    }

    /// Columns side by side in all rows, each a multiple of the same numbers.
    #[inline(always)]
    fn multiples<S: Simd, const VECTORS: usize, const PARTIAL: bool>(&mut self, simd: S, column: usize) {
        let width = Self::width::<S, VECTORS, PARTIAL>();
        let Some(numbers) = load_at::<S, T, VECTORS, PARTIAL>(simd, self.b, column, width) else { return };
        let start = start_at::<S, T, VECTORS, PARTIAL>(simd, self.start, column, width);
        for row in 0..self.rows {
            let Some(factor) = self.a.get(row * P::A_ROW) else { return };
            let factor = T::splat(simd, self.scale * *factor);
            let Some(c) = self.c.get_mut(row * P::C_ROW + column..).and_then(|c| c.get_mut(..width)) else { return };
            let mut sums = if self.is_added { load::<S, T, VECTORS, PARTIAL>(simd, c) } else { start };
            for (sum, number) in sums.iter_mut().zip(numbers) {
                *sum = T::multiply_add(simd, factor, number, *sum);
            }
            store::<S, T, VECTORS, PARTIAL>(simd, c, sums);
        }
    }
}

/// Where the lanes of the vectors of a long row find their factors, in so many rows, and their numbers, in one row of so many columns.
const fn places(columns: usize) -> [[[u32; MOST_LANES]; 2]; MOST_LANES] {
    let mut places = [[[0; MOST_LANES]; 2]; MOST_LANES];
    let mut at = 0;
    while at < MOST_LANES * MOST_LANES {
        let (vector, lane) = (at / MOST_LANES, at % MOST_LANES);
        places[vector][0][lane] = (at / columns % MOST_LANES) as u32;
        places[vector][1][lane] = (at % columns) as u32;
        at += 1;
    }
    places
}

impl<T: Elements, P: Shape> Product<'_, T, P> {
    /// [`Self::long_row`] where a vector holds a row, and an instruction takes the lanes of another vector in any order; else nothing.
    #[inline(always)]
    fn permuted_row<S: Simd>(&mut self, simd: S) -> Option<()> {
        let places = const { places(P::COLUMNS) };
        let rows = const { Self::rows_of_period::<S>() };
        let vectors = rows * P::COLUMNS / lanes_of::<T, S>();
        let row = T::load_rest(simd, self.b.get(..P::COLUMNS)?);
        let mut numbers = [T::splat(simd, self.scale); MOST_LANES];
        for (numbers, [_, columns]) in numbers.iter_mut().zip(&places).take(vectors) {
            *numbers = T::times(simd, *numbers, permuted::<S, T>(simd, row, *columns)?);
        }
        for first in (0..self.whole_rows::<S>()).step_by(rows) {
            let Some(a) = self.a.get(first..first + rows) else { break };
            let Some(c) = self.c.get_mut(first * P::COLUMNS..).and_then(|c| c.get_mut(..rows * P::COLUMNS)) else { break };
            let factors = T::load_rest(simd, a);
            for ((c, numbers), [rows, _]) in T::vectors_mut::<S>(c).iter_mut().zip(numbers).zip(&places) {
                *c = T::multiply_add(simd, permuted::<S, T>(simd, factors, *rows)?, numbers, *c);
            }
        }
        Some(())
    }

    /// All rows as one, in whole vectors: stores of parts of vectors, or over each other, take several times as long.
    #[inline(always)]
    pub(super) fn long_row<S: Simd>(&mut self, simd: S) {
        let lanes = lanes_of::<T, S>();
        if const { has_permutation::<S, T>() && P::COLUMNS < lanes_of::<T, S>() && P::A_ROW == 1 }
            && self.is_added
            && self.permuted_row(simd).is_some()
        {
            return;
        }
        let rows = const { Self::rows_of_period::<S>() };
        let vectors = rows * P::COLUMNS / lanes;
        let Some(numbers) = self.b.get(..P::COLUMNS) else { return };
        let start = if self.is_added { &[] } else { self.start.get(..P::COLUMNS).unwrap_or(&[]) };
        let (numbers, start) = (repeated(numbers, self.scale), repeated(start, T::from_f64(1.0)));
        let mut lane_numbers = [T::default(); MOST_LANES];
        for (lane, number) in lane_numbers.iter_mut().enumerate() {
            *number = T::from_f64(lane as f64);
        }
        let [lane_numbers] = load::<S, T, 1, false>(simd, &lane_numbers);
        for first in (0..self.whole_rows::<S>()).step_by(rows) {
            let Some(a) = self.a.get(first * P::A_ROW..).and_then(|a| a.get(..(rows - 1) * P::A_ROW + 1)) else { return };
            let Some(c) = self.c.get_mut(first * P::COLUMNS..).and_then(|c| c.get_mut(..rows * P::COLUMNS)) else { return };
            for (at, c) in T::vectors_mut::<S>(c).iter_mut().take(vectors).enumerate() {
                // All of this is constant where the loop is written out.
                let (row, column) = (at * lanes / P::COLUMNS, at * lanes % P::COLUMNS);
                let [first, second, third] =
                    [row, row + 1, row + 2].map(|row| a.get(row * P::A_ROW).copied().unwrap_or_default());
                let [in_first, in_two] = [P::COLUMNS - column, 2 * P::COLUMNS - column].map(|count| T::from_f64(count as f64));
                let is_in_two = T::less(simd, lane_numbers, T::splat(simd, in_two));
                let is_in_first = T::less(simd, lane_numbers, T::splat(simd, in_first));
                let after = T::select(simd, is_in_two, T::splat(simd, second), T::splat(simd, third));
                let factors = T::select(simd, is_in_first, T::splat(simd, first), after);
                let Some([numbers]) = load_at::<S, T, 1, false>(simd, &numbers, column, lanes) else { return };
                let before = if self.is_added { Some([*c]) } else { load_at::<S, T, 1, false>(simd, &start, column, lanes) };
                let Some([before]) = before else { return };
                *c = T::multiply_add(simd, factors, numbers, before);
            }
        }
    }
}

/// A multiple of a row over and over again; 0 if it is empty.
#[inline(always)]
fn repeated<T: Lanes>(row: &[T], scale: T) -> [T; MOST_COLUMNS + MOST_LANES] {
    let mut numbers = [T::default(); MOST_COLUMNS + MOST_LANES];
    if !row.is_empty() {
        for part in numbers.chunks_mut(row.len()) {
            for (number, of_row) in part.iter_mut().zip(row) {
                *number = scale * *of_row;
            }
        }
    }
    numbers
}
