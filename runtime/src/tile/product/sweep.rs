//! A matrix that is multiplied with a vector and updated in one sweep.

use core::marker::PhantomData;

use pulp::{Simd, WithSimd};

use super::dots::Sums;
use super::{Product, Shape};
use crate::tile::contraction::{Contraction, Level};
use crate::tile::instructions::Vectors;
use crate::tile::lanes::{Lanes, lanes_of};
use crate::tile::registers::{after_whole, finish, load};

/// `c[column] = scale * sum(a[term] * b[column][term])`, then `b[column][term] += rate * factors[column] * a[term]`.
///
/// In the names of the basic linear algebra subprograms: `gemv` and `ger` with one vector in common. Each row of `b` is read once and
/// written once. Numbers that would be outside of a slice are not computed.
#[derive(Debug)]
pub struct Sweep<'a, T, P> {
    /// The constants of the product.
    pub shape: P,
    /// The vector: the terms of all sums.
    pub a: &'a [T],
    /// The matrix, row after row.
    pub b: &'a mut [T],
    /// What all sums are multiplied by.
    pub scale: T,
    /// The results, one for each row of the matrix.
    pub c: &'a mut [T],
    /// How often the vector is added to each row of the matrix.
    pub factors: &'a [T],
    /// What those are multiplied by.
    pub rate: T,
}

impl<T: Lanes, P: Shape> Sweep<'_, T, P> {
    /// Computes it.
    #[inline(always)]
    pub fn compute<V: Vectors>(self, vectors: V) {
        T::sweep(vectors, self);
    }

    /// One after the other, by the routine for all sizes.
    #[inline(always)]
    pub(in crate::tile) fn apart<V: Vectors>(self, vectors: V) {
        let Self { shape, a, b, scale, c, factors, rate } = self;
        let product = Product { shape, rows: 1, terms: P::TERMS, a, b: &*b, scale, start: &[], c, is_added: false };
        T::contract(vectors, product.rows_from(0));
        let one = Level { count: 1, a: 0, b: 0 };
        let update = Contraction {
            rows: P::COLUMNS,
            columns: P::TERMS,
            a: factors,
            a_at: 0,
            a_row: 1,
            b: a,
            b_at: 0,
            b_column: 1,
            levels: [one; 3],
            scale: rate,
            start: &[],
            c: b,
            c_row: P::B_COLUMN,
            is_added: true,
        };
        T::contract(vectors, update);
    }
}

/// A sweep as a task for vectors.
pub(in crate::tile) struct Swept<'a, T, P>(pub(in crate::tile) Sweep<'a, T, P>);

impl<T: Lanes, P: Shape> WithSimd for Swept<'_, T, P> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Some(a) = self.0.a.get(..P::TERMS) else { return };
        // A vector that is short stays in registers.
        match const { P::TERMS / lanes_of::<T, S>() } {
            2 => self.rows::<S, 2>(simd, a),
            4 => self.rows::<S, 4>(simd, a),
            _ => self.rows::<S, 0>(simd, a),
        }
    }
}

/// A row of terms: all, their vectors where they are few, and what is after the last whole one.
type Terms<'a, S, T, const VECTORS: usize> = (&'a [T], [<T as Lanes>::Vector<S>; VECTORS], <T as Lanes>::Vector<S>);

impl<T: Lanes, P: Shape> Swept<'_, T, P> {
    /// All rows of the matrix, as many at once as a vector has numbers.
    #[inline(always)]
    fn rows<S: Simd, const VECTORS: usize>(mut self, simd: S, a: &[T]) {
        let lanes = lanes_of::<T, S>();
        let last = after_whole(simd, a, P::TERMS);
        let registers = load::<S, T, VECTORS, false>(simd, a);
        let mut first = 0;
        while const { P::COLUMNS >= lanes_of::<T, S>() } && first + lanes <= P::COLUMNS {
            self.some_rows::<S, VECTORS, false>(simd, first, (a, registers, last));
            first += lanes;
        }
        if const { !P::COLUMNS.is_multiple_of(lanes_of::<T, S>()) } {
            self.some_rows::<S, VECTORS, true>(simd, first, (a, registers, last));
        }
    }

    #[inline(always)]
    fn some_rows<S: Simd, const VECTORS: usize, const PARTIAL: bool>(
        &mut self,
        simd: S,
        first: usize,
        (a, registers, last): Terms<'_, S, T, VECTORS>,
    ) {
        let sweep = &mut self.0;
        let count = if PARTIAL { P::COLUMNS % lanes_of::<T, S>() } else { lanes_of::<T, S>() };
        let length = (count - 1) * P::B_COLUMN + P::TERMS;
        let Some(b) = sweep.b.get_mut(first * P::B_COLUMN..).and_then(|b| b.get_mut(..length)) else { return };
        let Some(factors) = sweep.factors.get(first..).and_then(|factors| factors.get(..count)) else { return };
        let Some(c) = sweep.c.get_mut(first..).and_then(|c| c.get_mut(..count)) else { return };
        let rate = sweep.rate;
        let totals = Rows::<T, S, P, VECTORS> { simd, a, registers, last, b, factors, rate, shape: PhantomData }.totals();
        let zero = [T::splat(simd, T::default())];
        finish::<S, T, 1, PARTIAL>(simd, [totals], sweep.scale, Some(zero), c);
    }
}

/// Rows of a matrix whose sums become the lanes of a vector, while multiples are added to them.
struct Rows<'a, T: Lanes, S: Simd, P, const VECTORS: usize> {
    simd: S,
    /// The vector.
    a: &'a [T],
    /// Its vectors, where they are few.
    registers: [T::Vector<S>; VECTORS],
    /// What it has after the last whole one.
    last: T::Vector<S>,
    b: &'a mut [T],
    factors: &'a [T],
    rate: T,
    shape: PhantomData<P>,
}

impl<T: Lanes, S: Simd, P: Shape, const VECTORS: usize> Sums<S, T> for Rows<'_, T, S, P, VECTORS> {
    #[inline(always)]
    fn simd(&self) -> S {
        self.simd
    }

    #[inline(always)]
    fn one(&mut self, at: usize) -> T::Vector<S> {
        let simd = self.simd;
        let mut sum = T::splat(simd, T::default());
        let Some(factor) = self.factors.get(at) else { return sum };
        let Some(row) = self.b.get_mut(at * P::B_COLUMN..).and_then(|b| b.get_mut(..P::TERMS)) else { return sum };
        let factor = T::splat(simd, self.rate * *factor);
        let (whole, rest) = row.split_at_mut(P::TERMS - P::TERMS % lanes_of::<T, S>());
        if const { VECTORS > 0 } {
            for (term, number) in self.registers.iter().zip(T::vectors_mut::<S>(whole)) {
                sum = multiply_and_add::<S, T>(simd, *term, number, factor, sum);
            }
        } else {
            for (term, number) in T::vectors::<S>(self.a).iter().zip(T::vectors_mut::<S>(whole)) {
                sum = multiply_and_add::<S, T>(simd, *term, number, factor, sum);
            }
        }
        if !rest.is_empty() {
            let mut number = T::load_rest(simd, rest);
            sum = multiply_and_add::<S, T>(simd, self.last, &mut number, factor, sum);
            T::store_rest(simd, rest, number);
        }
        sum
    }
}

/// Adds a multiple of a term to what it is multiplied with. The sum with their product.
#[inline(always)]
fn multiply_and_add<S: Simd, T: Lanes>(
    simd: S,
    term: T::Vector<S>,
    number: &mut T::Vector<S>,
    factor: T::Vector<S>,
    sum: T::Vector<S>,
) -> T::Vector<S> {
    let before = *number;
    *number = T::multiply_add(simd, factor, term, before);
    T::multiply_add(simd, term, before, sum)
}
