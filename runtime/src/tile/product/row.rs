//! A single row, a vector times a matrix: each term is a row of numbers times a factor.

use pulp::Simd;

use super::{GROUP, Product, Shape};
use crate::tile::lanes::Lanes;
use crate::tile::registers::{added_up, finish, start_at};

impl<T: Lanes, P: Shape> Product<'_, T, P> {
    /// Parts of all columns, as wide as will do: about as many sums as an addition takes turns.
    #[inline(always)]
    pub(super) fn row<S: Simd>(&mut self, simd: S) {
        let lanes = T::lanes::<S>();
        let mut column = 0;
        while column + 8 * lanes <= P::COLUMNS {
            self.part::<S, 8, 1, false>(simd, column);
            column += 8 * lanes;
        }
        while column + 2 * lanes <= P::COLUMNS {
            self.part::<S, 2, 4, false>(simd, column);
            column += 2 * lanes;
        }
        if column + lanes <= P::COLUMNS {
            self.part::<S, 1, 4, false>(simd, column);
            column += lanes;
        }
        if column < P::COLUMNS {
            self.part::<S, 1, 4, true>(simd, column);
        }
    }

    /// Columns side by side where there is one row, with several sums of each, so that none waits for another.
    #[inline(always)]
    fn part<S: Simd, const VECTORS: usize, const SUMS: usize, const PARTIAL: bool>(&mut self, simd: S, column: usize) {
        let width = Self::width::<S, VECTORS, PARTIAL>();
        let mut sums = [[T::splat(simd, T::default()); VECTORS]; SUMS];
        let Some(b) = self.b.get(column..) else { return };
        let b_group = (GROUP - 1) * P::B_TERM + VECTORS * T::lanes::<S>();
        let mut term = 0;
        while term + GROUP <= self.terms() {
            let Some(a) = self.a.get(term * P::A_TERM..).and_then(|a| a.get(..(GROUP - 1) * P::A_TERM + 1)) else { break };
            let Some(b) = b.get(term * P::B_TERM..).and_then(|b| b.get(..b_group)) else { break };
            for at in 0..GROUP {
                let sum = core::array::from_mut(&mut sums[at % SUMS]);
                Self::add::<S, 1, VECTORS, PARTIAL>(simd, sum, (a, at * P::A_TERM), (b, at * P::B_TERM), width);
            }
            term += GROUP;
        }
        while term < self.terms() {
            let sum = core::array::from_mut(&mut sums[0]);
            Self::add::<S, 1, VECTORS, PARTIAL>(simd, sum, (self.a, term * P::A_TERM), (b, term * P::B_TERM), width);
            term += 1;
        }
        let start = start_at::<S, T, VECTORS, PARTIAL>(simd, self.start, column, width);
        let Some(c) = self.c.get_mut(column..).and_then(|c| c.get_mut(..width)) else { return };
        let sums = added_up::<S, T, VECTORS, SUMS>(simd, sums);
        finish::<S, T, VECTORS, PARTIAL>(simd, sums, self.scale, (!self.is_added).then_some(start), c);
    }
}
