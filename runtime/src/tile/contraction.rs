//! Sums of products over many rows at once, in vector registers.
//!
//! One routine for all networks: it is compiled once, with this crate, for each set of instructions that a machine may have, and
//! generated code calls it with the sizes. A call computes in tiles of some rows and some vectors of columns, whose sums stay in
//! registers from the first product to the last: each number of the row is loaded once for all rows of a tile, each factor
//! once for all its columns. The sizes of tiles follow from how many registers there are. Operands are read as they lie, nothing is packed.

use pulp::{Simd, WithSimd};

use super::columns::Strips;
use super::instructions::Vectors;
use super::lanes::{Lanes, lanes_of};
use super::registers::{added_up, finish, load_at, multiply_add, start_at};
use super::row::Row;

/// One of the sums inside each other.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    /// How many terms.
    pub count: usize,
    /// How far it is in the factors from one term to the next. Backwards: the negative, as [`usize::wrapping_neg`] has it.
    pub a: usize,
    /// How far it is in the rows from one term to the next, likewise.
    pub b: usize,
}

/// `c[row][column] = start[column] + sum(a[row] * b[column])`, over at most three sums inside each other.
///
/// Numbers that would be outside of a slice are not computed.
#[derive(Debug)]
pub struct Contraction<'a, T> {
    /// How many rows.
    pub rows: usize,
    /// How many columns.
    pub columns: usize,
    /// The factors.
    pub a: &'a [T],
    /// Where the first row has its first.
    pub a_at: usize,
    /// How far it is from a row's factor to the next row's.
    pub a_row: usize,
    /// The rows of numbers.
    pub b: &'a [T],
    /// Where the first has its first.
    pub b_at: usize,
    /// How far it is from a number of a row to the next: 1, or a row of numbers is a column of what they are stored in. Then the terms of
    /// the innermost sum lie beside each other in both operands.
    pub b_column: usize,
    /// The sums, from the outermost.
    pub levels: [Level; 3],
    /// What all factors are multiplied by.
    pub scale: T,
    /// What sums start with in each column; 0 if empty.
    pub start: &'a [T],
    /// The results, from the first.
    pub c: &'a mut [T],
    /// How far it is from a row of results to the next.
    pub c_row: usize,
    /// Whether the sums are added to what is there.
    pub is_added: bool,
}

impl<T: Lanes> Contraction<'_, T> {
    /// Computes it.
    #[inline(always)]
    pub fn compute<V: Vectors>(self, vectors: V) {
        T::contract(vectors, self);
    }
}

/// A contraction as a task for vectors.
pub(super) struct Tiles<'a, T>(pub(super) Contraction<'a, T>);

impl<T: Lanes> WithSimd for Tiles<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.merge_levels();
        if self.0.b_column != 1 {
            super::dots::dots(simd, self.0);
        } else if self.0.rows == 1 {
            Row(self.0).all(simd);
        } else {
            self.all(simd);
        }
    }
}

impl<T: Lanes> Strips<T> for Tiles<'_, T> {
    const COLUMNS: usize = 0;
    const IS_WIDE: bool = false;

    #[inline(always)]
    fn columns(&self) -> usize {
        self.0.columns
    }

    /// All rows.
    #[inline(always)]
    fn strip<S: Simd, const VECTORS: usize, const PARTIAL: bool>(&mut self, simd: S, column: usize) {
        let (mut row, rows) = (0, self.0.rows);
        if const { S::REGISTER_COUNT >= 32 } {
            while row + 8 <= rows {
                self.tile::<S, 8, VECTORS, PARTIAL>(simd, row, column);
                row += 8;
            }
        }
        while row < rows {
            // Windows have 3 or 5 rows: a tile of their own leaves no single one.
            row += match rows - row {
                5 => self.tile::<S, 5, VECTORS, PARTIAL>(simd, row, column),
                3 | 6 => self.tile::<S, 3, VECTORS, PARTIAL>(simd, row, column),
                1 | 2 => self.tile::<S, 1, VECTORS, PARTIAL>(simd, row, column),
                _ => self.tile::<S, 4, VECTORS, PARTIAL>(simd, row, column),
            };
        }
    }
}

impl<T: Lanes> Tiles<'_, T> {
    /// Makes one sum of two whose terms lie beside each other.
    #[inline(always)]
    fn merge_levels(&mut self) {
        for _ in 0..2 {
            for outer in 0..2 {
                let [first, second] = [self.0.levels[outer], self.0.levels[outer + 1]];
                if second.count == 1 {
                    self.0.levels[outer] = Level { count: 1, a: 0, b: 0 };
                    self.0.levels[outer + 1] = first;
                } else if first.a == second.a.wrapping_mul(second.count) && first.b == second.b.wrapping_mul(second.count) {
                    self.0.levels[outer] = Level { count: 1, a: 0, b: 0 };
                    self.0.levels[outer + 1] = Level { count: first.count * second.count, ..second };
                }
            }
        }
    }

    /// Computes a tile. How many rows it has.
    #[inline(always)]
    fn tile<S: Simd, const ROWS: usize, const VECTORS: usize, const PARTIAL: bool>(
        &mut self,
        simd: S,
        row: usize,
        column: usize,
    ) -> usize {
        let all = &mut self.0;
        let width = if PARTIAL { all.columns - column } else { VECTORS * lanes_of::<T, S>() };
        let mut sums = [[T::splat(simd, T::default()); VECTORS]; ROWS];
        let [outer, middle, inner] = all.levels;
        let outer_count = if inner.count == 0 { 0 } else { outer.count };
        // A multiplication takes several cycles, and a few sums alone would wait for each other.
        let mut apart_sums = [[T::splat(simd, T::default()); VECTORS]; APART];
        let is_single = ROWS == 1 && VECTORS < APART;
        for outer_at in 0..outer_count {
            for middle_at in 0..middle.count {
                let place = |first: usize, outer: usize, middle: usize| {
                    first.wrapping_add(outer_at.wrapping_mul(outer)).wrapping_add(middle_at.wrapping_mul(middle))
                };
                let a_at = place(all.a_at, outer.a, middle.a).wrapping_add(row * all.a_row);
                let b_at = place(all.b_at, outer.b, middle.b).wrapping_add(column);
                if is_single {
                    single::<S, T, VECTORS, PARTIAL>(simd, &mut apart_sums, (all.a, a_at), (all.b, b_at), inner, width);
                } else if all.a_row == 1 {
                    beside::<S, T, ROWS, VECTORS, PARTIAL>(simd, &mut sums, (all.a, a_at), (all.b, b_at), inner, width);
                } else {
                    let rows = (all.a, a_at, all.a_row);
                    apart::<S, T, ROWS, VECTORS, PARTIAL>(simd, &mut sums, rows, (all.b, b_at), inner, width);
                }
            }
        }
        if is_single {
            sums[0] = added_up::<S, T, VECTORS>(simd, &apart_sums);
        }
        let start = start_at::<S, T, VECTORS, PARTIAL>(simd, all.start, column, width);
        for (lane, sums) in sums.into_iter().enumerate() {
            let at = (row + lane) * all.c_row + column;
            let Some(c) = all.c.get_mut(at..at + width) else { return ROWS };
            finish::<S, T, VECTORS, PARTIAL>(simd, sums, all.scale, (!all.is_added).then_some(start), c);
        }
        ROWS
    }
}

/// Sums of a single row that are added up by turns.
const APART: usize = 4;

/// Adds up a single row: each sum takes every fourth term.
#[inline(always)]
fn single<S: Simd, T: Lanes, const VECTORS: usize, const PARTIAL: bool>(
    simd: S,
    sums: &mut [[T::Vector<S>; VECTORS]; APART],
    (a, mut a_at): (&[T], usize),
    (b, mut b_at): (&[T], usize),
    level: Level,
    width: usize,
) {
    let mut terms = level.count;
    while terms > 0 {
        for sum in sums.iter_mut().take(terms) {
            let Some(factor) = a.get(a_at..).and_then(|a| a.first_chunk()) else { return };
            let Some(columns) = load_at::<S, T, VECTORS, PARTIAL>(simd, b, b_at, width) else { return };
            multiply_add(simd, core::array::from_mut(sum), factor, columns);
            a_at = a_at.wrapping_add(level.a);
            b_at = b_at.wrapping_add(level.b);
        }
        terms = terms.saturating_sub(APART);
    }
}

/// Adds up where the factors of the rows lie beside each other.
#[inline(always)]
fn beside<S: Simd, T: Lanes, const ROWS: usize, const VECTORS: usize, const PARTIAL: bool>(
    simd: S,
    sums: &mut [[T::Vector<S>; VECTORS]; ROWS],
    (a, mut a_at): (&[T], usize),
    (b, mut b_at): (&[T], usize),
    level: Level,
    width: usize,
) {
    for _ in 0..level.count {
        let Some(factors) = a.get(a_at..).and_then(|a| a.first_chunk::<ROWS>()) else { return };
        let Some(columns) = load_at::<S, T, VECTORS, PARTIAL>(simd, b, b_at, width) else { return };
        multiply_add(simd, sums, factors, columns);
        a_at = a_at.wrapping_add(level.a);
        b_at = b_at.wrapping_add(level.b);
    }
}

/// Adds up where the factors of the rows lie apart, at best those of one row beside each other.
#[inline(always)]
fn apart<S: Simd, T: Lanes, const ROWS: usize, const VECTORS: usize, const PARTIAL: bool>(
    simd: S,
    sums: &mut [[T::Vector<S>; VECTORS]; ROWS],
    (a, mut a_at, a_row): (&[T], usize, usize),
    (b, mut b_at): (&[T], usize),
    level: Level,
    width: usize,
) {
    let mut factors = [T::default(); ROWS];
    if level.a == 1 {
        let mut rows: [&[T]; ROWS] = [&[]; ROWS];
        for (lane, row) in rows.iter_mut().enumerate() {
            let Some(found) = a.get(a_at.wrapping_add(lane * a_row)..).and_then(|a| a.get(..level.count)) else { return };
            *row = found;
        }
        for term in 0..level.count {
            let Some(columns) = load_at::<S, T, VECTORS, PARTIAL>(simd, b, b_at, width) else { return };
            for (factor, row) in factors.iter_mut().zip(rows) {
                *factor = row.get(term).copied().unwrap_or_default();
            }
            multiply_add(simd, sums, &factors, columns);
            b_at = b_at.wrapping_add(level.b);
        }
        return;
    }
    for _ in 0..level.count {
        let Some(columns) = load_at::<S, T, VECTORS, PARTIAL>(simd, b, b_at, width) else { return };
        for (lane, factor) in factors.iter_mut().enumerate() {
            *factor = a.get(a_at.wrapping_add(lane * a_row)).copied().unwrap_or_default();
        }
        multiply_add(simd, sums, &factors, columns);
        a_at = a_at.wrapping_add(level.a);
        b_at = b_at.wrapping_add(level.b);
    }
}
