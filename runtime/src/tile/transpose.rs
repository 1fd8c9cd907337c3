//! Matrices, transposed in blocks that vector registers hold.

use pulp::{Simd, WithSimd};

use super::instructions::{Run, Vectors};
use super::lanes::{Lanes, lanes_of};

/// No vector has more numbers.
pub(super) const MOST_LANES: usize = 16;

/// Matrices one after the other, each to be transposed.
#[derive(Debug)]
pub struct Transpose<'a, T> {
    /// What is read, row by row.
    pub from: &'a [T],
    /// What is written, likewise.
    pub to: &'a mut [T],
    /// The rows of each matrix that is read.
    pub rows: usize,
    /// Its columns.
    pub columns: usize,
}

impl<T: Lanes> Transpose<'_, T> {
    /// Transposes them.
    #[inline(always)]
    pub fn compute<V: Vectors>(self, vectors: V) {
        T::transpose(vectors, self);
    }
}

impl<T: Lanes> Run for Transpose<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vectors>(self, vectors: V) {
        self.compute(vectors);
    }
}

/// Transposition as a task for vectors.
pub(super) struct Matrices<'a, T>(pub(super) Transpose<'a, T>);

impl<T: Lanes> WithSimd for Matrices<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Transpose { from, to, rows, columns } = self.0;
        let lanes = lanes_of::<T, S>();
        let size = (rows * columns).max(1);
        for (from, to) in from.chunks_exact(size).zip(to.chunks_exact_mut(size)) {
            let mut row = 0;
            while row + lanes <= rows {
                let mut column = 0;
                while column + lanes <= columns {
                    block(simd, (from, row * columns + column, columns), (&mut *to, column * rows + row, rows));
                    column += lanes;
                }
                rest(from, to, (row, row + lanes, rows), (column, columns));
                row += lanes;
            }
            rest(from, to, (row, rows, rows), (0, columns));
        }
    }
}

/// Rows and columns that are fewer than a vector.
#[inline(always)]
fn rest<T: Copy>(from: &[T], to: &mut [T], (first, end, rows): (usize, usize, usize), (column, columns): (usize, usize)) {
    for row in first..end {
        let from = from.get(row * columns + column..(row + 1) * columns).unwrap_or(&[]);
        let to = to.get_mut(column * rows + row..).unwrap_or(&mut []).iter_mut().step_by(rows.max(1));
        from.iter().zip(to).for_each(|(from, to)| *to = *from);
    }
}

/// As many rows as a vector has numbers, in as many vectors: in each step, each second group of numbers changes place with the group before it in
/// another row.
#[inline(always)]
fn block<S: Simd, T: Lanes>(
    simd: S,
    (from, from_at, columns): (&[T], usize, usize),
    (to, to_at, rows): (&mut [T], usize, usize),
) {
    let lanes = lanes_of::<T, S>();
    let mut lines = [T::splat(simd, T::default()); MOST_LANES];
    for (at, line) in lines.iter_mut().take(lanes).enumerate() {
        let found = from.get(from_at + at * columns..).and_then(|from| from.get(..lanes));
        let Some([found, ..]) = found.map(T::vectors::<S>) else { return };
        *line = *found;
    }
    exchange::<S, T, 1>(simd, &mut lines);
    exchange::<S, T, 2>(simd, &mut lines);
    exchange::<S, T, 4>(simd, &mut lines);
    exchange::<S, T, 8>(simd, &mut lines);
    for (at, line) in lines.iter().take(lanes).enumerate() {
        let found = to.get_mut(to_at + at * rows..).and_then(|to| to.get_mut(..lanes));
        let Some([found, ..]) = found.map(T::vectors_mut::<S>) else { return };
        *found = *line;
    }
}

/// 0 in every other group of lanes, from the first, and 1 in those between.
#[inline(always)]
pub(super) fn every_other_group<S: Simd, T: Lanes, const WIDTH: usize>() -> Option<T::Vector<S>> {
    let mut second = [T::default(); MOST_LANES];
    for (lane, number) in second.iter_mut().enumerate() {
        *number = if lane & WIDTH == 0 { T::default() } else { T::from_f64(1.0) };
    }
    T::vectors::<S>(&second).first().copied()
}

#[inline(always)]
fn exchange<S: Simd, T: Lanes, const WIDTH: usize>(simd: S, lines: &mut [T::Vector<S>; MOST_LANES]) {
    let lanes = lanes_of::<T, S>();
    if WIDTH >= lanes {
        return;
    }
    // 0 in the groups that stay in the first row of two.
    let Some(second) = every_other_group::<S, T, WIDTH>() else { return };
    let mut line = 0;
    while line + WIDTH < lanes {
        if line & WIDTH == 0 {
            let (first, other) = (lines[line], lines[line + WIDTH]);
            lines[line] = T::where_zero(simd, second, first, T::rotate_right(simd, other, WIDTH));
            lines[line + WIDTH] = T::where_zero(simd, second, T::rotate_right(simd, first, lanes - WIDTH), other);
        }
        line += 1;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    fn check<T: Lanes>() {
        for rows in 1..=35 {
            for columns in 1..=35 {
                let from: std::vec::Vec<T> = (0..2 * rows * columns).map(|at| T::from_f64(at as f64)).collect();
                let run = |transpose: &dyn Fn(Transpose<'_, T>), name: &str| {
                    let mut to = std::vec![T::default(); from.len()];
                    transpose(Transpose { from: &from, to: &mut to, rows, columns });
                    for (at, &number) in from.iter().enumerate() {
                        let (matrix, row, column) = (at / (rows * columns), at / columns % rows, at % columns);
                        assert_eq!(
                            to[(matrix * columns + column) * rows + row],
                            number,
                            "{name}: {rows} rows, {columns} columns"
                        );
                    }
                };
                run(&|transpose| super::super::vectorized(transpose), "the best instructions");
                run(&|transpose| Matrices(transpose).with_simd(pulp::Scalar::new()), "no vectors");
                #[cfg(target_arch = "x86_64")]
                {
                    if let Some(simd) = pulp::x86::V3::try_new() {
                        run(&|transpose| Simd::vectorize(simd, Matrices(transpose)), "AVX2");
                    }
                    if let Some(simd) = pulp::x86::V4::try_new() {
                        run(&|transpose| Simd::vectorize(simd, Matrices(transpose)), "AVX-512");
                    }
                }
            }
        }
    }

    #[test]
    fn matrices_of_all_sizes_are_transposed() {
        check::<f32>();
        check::<f64>();
    }
}
