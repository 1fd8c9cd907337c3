//! Numbers of about 32 digits as sums of two (Dekker 1971), and the functions on them by series: slow and plain, to compare with.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// The sum of two numbers, the second below half a unit of the first's last place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Double(pub(crate) f64, pub(crate) f64);

/// A number times a power of two, beyond the range of `f64`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scaled {
    pub(crate) digits: Double,
    pub(crate) exponent: i32,
}

/// A term of a series that is so much smaller than its sum is below the last digit.
const NEGLIGIBLE: f64 = 1e-33;
const LN_2: Double = Double(std::f64::consts::LN_2, 2.319_046_813_846_299_6e-17);
const TWO_OVER_ROOT_OF_PI: Double = Double(std::f64::consts::FRAC_2_SQRT_PI, 1.533_545_961_316_588e-17);

impl Double {
    pub(crate) fn sum(a: f64, b: f64) -> Double {
        let sum = a + b;
        let of_b = sum - a;
        Double(sum, (a - (sum - of_b)) + (b - of_b))
    }

    fn product(a: f64, b: f64) -> Double {
        let product = a * b;
        Double(product, a.mul_add(b, -product))
    }
}

impl From<f64> for Double {
    fn from(number: f64) -> Double {
        Double(number, 0.0)
    }
}

impl Neg for Double {
    type Output = Double;
    fn neg(self) -> Double {
        Double(-self.0, -self.1)
    }
}

impl Add for Double {
    type Output = Double;
    fn add(self, other: Double) -> Double {
        let (high, low) = (Double::sum(self.0, other.0), Double::sum(self.1, other.1));
        let sum = Double::sum(high.0, high.1 + low.0);
        Double::sum(sum.0, sum.1 + low.1)
    }
}

impl Sub for Double {
    type Output = Double;
    fn sub(self, other: Double) -> Double {
        self + -other
    }
}

impl Mul for Double {
    type Output = Double;
    fn mul(self, other: Double) -> Double {
        let product = Double::product(self.0, other.0);
        Double::sum(product.0, product.1 + (self.0 * other.1 + self.1 * other.0))
    }
}

impl Div for Double {
    type Output = Double;
    fn div(self, other: Double) -> Double {
        let first = self.0 / other.0;
        let rest = self - other * first.into();
        let second = rest.0 / other.0;
        let rest = rest - other * second.into();
        Double::sum(first, second) + (rest.0 / other.0).into()
    }
}

impl Scaled {
    fn plain(digits: Double) -> Scaled {
        Scaled { digits, exponent: 0 }
    }

    /// How far a number is away, in units of the last place of the exact result.
    pub(crate) fn distance(self, found: f64) -> f64 {
        let Scaled { digits, exponent } = self;
        if digits.0 == 0.0 {
            return if found == 0.0 { 0.0 } else { f64::INFINITY };
        }
        let place = |number: f64| ((number.abs().to_bits() >> 52) as i32 - 1023).max(-1022);
        let last_place = (place(digits.0) + exponent).clamp(-1022, 1023) - 52 - exponent;
        let found = times_power_of_two(found, -exponent);
        let difference = Double::from(found) - digits;
        times_power_of_two(difference.0, -last_place).abs()
    }
}

fn times_power_of_two(mut number: f64, mut exponent: i32) -> f64 {
    while exponent != 0 {
        let step = exponent.clamp(-1000, 1000);
        number *= f64::powi(2.0, step);
        exponent -= step;
    }
    number
}

/// `exp(x)` as `2ⁿ exp(r)`, where `r` is divided by 64 first for the series.
fn exp_of(x: Double) -> Scaled {
    let times = (x.0 / LN_2.0).round();
    let r = (x - LN_2 * times.into()) * (1.0 / 64.0).into();
    let mut digits = series_of_expm1(r) + 1.0.into();
    for _ in 0..6 {
        digits = digits * digits;
    }
    Scaled { digits, exponent: times as i32 }
}

fn series_of_expm1(x: Double) -> Double {
    let (mut term, mut sum, mut at) = (x, x, 1.0);
    while term.0.abs() > sum.0.abs() * NEGLIGIBLE {
        at += 1.0;
        term = term * x / at.into();
        sum = sum + term;
    }
    sum
}

fn expm1_of(x: f64) -> Double {
    if x.abs() < 0.4 {
        return series_of_expm1(x.into());
    }
    let Scaled { digits, exponent } = exp_of(x.into());
    let power = f64::powi(2.0, exponent);
    Double(digits.0 * power, digits.1 * power) - 1.0.into()
}

/// `ln((1 + s) / (1 - s))` for a small `s`.
fn series_of_logarithm(s: Double) -> Double {
    let (mut power, mut sum, mut at) = (s, s, 1.0);
    let square = s * s;
    while power.0.abs() > sum.0.abs() * NEGLIGIBLE {
        at += 2.0;
        power = power * square;
        sum = sum + power / at.into();
    }
    sum + sum
}

/// `ln(x)` by a step of Newton's from that of `f64`, in which the square of the rest counts.
fn ln_of(x: Double) -> Double {
    if (x.0 - 1.0).abs() < 0.1 {
        let minus_one = x - 1.0.into();
        return series_of_logarithm(minus_one / (minus_one + 2.0.into()));
    }
    let near = x.0.ln();
    let Scaled { digits, exponent } = exp_of(Double::from(-near));
    let x = Double(times_power_of_two(x.0, exponent), times_power_of_two(x.1, exponent));
    let rest = x * digits - 1.0.into();
    Double::from(near) + (rest - rest * rest * 0.5.into())
}

pub(crate) fn exp(x: f64) -> Scaled {
    exp_of(x.into())
}

pub(crate) fn expm1(x: f64) -> Scaled {
    if x > 700.0 { exp(x) } else { Scaled::plain(expm1_of(x.max(-100.0))) }
}

pub(crate) fn ln(x: f64) -> Scaled {
    if x < f64::MIN_POSITIVE {
        return Scaled::plain(ln_of((x * f64::powi(2.0, 60)).into()) - LN_2 * 60.0.into());
    }
    Scaled::plain(ln_of(x.into()))
}

pub(crate) fn log1p(x: f64) -> Scaled {
    if x.abs() < 0.1 {
        return Scaled::plain(series_of_logarithm(Double::from(x) / Double::sum(2.0, x)));
    }
    Scaled::plain(ln_of(Double::sum(x.max(1.0), x.min(1.0))))
}

pub(crate) fn tanh(x: f64) -> Scaled {
    let minus_one = expm1_of((2.0 * x).clamp(-100.0, 100.0));
    Scaled::plain(minus_one / (minus_one + 2.0.into()))
}

pub(crate) fn sigmoid(x: f64) -> Scaled {
    let Scaled { digits, exponent } = exp(-x.abs());
    let below = f64::powi(2.0, exponent.max(-300));
    let below = Double(digits.0 * below, digits.1 * below) + 1.0.into();
    if x < 0.0 { Scaled { digits: digits / below, exponent } } else { Scaled::plain(Double::from(1.0) / below) }
}

/// `2 / √π · exp(-x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1 · 3 ⋯ (2n + 1))`, whose terms are all of one sign.
pub(crate) fn erf(x: f64) -> Scaled {
    // Rests of products of very small numbers would leave the range.
    let is_tiny = x.abs() < 1e-100;
    let x = if is_tiny { times_power_of_two(x, 600) } else { x.clamp(-7.0, 7.0) };
    let exponent = if is_tiny { -600 } else { 0 };
    let square = if is_tiny { Double::from(0.0) } else { Double::product(x, x) };
    let (mut term, mut sum, mut at) = (Double::from(x), Double::from(x), 1.0);
    while term.0.abs() > sum.0.abs() * NEGLIGIBLE {
        at += 2.0;
        term = term * (square + square) / at.into();
        sum = sum + term;
    }
    let Scaled { digits, exponent: of_exponential } = exp_of(-square);
    let exponential = f64::powi(2.0, of_exponential);
    let exponential = Double(digits.0 * exponential, digits.1 * exponential);
    Scaled { digits: TWO_OVER_ROOT_OF_PI * exponential * sum, exponent }
}
