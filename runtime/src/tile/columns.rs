//! The columns of results, several vectors of them at once.

use pulp::Simd;

use super::lanes::{Lanes, lanes_of};

/// The most vectors that are computed side by side.
const MOST_VECTORS: usize = 8;
/// The next fewer.
const FEW_VECTORS: usize = 2;

/// What computes some vectors of columns.
pub(super) trait Strips<T: Lanes> {
    /// How many columns there are; 0 where that is looked at when they are computed.
    const COLUMNS: usize;
    /// Whether as many vectors as may be are computed side by side, or few.
    const IS_WIDE: bool;

    /// How many columns there are.
    fn columns(&self) -> usize {
        Self::COLUMNS
    }

    /// Computes so many vectors of columns from one on; of the last, where it is partial, those that there are.
    fn strip<S: Simd, const VECTORS: usize, const PARTIAL: bool>(&mut self, simd: S, column: usize);

    /// Computes all columns, as wide as will do, in the order in which they lie.
    ///
    /// What no number of columns needs is not compiled.
    #[inline(always)]
    fn all<S: Simd>(&mut self, simd: S) {
        let (lanes, columns) = (lanes_of::<T, S>(), self.columns());
        let mut column = 0;
        if const { Self::IS_WIDE && has::<T, S>(Self::COLUMNS, usize::MAX, MOST_VECTORS) } {
            while column + MOST_VECTORS * lanes <= columns {
                self.strip::<S, MOST_VECTORS, false>(simd, column);
                column += MOST_VECTORS * lanes;
            }
        }
        if const { has::<T, S>(Self::COLUMNS, if Self::IS_WIDE { MOST_VECTORS } else { usize::MAX }, FEW_VECTORS) } {
            while column + FEW_VECTORS * lanes <= columns {
                self.strip::<S, FEW_VECTORS, false>(simd, column);
                column += FEW_VECTORS * lanes;
            }
        }
        if const { has::<T, S>(Self::COLUMNS, FEW_VECTORS, 1) } && column + lanes <= columns {
            self.strip::<S, 1, false>(simd, column);
            column += lanes;
        }
        if const { has_rest::<T, S>(Self::COLUMNS) } && column < columns {
            self.strip::<S, 1, true>(simd, column);
        }
    }
}

/// Whether so many vectors may be left of some columns once no wider part is.
const fn has<T: Lanes, S: Simd>(columns: usize, wider: usize, vectors: usize) -> bool {
    columns == 0 || columns / lanes_of::<T, S>() % wider >= vectors
}

/// Whether less than a vector may be left.
const fn has_rest<T: Lanes, S: Simd>(columns: usize) -> bool {
    columns == 0 || !columns.is_multiple_of(lanes_of::<T, S>())
}
