//! Products of matrices whose strides are known when the network is compiled.
//!
//! Each shape is a function of its own, for each set of instructions: strides are constants there, so that one comparison
//! shows several terms to lie within their slices, and little is left to do between two tiles.

use pulp::{Simd, WithSimd};

use super::contraction::{Contraction, Level, load, load_at, multiply_add, store};
use super::instructions::Vectors;
use super::lanes::Lanes;
use super::transpose::MOST_LANES;

/// So many terms are added up between two comparisons.
const GROUP: usize = 4;
/// So many vectors of factors are kept in registers for all columns.
const KEPT: usize = 4;
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
    /// Its constants.
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
        let one = Level { count: 1, a: 0, b: 0 };
        Contraction {
            rows: self.rows.saturating_sub(row),
            columns: P::COLUMNS,
            a: self.a.get(row * P::A_ROW..).unwrap_or(&[]),
            a_at: 0,
            a_row: P::A_ROW,
            b: self.b,
            b_at: 0,
            b_column: P::B_COLUMN,
            levels: [one, one, Level { count: self.terms, a: P::A_TERM, b: P::B_TERM }],
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

    /// Columns side by side in all rows.
    #[inline(always)]
    fn strip<S: Simd, const VECTORS: usize, const PARTIAL: bool>(&mut self, simd: S, column: usize) {
        let mut row = 0;
        if S::REGISTER_COUNT >= 32 {
            if VECTORS == 1 {
                while row + 16 <= self.rows {
                    self.tile::<S, 16, VECTORS, PARTIAL>(simd, row, column);
                    row += 16;
                }
            }
            while row + 8 <= self.rows {
                self.tile::<S, 8, VECTORS, PARTIAL>(simd, row, column);
                row += 8;
            }
        } else {
            if VECTORS == 1 {
                while row + 8 <= self.rows {
                    self.tile::<S, 8, VECTORS, PARTIAL>(simd, row, column);
                    row += 8;
                }
            }
            while row + 4 <= self.rows {
                self.tile::<S, 4, VECTORS, PARTIAL>(simd, row, column);
                row += 4;
            }
        }
    }

    /// How many rows are computed here; those after them would leave registers empty.
    #[inline(always)]
    pub(super) fn whole_rows<S: Simd>(&self) -> usize {
        match self.rows % if S::REGISTER_COUNT >= 32 { 8 } else { 4 } {
            _ if P::A_ROW == 0 => self.rows,
            rest => self.rows - rest,
        }
    }

    /// The same where there is one term: each row a multiple of the same row.
    #[inline(always)]
    fn multiples<S: Simd, const VECTORS: usize, const PARTIAL: bool>(&mut self, simd: S, column: usize) {
        let width = if PARTIAL { P::COLUMNS % T::lanes::<S>() } else { VECTORS * T::lanes::<S>() };
        let Some(numbers) = load_at::<S, T, VECTORS, PARTIAL>(simd, self.b, column, width) else { return };
        let start = self.start_of::<S, VECTORS, PARTIAL>(simd, column, width);
        for row in 0..self.whole_rows::<S>() {
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

    #[inline(always)]
    fn start_of<S: Simd, const VECTORS: usize, const PARTIAL: bool>(
        &self,
        simd: S,
        column: usize,
        width: usize,
    ) -> [T::Vector<S>; VECTORS] {
        match self.start.get(column..).and_then(|start| start.get(..width)) {
            Some(start) => load::<S, T, VECTORS, PARTIAL>(simd, start),
            None => [T::splat(simd, T::default()); VECTORS],
        }
    }

    /// Some rows and vectors of columns.
    #[inline(always)]
    fn tile<S: Simd, const ROWS: usize, const VECTORS: usize, const PARTIAL: bool>(
        &mut self,
        simd: S,
        row: usize,
        column: usize,
    ) {
        let width = if PARTIAL { P::COLUMNS % T::lanes::<S>() } else { VECTORS * T::lanes::<S>() };
        let one = T::from_f64(1.0);
        let is_plain = !self.is_added && self.scale == one;
        let zero = [T::splat(simd, T::default()); VECTORS];
        let start = if self.is_added { zero } else { self.start_of::<S, VECTORS, PARTIAL>(simd, column, width) };
        let mut sums = [if is_plain { start } else { zero }; ROWS];
        let (Some(a), Some(b)) = (self.a.get(row * P::A_ROW..), self.b.get(column..)) else { return };
        let a_group = (GROUP - 1) * P::A_TERM + (ROWS - 1) * P::A_ROW + 1;
        let b_group = (GROUP - 1) * P::B_TERM + VECTORS * T::lanes::<S>();
        let mut term = 0;
        while term + GROUP <= self.terms() {
            let Some(a) = a.get(term * P::A_TERM..).and_then(|a| a.get(..a_group)) else { break };
            let Some(b) = b.get(term * P::B_TERM..).and_then(|b| b.get(..b_group)) else { break };
            for at in 0..GROUP {
                Self::add::<S, ROWS, VECTORS, PARTIAL>(simd, &mut sums, (a, at * P::A_TERM), (b, at * P::B_TERM), width);
            }
            term += GROUP;
        }
        while term < self.terms() {
            Self::add::<S, ROWS, VECTORS, PARTIAL>(simd, &mut sums, (a, term * P::A_TERM), (b, term * P::B_TERM), width);
            term += 1;
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
            match c.get_mut(..T::lanes::<S>()) {
                Some(whole) if goes_over => store::<S, T, VECTORS, false>(simd, whole, *sums),
                _ => {
                    let Some(c) = c.get_mut(..width) else { return };
                    store::<S, T, VECTORS, PARTIAL>(simd, c, *sums);
                }
            }
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

    /// Columns side by side where there is one row, with several sums of each, so that none waits for another.
    #[inline(always)]
    fn part<S: Simd, const VECTORS: usize, const SUMS: usize, const PARTIAL: bool>(&mut self, simd: S, column: usize) {
        let width = if PARTIAL { P::COLUMNS % T::lanes::<S>() } else { VECTORS * T::lanes::<S>() };
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
        let mut totals = sums[0];
        for sums in &sums[1..] {
            for (total, sum) in totals.iter_mut().zip(sums) {
                *total = T::plus(simd, *total, *sum);
            }
        }
        let start = self.start_of::<S, VECTORS, PARTIAL>(simd, column, width);
        let scale = T::splat(simd, self.scale);
        let Some(c) = self.c.get_mut(column..).and_then(|c| c.get_mut(..width)) else { return };
        let before = if self.is_added { load::<S, T, VECTORS, PARTIAL>(simd, c) } else { start };
        for (total, before) in totals.iter_mut().zip(before) {
            *total = T::multiply_add(simd, scale, *total, before);
        }
        store::<S, T, VECTORS, PARTIAL>(simd, c, totals);
    }

    /// Columns of a single row whose terms lie beside each other, as many as a vector has numbers or less.
    #[inline(always)]
    fn dots<S: Simd, const PARTIAL: bool>(&mut self, simd: S, column: usize) {
        let lanes = T::lanes::<S>();
        let count = if PARTIAL { P::COLUMNS % lanes } else { lanes };
        let (whole, rest) = (P::TERMS - P::TERMS % lanes, P::TERMS % lanes);
        let (Some(a), Some(b)) = (self.a.get(..P::TERMS), self.b.get(column * P::B_COLUMN..)) else { return };
        let Some(b) = b.get(..(count - 1) * P::B_COLUMN + P::TERMS) else { return };
        let mut sums = [T::splat(simd, T::default()); MOST_LANES];
        // Several vectors of factors stay in registers from one column to the next.
        for at in (0..whole).step_by(KEPT * lanes) {
            let mut factors = [sums[0]; KEPT];
            let here = T::vectors::<S>(a.get(at..whole.min(at + KEPT * lanes)).unwrap_or(&[]));
            for (factors, here) in factors.iter_mut().zip(here) {
                *factors = *here;
            }
            for (column, sum) in sums.iter_mut().take(count).enumerate() {
                let Some(numbers) = b.get(column * P::B_COLUMN + at..).and_then(|b| b.get(..here.len() * lanes)) else { return };
                for (factors, numbers) in factors.iter().zip(T::vectors::<S>(numbers)) {
                    *sum = T::multiply_add(simd, *factors, *numbers, *sum);
                }
            }
        }
        if rest > 0 {
            // What follows the terms is read with them and left out again.
            let ones = [T::from_f64(1.0); MOST_LANES];
            let [last, of_rest] = [a.get(whole..), ones.get(..rest)].map(|rest| T::load_rest(simd, rest.unwrap_or(&[])));
            for (at, sum) in sums.iter_mut().take(count).enumerate() {
                let Some([numbers]) = load_at::<S, T, 1, true>(simd, b, at * P::B_COLUMN + whole, rest) else { return };
                let longer = T::multiply_add(simd, last, numbers, *sum);
                *sum = T::where_zero(simd, of_rest, *sum, longer);
            }
        }
        let start = self.start_of::<S, 1, PARTIAL>(simd, column, count);
        let Some(c) = self.c.get_mut(column..).and_then(|c| c.get_mut(..count)) else { return };
        let [before] = if self.is_added { load::<S, T, 1, PARTIAL>(simd, c) } else { start };
        let totals = super::dots::totals::<S, T>(simd, sums);
        store::<S, T, 1, PARTIAL>(simd, c, [T::multiply_add(simd, T::splat(simd, self.scale), totals, before)]);
    }

    /// Strips or parts for all columns, as wide as will do.
    #[inline(always)]
    fn columns<S: Simd>(&mut self, simd: S, has_many_rows: bool) {
        let lanes = T::lanes::<S>();
        let mut column = 0;
        if P::B_COLUMN != 1 {
            while column + lanes <= P::COLUMNS {
                self.dots::<S, false>(simd, column);
                column += lanes;
            }
            if column < P::COLUMNS {
                self.dots::<S, true>(simd, column);
            }
            return;
        }
        let has_one_term = P::A_TERM == 0;
        // Multiples of a row are written in the order in which they lie.
        if !has_many_rows || has_one_term {
            while column + 8 * lanes <= P::COLUMNS {
                if has_many_rows {
                    self.multiples::<S, 8, false>(simd, column)
                } else {
                    self.part::<S, 8, 1, false>(simd, column)
                }
                column += 8 * lanes;
            }
        }
        while column + 2 * lanes <= P::COLUMNS {
            match (has_many_rows, has_one_term) {
                (true, true) => self.multiples::<S, 2, false>(simd, column),
                (true, false) => self.strip::<S, 2, false>(simd, column),
                (false, _) => self.part::<S, 2, 4, false>(simd, column),
            }
            column += 2 * lanes;
        }
        if column + lanes <= P::COLUMNS {
            match (has_many_rows, has_one_term) {
                (true, true) => self.multiples::<S, 1, false>(simd, column),
                (true, false) => self.strip::<S, 1, false>(simd, column),
                (false, _) => self.part::<S, 1, 4, false>(simd, column),
            }
            column += lanes;
        }
        if column < P::COLUMNS {
            if has_many_rows { self.strip::<S, 1, true>(simd, column) } else { self.part::<S, 1, 4, true>(simd, column) }
        }
    }
}

/// A product as a task for vectors, but for the rows after the whole ones.
pub(super) struct Known<'p, 'a, T, P>(pub(super) &'p mut Product<'a, T, P>);

impl<T: Lanes, P: Shape> WithSimd for Known<'_, '_, T, P> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.columns(simd, P::A_ROW != 0);
    }
}
