//! Numbers: integers, simple fractions, decimals, powers of ten, and the constants that have a name.

use super::{Level, Piece};
use crate::sheet::math::{Math, Operator};

/// A number that is not negative, as a mathematician writes it: 0.5 is 1/2.
pub(super) fn number(value: f64) -> Piece {
    if let Some(named) = named(value) {
        return named;
    }
    match simple_fraction(value) {
        Some((numerator, denominator)) => {
            Piece::new(Math::fraction(Math::number(numerator), Math::number(denominator)), Level::Fraction)
        }
        None => {
            Piece::new(decimal(value), if has_exponent(value) && !is_power_of_ten(value) { Level::Product } else { Level::Atom })
        }
    }
}

/// Multiples of π and roots, where the value is the nearest double.
fn named(value: f64) -> Option<Piece> {
    use std::f64::consts;
    let pi = || Math::identifier("π");
    let root = |radicand: Math| Math::Sqrt(Box::new(radicand));
    let fraction = |above: Math, below: Math| Some(Piece::new(Math::fraction(above, below), Level::Fraction));
    if value == consts::PI {
        return Some(Piece::atom(pi()));
    }
    if value == consts::TAU {
        return Some(Piece::new(Math::product(vec![Math::number(2), pi()]), Level::Product));
    }
    if value == consts::FRAC_2_SQRT_PI {
        return fraction(Math::number(2), root(pi()));
    }
    if value == consts::FRAC_2_SQRT_PI / 2.0 {
        return fraction(Math::number(1), root(pi()));
    }
    if value == consts::SQRT_2 {
        return Some(Piece::atom(root(Math::number(2))));
    }
    if value == consts::FRAC_1_SQRT_2 {
        return fraction(Math::number(1), root(Math::number(2)));
    }
    None
}

/// Numerator and denominator where the number is better read as a fraction: halves to eighths, the unit fractions of powers of
/// two that means over an axis bring, and doubles whose decimals go on for ever.
pub(super) fn simple_fraction(value: f64) -> Option<(u64, u64)> {
    if !(value > 0.0 && value < 1e6) || value.fract() == 0.0 {
        return None;
    }
    for denominator in [2_u64, 4, 8] {
        let numerator = value * denominator as f64;
        if numerator.fract() == 0.0 && numerator < 100.0 {
            return Some((numerator as u64, denominator));
        }
    }
    let reciprocal = 1.0 / value;
    if reciprocal.fract() == 0.0 && reciprocal <= 65536.0 && (reciprocal as u64).is_power_of_two() {
        return Some((1, reciprocal as u64));
    }
    if value.to_string().len() > 12 {
        return (3..=1000_u64).find_map(|denominator| {
            let numerator = (value * denominator as f64).round();
            (numerator > 0.0 && numerator < 1000.0 && numerator / denominator as f64 == value)
                .then_some((numerator as u64, denominator))
        });
    }
    None
}

/// A simple fraction in decimals, where these are few: below the line of a fraction, 0.75 is easier to read than another fraction.
pub(super) fn short_decimal(value: f64) -> Option<Piece> {
    const MOST_CHARACTERS: usize = 8;
    let is_short = simple_fraction(value).is_some() && value.to_string().len() <= MOST_CHARACTERS;
    is_short.then(|| Piece::atom(decimal(value)))
}

fn has_exponent(value: f64) -> bool {
    value.is_finite() && value != 0.0 && !(1e-4..1e7).contains(&value)
}

fn is_power_of_ten(value: f64) -> bool {
    format!("{value:e}").starts_with("1e")
}

/// A number that is not negative, in decimals.
pub(in crate::sheet) fn decimal(value: f64) -> Math {
    if value.is_infinite() {
        return Math::identifier("∞");
    }
    if !has_exponent(value) {
        return Math::number(value);
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent = match exponent.strip_prefix('-') {
        Some(digits) => Math::Row(vec![Math::Operator(Operator::Negative), Math::number(digits)]),
        None => Math::number(exponent),
    };
    let power = Math::number(10).with_superscript(exponent);
    if mantissa == "1" { power } else { Math::product(vec![Math::number(mantissa), power]) }
}

/// A number that is not negative: the square root of a small fraction where it is one, as with bounds of initial values, else
/// in decimals.
pub(in crate::sheet) fn root_or_decimal(value: f64) -> Math {
    /// The greatest denominator that is tried.
    const LARGEST: f64 = 1e7;
    if value.to_string().len() > 8 {
        for numerator in [1.0, 2.0, 3.0, 6.0] {
            let denominator = (numerator / (value * value)).round();
            if (1.0..LARGEST).contains(&denominator)
                && ((numerator / denominator).sqrt() - value).abs() <= 2.0 * f64::EPSILON * value
            {
                let fraction =
                    Math::Row(vec![Math::number(numerator), Math::Operator(Operator::Slash), Math::number(denominator)]);
                return Math::Sqrt(Box::new(fraction));
            }
        }
    }
    decimal(value)
}
