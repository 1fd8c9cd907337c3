//! A single row whose terms lie beside each other in both operands: a matrix times a vector, the other way round than in memory.

use core::marker::PhantomData;

use pulp::Simd;

use super::{Product, Shape};
use crate::tile::lanes::{Lanes, lanes_of};
use crate::tile::registers::{after_whole, finish, load, load_at, start_at};
use crate::tile::transpose::MOST_LANES;
use crate::tile::unzip::unzip;

impl<T: Lanes, P: Shape> Product<'_, T, P> {
    /// All columns, as many at once as a vector has numbers.
    #[inline(always)]
    pub(super) fn dots<S: Simd>(&mut self, simd: S) {
        let lanes = lanes_of::<T, S>();
        let mut column = 0;
        while const { P::COLUMNS >= lanes_of::<T, S>() } && column + lanes <= P::COLUMNS {
            self.dots_of_vector::<S, false>(simd, column);
            column += lanes;
        }
        if const { !P::COLUMNS.is_multiple_of(lanes_of::<T, S>()) } {
            self.dots_of_vector::<S, true>(simd, column);
        }
    }

    #[inline(always)]
    fn dots_of_vector<S: Simd, const PARTIAL: bool>(&mut self, simd: S, column: usize) {
        let count = Self::width::<S, 1, PARTIAL>();
        let (Some(a), Some(b)) = (self.a.get(..P::TERMS), self.b.get(column * P::B_COLUMN..)) else { return };
        if b.len() < (count - 1) * P::B_COLUMN + P::TERMS {
            return;
        }
        let last = after_whole(simd, a, P::TERMS);
        let totals = Columns::<T, S, P> { simd, a, b, count, last, shape: PhantomData }.totals();
        let start = start_at::<S, T, 1, PARTIAL>(simd, self.start, column, count);
        let Some(c) = self.c.get_mut(column..).and_then(|c| c.get_mut(..count)) else { return };
        finish::<S, T, 1, PARTIAL>(simd, [totals], self.scale, (!self.is_added).then_some(start), c);
    }
}

/// What the tree of sums is made of: products of which the lanes are yet to be added up.
///
/// Written out as a tree: sums in an array would be in memory. Not as closures, which would not get the caller's instructions.
pub(super) trait Sums<S: Simd, T: Lanes>: Sized {
    /// The instructions.
    fn simd(&self) -> S;

    /// The products of a column, of which the lanes are yet to be added up.
    fn one(&mut self, at: usize) -> T::Vector<S>;

    /// The sum of each column in a lane.
    #[inline(always)]
    fn totals(&mut self) -> T::Vector<S> {
        match const { lanes_of::<T, S>() } {
            1 => self.one(0),
            2 => self.two(0),
            4 => self.four(0),
            8 => self.eight(0),
            _ => {
                let (first, second) = (self.eight(0), self.eight(8));
                pair::<S, T, 8>(self.simd(), first, second)
            }
        }
    }

    #[inline(always)]
    fn eight(&mut self, at: usize) -> T::Vector<S> {
        let (first, second) = (self.four(at), self.four(at + 4));
        pair::<S, T, 4>(self.simd(), first, second)
    }

    #[inline(always)]
    fn four(&mut self, at: usize) -> T::Vector<S> {
        let (first, second) = (self.two(at), self.two(at + 2));
        pair::<S, T, 2>(self.simd(), first, second)
    }

    #[inline(always)]
    fn two(&mut self, at: usize) -> T::Vector<S> {
        let (first, second) = (self.one(at), self.one(at + 1));
        pair::<S, T, 1>(self.simd(), first, second)
    }
}

/// Columns whose sums become the lanes of a vector.
struct Columns<'a, T: Lanes, S: Simd, P> {
    simd: S,
    a: &'a [T],
    b: &'a [T],
    /// How many there are; the lanes after them are 0.
    count: usize,
    /// The factors after the last whole vector of them.
    last: T::Vector<S>,
    shape: PhantomData<P>,
}

impl<T: Lanes, S: Simd, P: Shape> Sums<S, T> for Columns<'_, T, S, P> {
    #[inline(always)]
    fn simd(&self) -> S {
        self.simd
    }

    #[inline(always)]
    fn one(&mut self, at: usize) -> T::Vector<S> {
        let (simd, lanes) = (self.simd, lanes_of::<T, S>());
        let (whole, rest) = (P::TERMS - P::TERMS % lanes, P::TERMS % lanes);
        let mut sum = T::splat(simd, T::default());
        if at >= self.count {
            return sum;
        }
        let Some(numbers) = self.b.get(at * P::B_COLUMN..at * P::B_COLUMN + whole) else { return sum };
        for (factors, numbers) in T::vectors::<S>(self.a).iter().zip(T::vectors::<S>(numbers)) {
            sum = T::multiply_add(simd, *factors, *numbers, sum);
        }
        if rest == 0 {
            return sum;
        }
        // What follows the terms is read with them and left out again.
        let mut is_term = [T::default(); MOST_LANES];
        is_term[..rest].fill(T::from_f64(1.0));
        let [is_term] = load::<S, T, 1, false>(simd, &is_term);
        let Some([numbers]) = load_at::<S, T, 1, true>(simd, self.b, at * P::B_COLUMN + whole, rest) else { return sum };
        T::where_zero(simd, is_term, sum, T::multiply_add(simd, self.last, numbers, sum))
    }
}

/// The sums of neighbouring groups of lanes of two vectors: those of the first vector, then those of the other.
#[inline(always)]
fn pair<S: Simd, T: Lanes, const WIDTH: usize>(simd: S, first: T::Vector<S>, other: T::Vector<S>) -> T::Vector<S> {
    let (even, odd) = unzip::<S, T, WIDTH>(simd, first, other);
    T::plus(simd, even, odd)
}
