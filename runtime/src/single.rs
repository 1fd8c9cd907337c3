//! Exponential function and hyperbolic tangent in single precision, without branches.
//!
//! `libm` computes one number at a time, through tables and branches; a layer's activations are many. These are a few multiplications
//! each, which a compiler does for several elements at once. They use no operation that rounds differently on another machine.
//! Reduction of the argument and polynomials are those of Cephes (Moshier 1989); the error is below 3 · 10⁻⁷ relative.

/// 1.5 · 2²³: adding it rounds to an integer, which then stands in the lowest bits.
const ROUNDER: f32 = 12_582_912.0;
/// ln 2 in two parts; the first has few digits, so that its multiples are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// The exponential function.
#[inline]
pub(crate) fn exp(x: f32) -> f32 {
    // Beyond these the result is infinite or 0 in any case; NaN passes.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let rounded = x * core::f32::consts::LOG2_E + ROUNDER;
    let times = rounded - ROUNDER;
    let r = x - times * LN_2_HIGH - times * LN_2_LOW;
    let mut polynomial = 1.987_569_1e-4;
    for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        polynomial = polynomial * r + coefficient;
    }
    let result = polynomial * r * r + r + 1.0;
    // 2^n as a product of two powers, for n may leave the range of one.
    let n = (rounded.to_bits() as i32).wrapping_sub(ROUNDER.to_bits() as i32);
    let half = n >> 1;
    result * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// 2^n for n between -126 and 127.
#[inline]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// Hyperbolic tangent.
#[inline]
pub(crate) fn tanh(x: f32) -> f32 {
    let magnitude = x.abs();
    let square = x * x;
    let mut polynomial = -5.704_988_7e-3;
    for coefficient in [2.063_909e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328e-1] {
        polynomial = polynomial * square + coefficient;
    }
    let near_zero = x * (polynomial * square + 1.0);
    let far = 1.0 - 2.0 / (exp(2.0 * magnitude) + 1.0);
    let far = far.copysign(x);
    if magnitude < 0.625 { near_zero } else { far }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(name: &str, x: f32, found: f32, expected: f64) {
        let error = (f64::from(found) - expected).abs();
        let bound = (3e-7 * expected.abs()).max(1.5e-45);
        assert!(error <= bound, "{name}({x}) is {found}, not {expected}");
    }

    #[test]
    fn exponentials_are_exact_to_a_few_units_in_the_last_place() {
        for at in -104_000..=88_700 {
            let x = at as f32 / 1000.0;
            assert_close("exp", x, exp(x), libm::exp(f64::from(x)));
        }
        for at in -1000..1000 {
            let x = at as f32 * 1e-9;
            assert_close("exp", x, exp(x), libm::exp(f64::from(x)));
        }
    }

    #[test]
    fn tangents_are_exact_to_a_few_units_in_the_last_place() {
        for at in -20_000..=20_000 {
            let x = at as f32 / 1000.0;
            assert_close("tanh", x, tanh(x), libm::tanh(f64::from(x)));
            let x = x * 1e-6;
            assert_close("tanh", x, tanh(x), libm::tanh(f64::from(x)));
        }
    }

    #[test]
    fn limits_and_exact_values_are_kept() {
        assert_eq!((exp(0.0), exp(-0.0), exp(f32::INFINITY), exp(f32::NEG_INFINITY)), (1.0, 1.0, f32::INFINITY, 0.0));
        assert_eq!((exp(100.0), exp(-1000.0)), (f32::INFINITY, 0.0));
        assert_eq!((tanh(0.0), tanh(f32::INFINITY), tanh(f32::NEG_INFINITY)), (0.0, 1.0, -1.0));
        assert_eq!(tanh(-0.0).to_bits(), (-0.0_f32).to_bits());
        assert!(exp(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
    }
}
