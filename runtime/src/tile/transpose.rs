//! Matrices with rows and columns exchanged.

use super::instructions::{Run, Vectors};

/// Numbers on a side of the blocks in which matrices are transposed.
const SIDE: usize = 8;

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

impl<T: Copy> Run for Transpose<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vectors>(self, _vectors: V) {
        let (rows, columns) = (self.rows, self.columns);
        let size = (rows * columns).max(1);
        for (from, to) in self.from.chunks_exact(size).zip(self.to.chunks_exact_mut(size)) {
            for row in (0..rows).step_by(SIDE) {
                for column in (0..columns).step_by(SIDE) {
                    if row + SIDE <= rows && column + SIDE <= columns {
                        block(from, to, (row, column), (rows, columns));
                        continue;
                    }
                    for column in column..columns.min(column + SIDE) {
                        let Some(to) = to.get_mut(column * rows + row..) else { continue };
                        let from = from.get(row * columns + column..).unwrap_or(&[]).iter().step_by(columns);
                        to.iter_mut().zip(from).take(SIDE.min(rows - row)).for_each(|(to, from)| *to = *from);
                    }
                }
            }
        }
    }
}

/// A block with all its rows and columns, read and written by rows.
#[inline(always)]
fn block<T: Copy>(from: &[T], to: &mut [T], (row, column): (usize, usize), (rows, columns): (usize, usize)) {
    let Some(first) = from.get(row * columns + column..).and_then(|from| from.first_chunk::<SIDE>()) else { return };
    let mut block = [*first; SIDE];
    for (at, line) in block.iter_mut().enumerate() {
        let Some(found) = from.get((row + at) * columns + column..).and_then(|from| from.first_chunk()) else { return };
        *line = *found;
    }
    for at in 0..SIDE {
        let Some(line) = to.get_mut((column + at) * rows + row..).and_then(|to| to.first_chunk_mut::<SIDE>()) else { return };
        for (number, from) in line.iter_mut().zip(&block) {
            *number = from[at];
        }
    }
}
