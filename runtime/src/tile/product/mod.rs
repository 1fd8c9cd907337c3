//! Products of matrices whose strides are known when the network is compiled.
//!
//! Each shape is a function of its own, for each set of instructions: strides are constants there, so that one comparison
//! shows several terms to lie within their slices, and little is left to do between two tiles.

use pulp::{Simd, WithSimd};

use super::columns::Strips;
use super::contraction::{Contraction, Level};
use super::elements::Elements;
use super::instructions::Vectors;
use super::lanes::{Lanes, lanes_of};

mod dots;
mod outer;
mod row;
mod sweep;
mod tiles;
mod windows;

use outer::Outer;
use row::Row;
pub use sweep::Sweep;
pub(super) use sweep::Swept;
use tiles::Tiles;
pub use windows::Windows;

/// So many terms are added up between two comparisons.
const GROUP: usize = 4;
/// Fewer rows than this leave too many registers empty, and so many are the least that have a tile of their own.
const FEW_ROWS: usize = 3;
/// So many terms may be written out one by one.
const FEW_TERMS: usize = 64;

/// What is known of a product when the network is compiled.
pub trait Shape {
    /// How many columns.
    const COLUMNS: usize;
    /// How many terms each sum has; 0 where that is known later.
    const TERMS: usize;
    /// How far it is from the factors of a row to those of the next; 0 where there is one row.
    const A_ROW: usize;
    /// How far it is from a factor to that of the next term; 0 where there is one term.
    const A_TERM: usize;
    /// How far it is from a row of numbers to that of the next term.
    const B_TERM: usize;
    /// How far it is from a number of a row to the next: 1, or where there is one row of results and terms lie beside each other, more.
    const B_COLUMN: usize;
    /// How far it is from a row of results to the next.
    const C_ROW: usize;
    /// How many rows there are at most.
    const MOST_ROWS: usize = usize::MAX;
    /// Whether there are sums around those of the terms.
    const HAS_SUMS_AROUND: bool = false;

    /// The sums around those of the terms, from the outermost, and where their first terms are in both operands.
    #[inline(always)]
    fn around(&self) -> Around {
        Around { levels: [ONCE; 2], a_at: 0, b_at: 0 }
    }
}

/// What a shape does not know when the network is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    levels: [Level; 2],
    a_at: usize,
    b_at: usize,
}

/// No sum.
const ONCE: Level = Level { count: 1, a: 0, b: 0 };

impl Around {
    /// Where the first terms of one of the inner sums are.
    #[inline(always)]
    fn place(&self, outer_at: usize, middle_at: usize) -> (usize, usize) {
        let [outer, middle] = self.levels;
        let place = |first: usize, outer: usize, middle: usize| {
            first.wrapping_add(outer_at.wrapping_mul(outer)).wrapping_add(middle_at.wrapping_mul(middle))
        };
        (place(self.a_at, outer.a, middle.a), place(self.b_at, outer.b, middle.b))
    }
}

/// A shape by its constants: columns, terms, and steps as they are named.
#[derive(Clone, Copy, Debug)]
pub struct Sizes<
    const COLUMNS: usize,
    const TERMS: usize,
    const A_ROW: usize,
    const A_TERM: usize,
    const B_TERM: usize,
    const B_COLUMN: usize,
    const C_ROW: usize,
>;

impl<
    const COLUMNS: usize,
    const TERMS: usize,
    const A_ROW: usize,
    const A_TERM: usize,
    const B_TERM: usize,
    const B_COLUMN: usize,
    const C_ROW: usize,
> Shape for Sizes<COLUMNS, TERMS, A_ROW, A_TERM, B_TERM, B_COLUMN, C_ROW>
{
    const COLUMNS: usize = COLUMNS;
    const TERMS: usize = TERMS;
    const A_ROW: usize = A_ROW;
    const A_TERM: usize = A_TERM;
    const B_TERM: usize = B_TERM;
    const B_COLUMN: usize = B_COLUMN;
    const C_ROW: usize = C_ROW;
}

/// `c[row][column] = start[column] + scale * sum(a[row][term] * b[term][column])`; `start` may be what was in `c`.
///
/// Numbers that would be outside of a slice are not computed.
#[derive(Debug)]
pub struct Product<'a, T, P> {
    /// Its constants, and what sums there are around.
    pub shape: P,
    /// How many rows.
    pub rows: usize,
    /// How many terms each sum has.
    pub terms: usize,
    /// The factors, from the first.
    pub a: &'a [T],
    /// The rows of numbers, from the first.
    pub b: &'a [T],
    /// What all sums are multiplied by.
    pub scale: T,
    /// What the sums of each column are added to; 0 if empty.
    pub start: &'a [T],
    /// The results, from the first.
    pub c: &'a mut [T],
    /// Whether the sums are added to what is there.
    pub is_added: bool,
}

impl<'a, T: Lanes, P: Shape> Product<'a, T, P> {
    /// Computes it.
    #[inline(always)]
    pub fn compute<V: Vectors>(self, vectors: V) {
        T::product(vectors, self);
    }

    /// The rows from one on, with sizes that are looked at when they are computed.
    #[inline(always)]
    pub(super) fn rows_from(self, row: usize) -> Contraction<'a, T> {
        let Around { levels: [outer, middle], a_at, b_at } = self.shape.around();
        Contraction {
            rows: self.rows.saturating_sub(row),
            columns: P::COLUMNS,
            a: self.a.get(row * P::A_ROW..).unwrap_or(&[]),
            a_at,
            a_row: P::A_ROW,
            b: self.b,
            b_at,
            b_column: P::B_COLUMN,
            levels: [outer, middle, Level { count: self.terms, a: P::A_TERM, b: P::B_TERM }],
            scale: self.scale,
            start: self.start,
            c: self.c.get_mut(row * P::C_ROW..).unwrap_or(&mut []),
            c_row: P::C_ROW,
            is_added: self.is_added,
        }
    }

    /// How many terms there are, as a constant where they are few: the loop over many is not to be written out.
    #[inline(always)]
    fn terms(&self) -> usize {
        if P::TERMS > 0 && P::TERMS <= FEW_TERMS { P::TERMS } else { self.terms }
    }

    /// How many rows are computed here; those after them would leave registers empty.
    #[inline(always)]
    pub(super) fn whole_rows<S: Simd>(&self) -> usize {
        match self.rows % const { Self::rows_at_once::<S>() } {
            rest if const { Self::has_few_rows::<S>() } && rest >= FEW_ROWS => self.rows,
            rest => self.rows - rest,
        }
    }

    /// Whether all rows are those of one or two small tiles.
    const fn has_few_rows<S: Simd>() -> bool {
        P::A_ROW > 0 && P::MOST_ROWS < Self::rows_at_once::<S>() && !Self::is_outer::<S>()
    }

    /// So many rows are computed together.
    const fn rows_at_once<S: Simd>() -> usize {
        match P::A_ROW {
            0 => 1,
            _ if Self::is_outer::<S>() => Self::rows_of_period::<S>(),
            _ if S::REGISTER_COUNT >= 32 => 8,
            _ => 4,
        }
    }

    /// Columns that a vector or less has, from a column on.
    #[inline(always)]
    fn width<S: Simd, const VECTORS: usize, const PARTIAL: bool>() -> usize {
        if PARTIAL { P::COLUMNS % lanes_of::<T, S>() } else { VECTORS * lanes_of::<T, S>() }
    }
}

/// A product as a task for vectors, but for the rows after the whole ones.
pub(super) struct Known<'p, 'a, T, P>(pub(super) &'p mut Product<'a, T, P>);

impl<T: Elements, P: Shape> WithSimd for Known<'_, '_, T, P> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if const { P::B_COLUMN != 1 } {
            self.0.dots(simd);
        } else if const { P::A_ROW == 0 } {
            Row(self.0).all(simd);
        } else if const { Product::<T, P>::is_outer::<S>() && Product::<T, P>::is_long_row::<S>() } {
            self.0.long_row(simd);
        } else if const { Product::<T, P>::is_outer::<S>() } {
            Outer(self.0).all(simd);
        } else {
            Tiles(self.0).all(simd);
        }
    }
}
