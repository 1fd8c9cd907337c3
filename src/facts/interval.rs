//! Intervals of real numbers, ends included or not.

use crate::equation::Elementary;

/// An end: a number, and whether it is attained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct End {
    pub(super) value: f64,
    pub(super) is_attained: bool,
}

/// A range that holds all values of an expression, and maybe more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Interval {
    pub(super) low: End,
    pub(super) high: End,
}

fn end(value: f64, is_attained: bool) -> End {
    End { value, is_attained: is_attained && value.is_finite() }
}

impl Interval {
    /// All real numbers.
    pub(super) const ALL: Interval = Interval {
        low: End { value: f64::NEG_INFINITY, is_attained: false },
        high: End { value: f64::INFINITY, is_attained: false },
    };

    /// A number.
    pub(super) fn number(value: f64) -> Self {
        Self::closed(value, value)
    }

    /// With both ends, as far as they are finite.
    pub(super) fn closed(low: f64, high: f64) -> Self {
        Self { low: end(low, true), high: end(high, true) }
    }

    /// Without its ends.
    pub(super) fn open(low: f64, high: f64) -> Self {
        Self { low: end(low, false), high: end(high, false) }
    }

    /// The greatest absolute value.
    pub(super) fn magnitude(self) -> f64 {
        self.low.value.abs().max(self.high.value.abs())
    }

    /// Whether all of it lies above 0.
    pub(super) fn is_positive(self) -> bool {
        self.low.value > 0.0 || (self.low.value == 0.0 && !self.low.is_attained)
    }

    /// Whether 0 may be in it.
    fn may_be_zero(self) -> bool {
        let below = self.low.value < 0.0 || (self.low.value == 0.0 && self.low.is_attained);
        let above = self.high.value > 0.0 || (self.high.value == 0.0 && self.high.is_attained);
        below && above
    }

    /// Both together, and what lies between.
    pub(super) fn hull(self, other: Self) -> Self {
        Self { low: least([self.low, other.low]), high: greatest([self.high, other.high]) }
    }

    /// What is in both; the first where that is nothing.
    pub(super) fn intersection(self, other: Self) -> Self {
        let low = if other.low.value > self.low.value || (other.low.value == self.low.value && !other.low.is_attained) {
            other.low
        } else {
            self.low
        };
        let high = if other.high.value < self.high.value || (other.high.value == self.high.value && !other.high.is_attained) {
            other.high
        } else {
            self.high
        };
        if low.value <= high.value { Self { low, high } } else { self }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        let sum = |a: End, b: End| end(a.value + b.value, a.is_attained && b.is_attained);
        Self { low: sum(self.low, other.low), high: sum(self.high, other.high) }
    }

    pub(super) fn times(self, other: Self) -> Self {
        let product = |a: End, b: End| {
            if (a.value == 0.0 && a.is_attained) || (b.value == 0.0 && b.is_attained) {
                end(0.0, true)
            } else if a.value == 0.0 || b.value == 0.0 {
                // Also for 0 times infinity: both ends of the other factor's products stand for that.
                end(0.0, false)
            } else {
                end(a.value * b.value, a.is_attained && b.is_attained)
            }
        };
        let all = [
            product(self.low, other.low),
            product(self.low, other.high),
            product(self.high, other.low),
            product(self.high, other.high),
        ];
        Self { low: least(all), high: greatest(all) }
    }

    /// `self ^ exponent` for a number.
    pub(super) fn power(self, exponent: f64) -> Self {
        if exponent < 0.0 {
            let positive = self.power(-exponent);
            return positive.reciprocal();
        }
        let is_integer = exponent.fract() == 0.0;
        let at = |from: End| end(from.value.powf(exponent), from.is_attained);
        if is_integer && exponent % 2.0 == 0.0 {
            let (low, high) = (at(self.low), at(self.high));
            if self.may_be_zero() {
                return Self { low: end(0.0, true), high: greatest([low, high]) };
            }
            return Self { low: least([low, high]), high: greatest([low, high]) };
        }
        if is_integer || self.low.value >= 0.0 {
            return Self { low: at(self.low), high: at(self.high) };
        }
        Self::ALL
    }

    fn reciprocal(self) -> Self {
        if self.may_be_zero() {
            return Self::ALL;
        }
        let at = |from: End, infinite: f64| {
            if from.value == 0.0 { end(infinite, false) } else { end(1.0 / from.value, from.is_attained) }
        };
        let infinite = if self.is_positive() { f64::INFINITY } else { f64::NEG_INFINITY };
        Self { low: at(self.high, infinite), high: at(self.low, infinite) }
    }

    /// An elementary function of all values.
    pub(super) fn call(self, function: Elementary) -> Self {
        let monotone = |f: fn(f64) -> f64| Self {
            low: end(f(self.low.value), self.low.is_attained),
            high: end(f(self.high.value), self.high.is_attained),
        };
        match function {
            Elementary::Exp => monotone(f64::exp),
            Elementary::Expm1 => monotone(f64::exp_m1),
            Elementary::Tanh => monotone(f64::tanh),
            Elementary::Atan => monotone(f64::atan),
            Elementary::Erf => monotone(libm::erf),
            Elementary::Floor => monotone(f64::floor),
            Elementary::Ln if self.low.value >= 0.0 => monotone(f64::ln),
            Elementary::Log1p if self.low.value >= -1.0 => monotone(f64::ln_1p),
            Elementary::Sqrt if self.low.value >= 0.0 => monotone(f64::sqrt),
            Elementary::Abs if self.low.value >= 0.0 => self,
            Elementary::Abs if self.may_be_zero() => {
                let minus = self.times(Self::number(-1.0));
                Self { low: end(0.0, true), high: greatest([self.high, minus.high]) }
            }
            Elementary::Abs => self.times(Self::number(-1.0)),
            Elementary::Sin | Elementary::Cos => Self::closed(-1.0, 1.0),
            Elementary::Ln | Elementary::Log1p | Elementary::Sqrt | Elementary::Tan => Self::ALL,
        }
    }
}

fn least<const COUNT: usize>(ends: [End; COUNT]) -> End {
    let value = ends.iter().fold(f64::INFINITY, |least, end| least.min(end.value));
    end(value, ends.iter().any(|end| end.value == value && end.is_attained))
}

fn greatest<const COUNT: usize>(ends: [End; COUNT]) -> End {
    let value = ends.iter().fold(f64::NEG_INFINITY, |greatest, end| greatest.max(end.value));
    end(value, ends.iter().any(|end| end.value == value && end.is_attained))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sigmoid_lies_between_0_and_1_and_attains_neither() {
        let exponential = Interval::ALL.call(Elementary::Exp);
        let sigmoid = Interval::number(1.0).plus(exponential).power(-1.0);
        assert_eq!(sigmoid, Interval::open(0.0, 1.0));
        assert!(sigmoid.is_positive());
    }

    #[test]
    fn a_square_is_not_negative() {
        assert_eq!(Interval::ALL.power(2.0).low, End { value: 0.0, is_attained: true });
        assert_eq!(Interval::closed(-3.0, 2.0).power(2.0), Interval::closed(0.0, 9.0));
        assert_eq!(Interval::closed(-3.0, 2.0).times(Interval::closed(-1.0, 5.0)), Interval::closed(-15.0, 10.0));
    }
}
