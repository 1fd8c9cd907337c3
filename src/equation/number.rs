//! Numbers that are folded only where nothing is rounded.

use std::hash::{Hash, Hasher};

/// A finite or infinite `f64`, never NaN, with one zero, that can be compared and hashed.
#[derive(Clone, Copy, Debug)]
pub struct Number(f64);

impl Number {
    /// 0.
    pub const ZERO: Number = Number(0.0);
    /// 1.
    pub const ONE: Number = Number(1.0);
    /// -1.
    pub const MINUS_ONE: Number = Number(-1.0);

    /// The number, or `None` for NaN.
    pub fn new(value: f64) -> Option<Number> {
        if value.is_nan() { None } else { Some(Number(value + 0.0)) }
    }

    /// An integer.
    pub fn integer(value: i64) -> Number {
        Number(value as f64)
    }

    /// Its value.
    pub fn value(self) -> f64 {
        self.0
    }

    /// Its value where it is an integer of at most 53 bits.
    pub fn as_integer(self) -> Option<i64> {
        (self.0.fract() == 0.0 && self.0.abs() < 9.0e15).then_some(self.0 as i64)
    }

    /// The sum, where it is exact (Knuth's two-sum leaves no error).
    pub fn exact_sum(self, other: Number) -> Option<Number> {
        let sum = self.0 + other.0;
        if !sum.is_finite() {
            return None;
        }
        let virtual_other = sum - self.0;
        let error = (self.0 - (sum - virtual_other)) + (other.0 - virtual_other);
        (error == 0.0).then_some(Number(sum + 0.0))
    }

    /// The product, where it is exact.
    pub fn exact_product(self, other: Number) -> Option<Number> {
        let product = self.0 * other.0;
        let exact = product.is_finite() && self.0.mul_add(other.0, -product) == 0.0;
        // A product that underflows has lost digits without a trace.
        let underflow = product.abs() < 1e-280 && self.0 != 0.0 && other.0 != 0.0;
        (exact && !underflow).then_some(Number(product + 0.0))
    }

    /// The reciprocal, where it is exact.
    pub fn exact_reciprocal(self) -> Option<Number> {
        let quotient = 1.0 / self.0;
        (quotient.is_finite() && self.0.is_finite() && quotient.mul_add(self.0, -1.0) == 0.0).then_some(Number(quotient))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}
