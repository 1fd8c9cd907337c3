//! Polynomials with short chains of operations.

use crate::scalar::Scalar;

/// The polynomial with these coefficients of even and of odd powers, each from the lowest.
///
/// Both are added up beside each other, so that a single argument waits for half as many operations as in Horner's scheme.
#[inline(always)]
pub(super) fn polynomial<T: Scalar, const EVEN: usize, const ODD: usize>(x: T, (even, odd): ([T; EVEN], [T; ODD])) -> T {
    let square = x * x;
    horner(square, even) + horner(square, odd) * x
}

#[inline(always)]
fn horner<T: Scalar, const COUNT: usize>(x: T, coefficients: [T; COUNT]) -> T {
    coefficients.into_iter().rev().reduce(|sum, coefficient| sum * x + coefficient).unwrap_or_default()
}
