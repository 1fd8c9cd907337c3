//! Many rows and terms: tiles of some rows and vectors of columns, whose sums stay in registers.

use pulp::Simd;

use super::{FEW_ROWS, GROUP, Product, Shape};
use crate::tile::columns::Strips;
use crate::tile::lanes::{Lanes, lanes_of};
use crate::tile::registers::{load_at, multiply_add, start_at, store};

/// A product in tiles.
pub(super) struct Tiles<'p, 'a, T, P>(pub(super) &'p mut Product<'a, T, P>);

impl<T: Lanes, P: Shape> Strips<T> for Tiles<'_, '_, T, P> {
    const COLUMNS: usize = P::COLUMNS;
    const IS_WIDE: bool = false;

    /// All rows: twice as many at once where there is a single vector of columns, and with 32 registers.
    #[inline(always)]
    fn strip<S: Simd, const VECTORS: usize, const PARTIAL: bool>(&mut self, simd: S, column: usize) {
        if const { Product::<T, P>::has_few_rows::<S>() } {
            self.0.few_rows::<S, VECTORS, PARTIAL>(simd, column);
        } else if const { S::REGISTER_COUNT >= 32 && VECTORS == 1 } {
            let row = self.0.rows_by::<S, 16, VECTORS, PARTIAL>(simd, 0, column);
            self.0.rows_by::<S, 8, VECTORS, PARTIAL>(simd, row, column);
        } else if const { S::REGISTER_COUNT >= 32 } {
            self.0.rows_by::<S, 8, VECTORS, PARTIAL>(simd, 0, column);
        } else {
            let row = if const { VECTORS == 1 } { self.0.rows_by::<S, 8, VECTORS, PARTIAL>(simd, 0, column) } else { 0 };
            self.0.rows_by::<S, 4, VECTORS, PARTIAL>(simd, row, column);
        }
    }
}

impl<T: Lanes, P: Shape> Product<'_, T, P> {
    /// Tiles of so many rows from one on, as long as there are so many. The row after them.
    #[inline(always)]
    fn rows_by<S: Simd, const ROWS: usize, const VECTORS: usize, const PARTIAL: bool>(
        &mut self,
        simd: S,
        mut row: usize,
        column: usize,
    ) -> usize {
        while row + ROWS <= self.rows {
            self.tile::<S, 1, ROWS, VECTORS, PARTIAL>(simd, row, column);
            row += ROWS;
        }
        row
    }

    /// All rows where they are fewer than a tile has: those of a window's kernel, of which there are 3, 5 or 7, and fewer at an edge.
    #[inline(always)]
    fn few_rows<S: Simd, const VECTORS: usize, const PARTIAL: bool>(&mut self, simd: S, column: usize) {
        let mut row = 0;
        while row + FEW_ROWS <= self.rows {
            row += match self.rows - row {
                5 if const { P::MOST_ROWS >= 5 } => self.small_tile::<S, 5, VECTORS, PARTIAL>(simd, row, column),
                4 | 7 if const { P::MOST_ROWS >= 4 } => self.small_tile::<S, 4, VECTORS, PARTIAL>(simd, row, column),
                _ => self.small_tile::<S, 3, VECTORS, PARTIAL>(simd, row, column),
            };
        }
    }

    /// A few rows: a single vector of columns of each would wait for itself, and has two sums that take turns. How many rows.
    #[inline(always)]
    fn small_tile<S: Simd, const ROWS: usize, const VECTORS: usize, const PARTIAL: bool>(
        &mut self,
        simd: S,
        row: usize,
        column: usize,
    ) -> usize {
        if const { VECTORS == 1 } {
            self.tile::<S, 2, ROWS, VECTORS, PARTIAL>(simd, row, column);
        } else {
            self.tile::<S, 1, ROWS, VECTORS, PARTIAL>(simd, row, column);
        }
        ROWS
    }

    /// Some rows and vectors of columns, with so many sums of each.
    #[inline(always)]
    fn tile<S: Simd, const SUMS: usize, const ROWS: usize, const VECTORS: usize, const PARTIAL: bool>(
        &mut self,
        simd: S,
        row: usize,
        column: usize,
    ) {
        let width = Self::width::<S, VECTORS, PARTIAL>();
        let one = T::from_f64(1.0);
        let is_plain = !self.is_added && self.scale == one;
        let zero = [T::splat(simd, T::default()); VECTORS];
        let start = if self.is_added { zero } else { start_at::<S, T, VECTORS, PARTIAL>(simd, self.start, column, width) };
        let mut all_sums = [[zero; ROWS]; SUMS];
        if is_plain {
            all_sums[0] = [start; ROWS];
        }
        if const { P::HAS_SUMS_AROUND } {
            let around = self.shape.around();
            let [outer, middle] = around.levels;
            for outer_at in 0..outer.count {
                for middle_at in 0..middle.count {
                    let (a_at, b_at) = around.place(outer_at, middle_at);
                    let a = self.a.get(a_at.wrapping_add(row * P::A_ROW)..);
                    let (Some(a), Some(b)) = (a, self.b.get(b_at.wrapping_add(column)..)) else { return };
                    self.add_terms::<S, SUMS, ROWS, VECTORS, PARTIAL>(simd, &mut all_sums, (a, b), width);
                }
            }
        } else {
            let (Some(a), Some(b)) = (self.a.get(row * P::A_ROW..), self.b.get(column..)) else { return };
            self.add_terms::<S, SUMS, ROWS, VECTORS, PARTIAL>(simd, &mut all_sums, (a, b), width);
        }
        let mut sums = all_sums[0];
        if const { SUMS > 1 } {
            for others in &all_sums[1..] {
                for (sum, other) in sums.as_flattened_mut().iter_mut().zip(others.as_flattened()) {
                    *sum = T::plus(simd, *sum, *other);
                }
            }
        }
        let Some(c) = self.c.get_mut(row * P::C_ROW + column..) else { return };
        let Some(c) = c.get_mut(..(ROWS - 1) * P::C_ROW + width) else { return };
        if !is_plain {
            let scale = T::splat(simd, self.scale);
            for (row, sums) in sums.iter_mut().enumerate() {
                let before =
                    if self.is_added { load_at::<S, T, VECTORS, PARTIAL>(simd, c, row * P::C_ROW, width) } else { Some(start) };
                let Some(before) = before else { return };
                for (sum, before) in sums.iter_mut().zip(before) {
                    *sum = T::multiply_add(simd, scale, *sum, before);
                }
            }
        }
        // Where rows are shorter than a vector, it may go over into the rows after it, which are written then.
        let goes_over = PARTIAL && P::COLUMNS == width && P::C_ROW == width;
        for (row, sums) in sums.iter().enumerate() {
            let Some(c) = c.get_mut(row * P::C_ROW..) else { return };
            match c.get_mut(..lanes_of::<T, S>()) {
                Some(whole) if goes_over => store::<S, T, VECTORS, false>(simd, whole, *sums),
                _ => {
                    let Some(c) = c.get_mut(..width) else { return };
                    store::<S, T, VECTORS, PARTIAL>(simd, c, *sums);
                }
            }
        }
    }

    /// Adds all terms to the sums of a tile: by turns, where it has several of each.
    #[inline(always)]
    pub(super) fn add_terms<S: Simd, const SUMS: usize, const ROWS: usize, const VECTORS: usize, const PARTIAL: bool>(
        &self,
        simd: S,
        sums: &mut [[[T::Vector<S>; VECTORS]; ROWS]; SUMS],
        (a, b): (&[T], &[T]),
        width: usize,
    ) {
        let a_group = (GROUP - 1) * P::A_TERM + (ROWS - 1) * P::A_ROW + 1;
        let b_group = (GROUP - 1) * P::B_TERM + VECTORS * lanes_of::<T, S>();
        let mut term = 0;
        while term + GROUP <= self.terms() {
            let Some(a) = a.get(term * P::A_TERM..).and_then(|a| a.get(..a_group)) else { break };
            let Some(b) = b.get(term * P::B_TERM..).and_then(|b| b.get(..b_group)) else { break };
            for at in 0..GROUP {
                let (a, b) = ((a, at * P::A_TERM), (b, at * P::B_TERM));
                Self::add::<S, ROWS, VECTORS, PARTIAL>(simd, &mut sums[at % SUMS], a, b, width);
            }
            term += GROUP;
        }
        // Of a partial vector, the last group may be read beyond the end of the numbers: its terms come one by one.
        while const { PARTIAL || P::TERMS == 0 || !P::TERMS.is_multiple_of(GROUP) } && term < self.terms() {
            let Some(a) = a.get(term * P::A_TERM..).and_then(|a| a.get(..(ROWS - 1) * P::A_ROW + 1)) else { return };
            Self::add::<S, ROWS, VECTORS, PARTIAL>(simd, &mut sums[0], (a, 0), (b, term * P::B_TERM), width);
            term += 1;
        }
    }

    /// Adds a term to the sums of a tile.
    #[inline(always)]
    fn add<S: Simd, const ROWS: usize, const VECTORS: usize, const PARTIAL: bool>(
        simd: S,
        sums: &mut [[T::Vector<S>; VECTORS]; ROWS],
        (a, a_at): (&[T], usize),
        (b, b_at): (&[T], usize),
        width: usize,
    ) {
        let Some(columns) = load_at::<S, T, VECTORS, PARTIAL>(simd, b, b_at, width) else { return };
        let mut factors = [T::default(); ROWS];
        for (row, factor) in factors.iter_mut().enumerate() {
            *factor = a.get(a_at + row * P::A_ROW).copied().unwrap_or_default();
        }
        multiply_add(simd, sums, &factors, columns);
    }
}
