//! Sums over windows: products at each place of a window, added up.

use super::{Around, Shape};
use crate::tile::contraction::Level;

/// A shape whose sums are inside of one or two others, which are known when they are computed: how many places a window has within its
/// tensor is different at its edges. There are at most so many rows.
#[derive(Clone, Copy, Debug)]
pub struct Windows<const MOST_ROWS: usize, P> {
    /// The shape at one place.
    pub sizes: P,
    /// The sums around, from the outermost.
    pub levels: [Level; 2],
    /// Where the first row has its first factor.
    pub a_at: usize,
    /// Where the first row of numbers has its first.
    pub b_at: usize,
}

impl<const MOST_ROWS: usize, P: Shape> Shape for Windows<MOST_ROWS, P> {
    const COLUMNS: usize = P::COLUMNS;
    const TERMS: usize = P::TERMS;
    const A_ROW: usize = P::A_ROW;
    const A_TERM: usize = P::A_TERM;
    const B_TERM: usize = P::B_TERM;
    const B_COLUMN: usize = P::B_COLUMN;
    const C_ROW: usize = P::C_ROW;
    const MOST_ROWS: usize = MOST_ROWS;
    const HAS_SUMS_AROUND: bool = true;

    #[inline(always)]
    fn around(&self) -> Around {
        Around { levels: self.levels, a_at: self.a_at, b_at: self.b_at }
    }
}
