//! A single row, a vector times a matrix: each term is a row of numbers times a factor.

use pulp::Simd;

use super::{GROUP, Product, Shape};
use crate::tile::columns::Strips;
use crate::tile::lanes::Lanes;
use crate::tile::registers::{added_up, finish, start_at};

/// A product of one row.
pub(super) struct Row<'p, 'a, T, P>(pub(super) &'p mut Product<'a, T, P>);

impl<T: Lanes, P: Shape> Strips<T> for Row<'_, '_, T, P> {
    const COLUMNS: usize = P::COLUMNS;
    const IS_WIDE: bool = true;

    /// In about as many sums as an addition takes turns.
    #[inline(always)]
    fn strip<S: Simd, const VECTORS: usize, const PARTIAL: bool>(&mut self, simd: S, column: usize) {
        if const { VECTORS >= GROUP } {
            self.0.part::<S, VECTORS, 1, PARTIAL>(simd, column);
        } else {
            self.0.part::<S, VECTORS, GROUP, PARTIAL>(simd, column);
        }
    }
}

impl<T: Lanes, P: Shape> Product<'_, T, P> {
    /// Columns side by side where there is one row, with several sums of each, so that none waits for another.
    #[inline(always)]
    fn part<S: Simd, const VECTORS: usize, const SUMS: usize, const PARTIAL: bool>(&mut self, simd: S, column: usize) {
        let width = Self::width::<S, VECTORS, PARTIAL>();
        let mut sums = [[[T::splat(simd, T::default()); VECTORS]]; SUMS];
        let Some(b) = self.b.get(column..) else { return };
        self.add_terms::<S, SUMS, 1, VECTORS, PARTIAL>(simd, &mut sums, (self.a, b), width);
        let start = start_at::<S, T, VECTORS, PARTIAL>(simd, self.start, column, width);
        let Some(c) = self.c.get_mut(column..).and_then(|c| c.get_mut(..width)) else { return };
        let sums = added_up::<S, T, VECTORS>(simd, sums.as_flattened());
        finish::<S, T, VECTORS, PARTIAL>(simd, sums, self.scale, (!self.is_added).then_some(start), c);
    }
}
