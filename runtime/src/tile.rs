//! Sums of products over many rows at once, in vector registers.
//!
//! One routine for all networks: it is compiled once, with this crate, for each set of instructions that a machine may have, and
//! generated code calls it with the sizes. A call computes in tiles of some rows and some vectors of columns, whose sums stay in
//! registers from the first product to the last: each number of the row is loaded once for all rows of a tile, each factor
//! once for all its columns. The sizes of tiles follow from how many registers there are. Operands are read as they lie, nothing is packed.

use pulp::{Arch, Simd, WithSimd};

use crate::scalar::Scalar;
use crate::transpose::Transpose;

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
    /// Computes it, with the best instructions of this machine.
    #[inline]
    pub fn compute(self) {
        T::contract(self);
    }
}

/// Numbers that vectors hold.
pub trait Lanes: Scalar {
    /// Several numbers in a register.
    type Vector<S: Simd>: Copy;

    /// How many.
    fn lanes<S: Simd>() -> usize;
    /// The same number in each lane.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;
    /// `a * b + c`, rounded once where the machine can.
    fn multiply_add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;
    /// `a + b`.
    fn plus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// As many whole vectors as there are.
    fn vectors<S: Simd>(row: &[Self]) -> &[Self::Vector<S>];
    /// The same, to be written.
    fn vectors_mut<S: Simd>(row: &mut [Self]) -> &mut [Self::Vector<S>];
    /// Less than a vector, 0 in the other lanes.
    fn load_rest<S: Simd>(simd: S, row: &[Self]) -> Self::Vector<S>;
    /// Writes as many lanes as there is room for.
    fn store_rest<S: Simd>(simd: S, row: &mut [Self], value: Self::Vector<S>);
    /// Each number so many lanes further, the last ones first.
    fn rotate_right<S: Simd>(simd: S, value: Self::Vector<S>, lanes: usize) -> Self::Vector<S>;
    /// The one where `which` is 0, the other elsewhere.
    fn where_zero<S: Simd>(simd: S, which: Self::Vector<S>, one: Self::Vector<S>, other: Self::Vector<S>) -> Self::Vector<S>;
    /// Computes a contraction.
    fn contract(contraction: Contraction<'_, Self>);
    /// Transposes matrices.
    fn transpose(matrices: Transpose<'_, Self>);
}

macro_rules! lanes {
    ($($scalar:ident $vector:ident $count:ident $splat:ident $multiply_add:ident $add:ident $as_simd:ident $as_mut_simd:ident $load:ident $store:ident $rotate:ident $equal:ident $select:ident;)*) => {$(
        impl Lanes for $scalar {
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn lanes<S: Simd>() -> usize {
                S::$count
            }
            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S> {
                simd.$splat(value)
            }
            #[inline(always)]
            fn multiply_add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S> {
                simd.$multiply_add(a, b, c)
            }
            #[inline(always)]
            fn plus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S> {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn vectors<S: Simd>(row: &[Self]) -> &[Self::Vector<S>] {
                S::$as_simd(row).0
            }
            #[inline(always)]
            fn vectors_mut<S: Simd>(row: &mut [Self]) -> &mut [Self::Vector<S>] {
                S::$as_mut_simd(row).0
            }
            #[inline(always)]
            fn load_rest<S: Simd>(simd: S, row: &[Self]) -> Self::Vector<S> {
                simd.$load(row)
            }
            #[inline(always)]
            fn store_rest<S: Simd>(simd: S, row: &mut [Self], value: Self::Vector<S>) {
                simd.$store(row, value);
            }
            #[inline(always)]
            fn rotate_right<S: Simd>(simd: S, value: Self::Vector<S>, lanes: usize) -> Self::Vector<S> {
                simd.$rotate(value, lanes)
            }
            #[inline(always)]
            fn where_zero<S: Simd>(simd: S, which: Self::Vector<S>, one: Self::Vector<S>, other: Self::Vector<S>) -> Self::Vector<S> {
                simd.$select(simd.$equal(which, simd.$splat(0.0)), one, other)
            }
            #[inline(never)]
            fn transpose(matrices: Transpose<'_, Self>) {
                matrices.dispatch();
            }
            // Not inlined, so that it is compiled here and not in every crate with a network.
            #[inline(never)]
            fn contract(contraction: Contraction<'_, Self>) {
                Arch::new().dispatch(Tiles(contraction));
            }
        }
    )*};
}

lanes! {
    f32 f32s F32_LANES splat_f32s mul_add_e_f32s add_f32s as_simd_f32s as_mut_simd_f32s partial_load_f32s partial_store_f32s rotate_right_f32s equal_f32s select_f32s;
    f64 f64s F64_LANES splat_f64s mul_add_e_f64s add_f64s as_simd_f64s as_mut_simd_f64s partial_load_f64s partial_store_f64s rotate_right_f64s equal_f64s select_f64s;
}

#[inline(always)]
fn load<S: Simd, T: Lanes, const VECTORS: usize, const PARTIAL: bool>(simd: S, row: &[T]) -> [T::Vector<S>; VECTORS] {
    if PARTIAL {
        return [T::load_rest(simd, row); VECTORS];
    }
    match T::vectors::<S>(row).first_chunk() {
        Some(vectors) => *vectors,
        None => [T::splat(simd, T::default()); VECTORS],
    }
}

#[inline(always)]
fn store<S: Simd, T: Lanes, const VECTORS: usize, const PARTIAL: bool>(simd: S, row: &mut [T], values: [T::Vector<S>; VECTORS]) {
    if PARTIAL {
        T::store_rest(simd, row, values[0]);
    } else if let Some(vectors) = T::vectors_mut::<S>(row).first_chunk_mut() {
        *vectors = values;
    }
}

/// A contraction as a task for vectors.
struct Tiles<'a, T>(Contraction<'a, T>);

impl<T: Lanes> WithSimd for Tiles<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.merge_levels();
        let (lanes, rows, columns) = (T::lanes::<S>(), self.0.rows, self.0.columns);
        let mut column = 0;
        if rows == 1 {
            // A single row has independent sums only in its columns.
            while column + 8 * lanes <= columns {
                self.tile::<S, 1, 8, false>(simd, 0, column);
                column += 8 * lanes;
            }
        }
        while column + 2 * lanes <= columns {
            self.all_rows::<S, 2, false>(simd, column);
            column += 2 * lanes;
        }
        if column + lanes <= columns {
            self.all_rows::<S, 1, false>(simd, column);
            column += lanes;
        }
        if column < columns {
            self.all_rows::<S, 1, true>(simd, column);
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

    #[inline(always)]
    fn all_rows<S: Simd, const VECTORS: usize, const PARTIAL: bool>(&mut self, simd: S, column: usize) {
        let (mut row, rows) = (0, self.0.rows);
        if S::REGISTER_COUNT >= 32 {
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

    /// Computes a tile. How many rows it has.
    #[inline(always)]
    fn tile<S: Simd, const ROWS: usize, const VECTORS: usize, const PARTIAL: bool>(
        &mut self,
        simd: S,
        row: usize,
        column: usize,
    ) -> usize {
        let all = &mut self.0;
        let width = if PARTIAL { all.columns - column } else { VECTORS * T::lanes::<S>() };
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
            let [first, second, third, fourth] = apart_sums;
            for (vector, sum) in sums[0].iter_mut().enumerate() {
                let (one, other) = (T::plus(simd, first[vector], second[vector]), T::plus(simd, third[vector], fourth[vector]));
                *sum = T::plus(simd, one, other);
            }
        }
        let zero = T::splat(simd, T::default());
        let scale = T::splat(simd, all.scale);
        let start = match all.start.get(column..column + width) {
            Some(start) => load::<S, T, VECTORS, PARTIAL>(simd, start),
            None => [zero; VECTORS],
        };
        for (lane, sums) in sums.iter_mut().enumerate() {
            let at = (row + lane) * all.c_row + column;
            let Some(c) = all.c.get_mut(at..at + width) else { return ROWS };
            let before = if all.is_added { load::<S, T, VECTORS, PARTIAL>(simd, c) } else { start };
            for (sum, before) in sums.iter_mut().zip(before) {
                *sum = T::multiply_add(simd, scale, *sum, before);
            }
            store::<S, T, VECTORS, PARTIAL>(simd, c, *sums);
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
            let Some(columns) = b.get(b_at..).and_then(|b| b.get(..width)) else { return };
            let columns = load::<S, T, VECTORS, PARTIAL>(simd, columns);
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
        let Some(columns) = b.get(b_at..).and_then(|b| b.get(..width)) else { return };
        let columns = load::<S, T, VECTORS, PARTIAL>(simd, columns);
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
            let Some(columns) = b.get(b_at..).and_then(|b| b.get(..width)) else { return };
            let columns = load::<S, T, VECTORS, PARTIAL>(simd, columns);
            for (factor, row) in factors.iter_mut().zip(rows) {
                *factor = row.get(term).copied().unwrap_or_default();
            }
            multiply_add(simd, sums, &factors, columns);
            b_at = b_at.wrapping_add(level.b);
        }
        return;
    }
    for _ in 0..level.count {
        let Some(columns) = b.get(b_at..).and_then(|b| b.get(..width)) else { return };
        let columns = load::<S, T, VECTORS, PARTIAL>(simd, columns);
        for (lane, factor) in factors.iter_mut().enumerate() {
            *factor = a.get(a_at.wrapping_add(lane * a_row)).copied().unwrap_or_default();
        }
        multiply_add(simd, sums, &factors, columns);
        a_at = a_at.wrapping_add(level.a);
        b_at = b_at.wrapping_add(level.b);
    }
}

#[inline(always)]
fn multiply_add<S: Simd, T: Lanes, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    sums: &mut [[T::Vector<S>; VECTORS]; ROWS],
    factors: &[T; ROWS],
    columns: [T::Vector<S>; VECTORS],
) {
    for (sums, factor) in sums.iter_mut().zip(factors) {
        let factor = T::splat(simd, *factor);
        for (sum, column) in sums.iter_mut().zip(columns) {
            *sum = T::multiply_add(simd, factor, column, *sum);
        }
    }
}

/// Loops that a compiler puts into vectors by itself.
pub trait Run {
    /// Runs them. To be inlined always, so that they get the instructions of the caller.
    fn run(self);
}

struct Task<T>(T);

impl<T: Run> WithSimd for Task<T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        self.0.run();
    }
}

/// Runs loops with the best instructions of this machine, which are looked for once.
///
/// A build without optimization puts nothing into vectors: there, the loops are compiled once and not for each set of instructions.
#[inline(always)]
pub fn vectorized<T: Run>(task: T) {
    if cfg!(debug_assertions) { task.run() } else { Arch::new().dispatch(Task(task)) }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    /// The numbers from 1 to 13 in some order, exact in sums of products.
    fn numbers(count: usize, step: usize) -> Vec<f32> {
        (0..count).map(|at| (at * step % 13 + 1) as f32).collect()
    }

    fn check(rows: usize, columns: usize, terms: usize, is_beside: bool, is_added: bool) {
        let (a_row, a_term) = if is_beside { (1, rows) } else { (terms, 1) };
        let (a, b, start) = (numbers(rows * terms, 5), numbers(terms * columns, 7), numbers(columns, 3));
        let before = numbers(rows * columns, 11);
        let mut expected = Vec::new();
        for row in 0..rows {
            for column in 0..columns {
                let sum: f32 = (0..terms).map(|term| a[row * a_row + term * a_term] * b[term * columns + column]).sum();
                expected.push(2.0 * sum + if is_added { before[row * columns + column] } else { start[column] });
            }
        }
        let levels =
            [Level { count: 1, a: 0, b: 0 }, Level { count: 1, a: 0, b: 0 }, Level { count: terms, a: a_term, b: columns }];
        let run = |compute: &dyn Fn(Contraction<'_, f32>), name: &str| {
            let mut c = before.clone();
            let (a, b, start) = (&a[..], &b[..], &start[..]);
            compute(Contraction {
                rows,
                columns,
                a,
                a_at: 0,
                a_row,
                b,
                b_at: 0,
                levels,
                scale: 2.0,
                start,
                c: &mut c,
                c_row: columns,
                is_added,
            });
            assert_eq!(c, expected, "{name}: {rows} rows, {columns} columns, {terms} terms, {is_beside}, {is_added}");
        };
        run(&|contraction| contraction.compute(), "the best instructions");
        run(&|contraction| Tiles(contraction).with_simd(pulp::Scalar::new()), "no vectors");
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(simd) = pulp::x86::V3::try_new() {
                run(&|contraction| Simd::vectorize(simd, Tiles(contraction)), "AVX2");
            }
            if let Some(simd) = pulp::x86::V4::try_new() {
                run(&|contraction| Simd::vectorize(simd, Tiles(contraction)), "AVX-512");
            }
        }
    }

    #[test]
    fn every_set_of_instructions_gives_the_same_for_all_sizes() {
        for size in 1..=70 {
            for is_beside in [false, true] {
                check(size, 5, 3, is_beside, false);
                check(3, size, 4, is_beside, true);
                check(9, 17, size, is_beside, false);
                check(size, size, 2, is_beside, true);
            }
        }
        check(0, 3, 3, true, false);
        check(3, 3, 0, false, false);
    }

    #[test]
    fn sums_inside_each_other_are_those_of_all_their_terms() {
        // c[row][column] = sum(i, j, k: a[i][row][j] * b[i][k][j][column]), k only in b.
        let (rows, columns) = (3, 20);
        let (a, b) = (numbers(2 * rows * 4, 5), numbers(2 * 5 * 4 * columns, 7));
        let mut expected = std::vec![0.0_f32; rows * columns];
        for i in 0..2 {
            for j in 0..4 {
                for k in 0..5 {
                    for row in 0..rows {
                        for column in 0..columns {
                            expected[row * columns + column] +=
                                a[(i * rows + row) * 4 + j] * b[((i * 5 + k) * 4 + j) * columns + column];
                        }
                    }
                }
            }
        }
        let mut c = std::vec![0.0; rows * columns];
        let levels = [
            Level { count: 2, a: rows * 4, b: 5 * 4 * columns },
            Level { count: 5, a: 0, b: 4 * columns },
            Level { count: 4, a: 1, b: columns },
        ];
        let (a, b, c_row) = (&a[..], &b[..], columns);
        Contraction {
            rows,
            columns,
            a,
            a_at: 0,
            a_row: 4,
            b,
            b_at: 0,
            levels,
            scale: 1.0,
            start: &[],
            c: &mut c,
            c_row,
            is_added: false,
        }
        .compute();
        assert_eq!(c, expected);
    }

    #[test]
    fn sums_run_backwards_too() {
        let (a, b) = (numbers(5, 5), numbers(5 * 3, 7));
        let expected: Vec<f32> = (0..3).map(|column| (0..5).map(|term| a[term] * b[(4 - term) * 3 + column]).sum()).collect();
        let mut c = [0.0; 3];
        let one = Level { count: 1, a: 0, b: 0 };
        let levels = [one, one, Level { count: 5, a: 1, b: 3_usize.wrapping_neg() }];
        let (a, b, start) = (&a[..], &b[..], &[][..]);
        let (rows, columns, a_row, b_at, c_row) = (1, 3, 5, 12, 3);
        Contraction { rows, columns, a, a_at: 0, a_row, b, b_at, levels, scale: 1.0, start, c: &mut c, c_row, is_added: false }
            .compute();
        assert_eq!(c[..], expected);
    }

    #[test]
    fn what_is_outside_is_not_computed() {
        let mut c = [7.0_f64; 4];
        let level = Level { count: 1, a: 0, b: 0 };
        let levels = [level, level, Level { count: 3, a: 1, b: 2 }];
        let (a, b) = (&[1.0; 3][..], &[1.0; 4][..]);
        Contraction {
            rows: 2,
            columns: 2,
            a,
            a_at: 0,
            a_row: 3,
            b,
            b_at: 0,
            levels,
            scale: 1.0,
            start: &[],
            c: &mut c,
            c_row: 2,
            is_added: false,
        }
        .compute();
        assert!(c.iter().all(|value| value.is_finite()));
    }
}
