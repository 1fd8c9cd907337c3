//! Passes over contiguous memory, where the smaller operand's axes are the first or the last of the larger one's.

use super::program::Axis;

/// How the elements of an operand repeat along the memory of an array that has all its axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// They do not: the axes are the same.
    Once,
    /// As a whole, like a bias that is added to each row.
    Whole,
    /// Each of them, like a sum that divides its row.
    Each,
}

impl Repeat {
    /// How an operand with the axes `part` repeats along `all`, if it does so regularly.
    pub(super) fn of(part: &[Axis], all: &[Axis]) -> Option<Repeat> {
        if part.len() == all.len() {
            Some(Repeat::Once)
        } else if all.ends_with(part) {
            Some(Repeat::Whole)
        } else if all.starts_with(part) {
            Some(Repeat::Each)
        } else {
            None
        }
    }
}

/// `x = f(x, y)` for each element of `x` and the one of `y` that belongs to it. Neither is empty.
pub(super) fn update<T: Copy>(x: &mut [T], y: &[T], repeat: Repeat, f: impl Fn(T, T) -> T) {
    match repeat {
        Repeat::Once => {
            for (x, &y) in x.iter_mut().zip(y) {
                *x = f(*x, y);
            }
        }
        Repeat::Whole => {
            for row in x.chunks_exact_mut(y.len()) {
                for (x, &y) in row.iter_mut().zip(y) {
                    *x = f(*x, y);
                }
            }
        }
        Repeat::Each => {
            let length = x.len() / y.len();
            for (row, &y) in x.chunks_exact_mut(length).zip(y) {
                for x in row {
                    *x = f(*x, y);
                }
            }
        }
    }
}

/// `f(x, y)` for each element of `x` and the one of `y` that belongs to it. Neither is empty.
pub(super) fn updated<T: Copy>(x: &[T], y: &[T], repeat: Repeat, f: impl Fn(T, T) -> T) -> Vec<T> {
    if repeat == Repeat::Once {
        return x.iter().zip(y).map(|(&x, &y)| f(x, y)).collect();
    }
    let mut result = x.to_vec();
    update(&mut result, y, repeat, f);
    result
}
