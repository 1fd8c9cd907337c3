//! Matrices, transposed in blocks that vector registers hold.

use pulp::{Simd, WithSimd};

use super::instructions::{Run, Vectors};
use super::lanes::{Lanes, lanes_of};
use super::unzip::unzip;

/// No vector has more numbers.
pub(super) const MOST_LANES: usize = 16;

/// Matrices one after the other, each to be transposed.
#[derive(Debug)]
pub struct Transpose<'a, T> {
    /// What is read, row by row.
    pub from: &'a [T],
    /// How far it is from a row that is read to the next.
    pub from_row: usize,
    /// What is written, row by row.
    pub to: &'a mut [T],
    /// How far it is from a row that is written to the next.
    pub to_row: usize,
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

    /// Transposes one matrix: where it has so many rows and columns, which are constants, by code for these.
    #[inline(always)]
    pub(super) fn compute_one<V: Vectors>(self, vectors: V, (rows, columns): (usize, usize)) {
        if self.from_row == 1 || self.to_row == 1 {
            self.to.iter_mut().zip(self.from).take(self.rows * self.columns).for_each(|(to, from)| *to = *from);
        } else if self.rows == rows && self.columns == columns {
            Self { rows, columns, ..self }.compute_here(vectors);
        } else {
            self.compute(vectors);
        }
    }

    /// Transposes them here, where all sizes are constants.
    #[inline(always)]
    pub fn compute_here<V: Vectors>(self, vectors: V) {
        Matrices(self).with_simd(vectors.simd());
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
        let Transpose { mut from, from_row, mut to, to_row, rows, columns } = self.0;
        let (of_one, of_other) = ((rows * from_row).max(1), (columns * to_row).max(1));
        while let (Some((one, rest)), Some((other, rest_of_to))) =
            (from.split_at_checked(of_one), to.split_at_mut_checked(of_other))
        {
            (from, to) = (rest, rest_of_to);
            Matrix { from: one, from_row, to: other, to_row }.transpose(simd, rows, columns);
        }
    }
}

/// As many vectors must be full in a part of a matrix, counted together, that it is worth exchanging numbers between all vectors.
const WORTH: usize = 4;

struct Matrix<'a, T> {
    from: &'a [T],
    from_row: usize,
    to: &'a mut [T],
    to_row: usize,
}

impl<T: Lanes> Matrix<'_, T> {
    /// All of it, in parts that vector registers hold.
    #[inline(always)]
    fn transpose<S: Simd>(&mut self, simd: S, rows: usize, columns: usize) {
        if const { lanes_of::<T, S>() == 1 } {
            return self.one_by_one((0, rows), (0, columns));
        }
        let lanes = lanes_of::<T, S>();
        for row in (0..rows).step_by(lanes) {
            for column in (0..columns).step_by(lanes) {
                self.part(simd, (row, lanes.min(rows - row)), (column, lanes.min(columns - column)));
            }
        }
    }

    /// Some rows, at most as many as a vector has numbers, and some columns, likewise.
    #[inline(always)]
    fn part<S: Simd>(&mut self, simd: S, (row, height): (usize, usize), (column, width): (usize, usize)) {
        if height * width < WORTH * lanes_of::<T, S>() || self.in_registers(simd, (row, height), (column, width)).is_none() {
            self.one_by_one((row, height), (column, width));
        }
    }

    #[inline(always)]
    fn one_by_one(&mut self, (row, height): (usize, usize), (column, width): (usize, usize)) {
        for row in row..row + height {
            let from = self.from.get(row * self.from_row + column..).unwrap_or(&[]);
            let to = self.to.get_mut(column * self.to_row + row..).unwrap_or(&mut []).iter_mut().step_by(self.to_row.max(1));
            from.iter().take(width).zip(to).for_each(|(from, to)| *to = *from);
        }
    }

    /// Reads whole vectors, of which those of a narrow part have numbers beside it too. Nothing if vectors would leave the matrix.
    #[inline(always)]
    fn in_registers<S: Simd>(&mut self, simd: S, (row, height): (usize, usize), (column, width): (usize, usize)) -> Option<()> {
        let lanes = lanes_of::<T, S>();
        let first = row * self.from_row + column;
        // So many numbers are read before those of the part, and the others after them.
        let before = if first + (height - 1) * self.from_row + lanes <= self.from.len() { 0 } else { lanes - width };
        let from = self.from.get(first.checked_sub(before)?..)?.get(..(height - 1) * self.from_row + lanes)?;
        let mut lines = [T::splat(simd, T::default()); MOST_LANES];
        for (row, line) in lines.iter_mut().take(lanes).enumerate() {
            *line = *T::vectors::<S>(from.get(row.min(height - 1) * self.from_row..)?.get(..lanes)?).first()?;
        }
        simd.vectorize(Turn::<S, T> { simd, lines: &mut lines });
        let to = self.to.get_mut(column * self.to_row + row..)?;
        // What a whole vector has too many is written over by the next row.
        let is_next_beside = height == self.to_row;
        for (column, line) in lines.iter().take(lanes).enumerate() {
            let column = column.wrapping_sub(before);
            if column >= width {
                continue;
            }
            let to = to.get_mut(column * self.to_row..)?;
            match to.get_mut(..lanes) {
                Some(to) if height == lanes || is_next_beside => *T::vectors_mut::<S>(to).first_mut()? = *line,
                _ => T::store_rest(simd, to.get_mut(..height)?, *line),
            }
        }
        Some(())
    }
}

/// As many rows as a vector has numbers, to be turned into columns: a function of its own, which is long.
struct Turn<'a, S: Simd, T: Lanes> {
    simd: S,
    lines: &'a mut [T::Vector<S>; MOST_LANES],
}

impl<S: Simd, T: Lanes> WithSimd for Turn<'_, S, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<Same: Simd>(self, _simd: Same) {
        exchange::<S, T, 1>(self.simd, self.lines);
        exchange::<S, T, 2>(self.simd, self.lines);
        exchange::<S, T, 4>(self.simd, self.lines);
        exchange::<S, T, 8>(self.simd, self.lines);
    }
}

/// The bytes of a vector of AVX-512.
const AVX_512: usize = 64;

/// 0 in every other group of lanes, from the first, and 1 in those between.
#[inline(always)]
fn every_other_group<S: Simd, T: Lanes, const WIDTH: usize>() -> Option<T::Vector<S>> {
    let mut second = [T::default(); MOST_LANES];
    for (lane, number) in second.iter_mut().enumerate() {
        *number = if lane & WIDTH == 0 { T::default() } else { T::from_f64(1.0) };
    }
    T::vectors::<S>(&second).first().copied()
}

/// A step of turning, of lines two by two that are so far apart. Either every second group of numbers of one changes place with the group
/// before it in the other, which AVX-512 does by an instruction with a mask, or they become the even groups of both and the odd ones.
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
            (lines[line], lines[line + WIDTH]) = if const { size_of::<T::Vector<S>>() < AVX_512 } {
                unzip::<S, T, WIDTH>(simd, first, other)
            } else {
                let stays = T::where_zero(simd, second, first, T::rotate_right(simd, other, WIDTH));
                (stays, T::where_zero(simd, second, T::rotate_right(simd, first, lanes - WIDTH), other))
            };
        }
        line += 1;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;
    use std::vec::Vec;

    use super::super::all_instructions::{Check, with_all_instructions};
    use super::*;

    fn check<T: Lanes>() {
        for rows in 1..=35 {
            for columns in 1..=35 {
                let from: Vec<T> = (0..2 * rows * columns).map(|at| T::from_f64(at as f64)).collect();
                let mut expected = std::vec![T::default(); from.len()];
                for (at, &number) in from.iter().enumerate() {
                    let (matrix, row, column) = (at / (rows * columns), at / columns % rows, at % columns);
                    expected[(matrix * columns + column) * rows + row] = number;
                }
                let before = std::vec![T::default(); from.len()];
                let computation = Transpose { from: &from, from_row: columns, to: &mut [], to_row: rows, rows, columns };
                let what = format!("{rows} rows, {columns} columns");
                with_all_instructions(&Check { computation, before, expected, what });
            }
        }
    }

    #[test]
    fn matrices_of_all_sizes_are_transposed() {
        check::<f32>();
        check::<f64>();
    }
}
