//! `exp` and `expm1`.
//!
//! The argument is `n ln 2 + r` with an integer `n` and `|r| <= ln(2) / 2`, so that `exp(x)` is `2ⁿ exp(r)` (Muller 2016, section 11.1).
//! `ln 2` has two parts, of which the first has so few digits that its multiples are exact (Cody and Waite 1980). What of `exp(r)` is beyond `1 + r`
//! is `r²` times the polynomial of least greatest error (Remez), which is under 2^-28 in single and 2^-63 in double precision.
//!
//! The polynomial is that of `h`, which is `r` but for `n` times the second part of `ln 2`, `l`. It need not wait for the difference: `exp(h - l)` is
//! `exp(h) (1 - l)` but for `l²/2`, which is under 2^-25 in single and 2^-68 in double precision.

use super::MultiplyAdd;
use super::polynomial::polynomial;

macro_rules! exponential {
    (
        $float:ident $bits:ident, $digits:literal digits, bias $bias:literal, ln 2 = $ln_2_high:literal + $ln_2_low:literal,
        from $least:literal to $greatest:literal, minus one from $least_minus_one:literal, $polynomial:tt
    ) => {
        pub(crate) mod $float {
            use super::{MultiplyAdd, polynomial};

            /// 1.5 · 2^digits: adding it rounds to an integer, which then stands in the lowest bits.
            const ROUNDER: $float = 1.5 * (1_u64 << $digits) as $float;

            /// A power of two about in the middle between 1 and the least normal number.
            pub(in crate::math) const LOWERED_ONE: $float = $float::from_bits(($bias / 2) << $digits);

            /// An argument in its parts.
            #[derive(Clone, Copy)]
            pub(in crate::math) struct Reduced {
                /// How often `ln 2` is in it, `n`, added to [`ROUNDER`].
                rounded: $float,
                /// `h`, what it is more than `n` times the first part of `ln 2`.
                high: $float,
                /// `l`, `n` times the second part.
                low: $float,
            }

            /// A power of two with what is multiplied by it, so that `exp(x)` is `plain + minus_one * scaled`.
            pub(in crate::math) struct Power {
                pub(in crate::math) plain: $float,
                pub(in crate::math) scaled: $float,
            }

            /// Takes a multiple of an argument apart whose exponential is not far outside of the range.
            #[inline(always)]
            pub(in crate::math) fn reduce<A: MultiplyAdd<$float>>(arithmetic: A, x: $float, factor: $float) -> Reduced {
                let rounded = arithmetic.multiply_add(x, factor * core::$float::consts::LOG2_E, ROUNDER);
                let times = rounded - ROUNDER;
                // The product and the difference are exact.
                Reduced { rounded, high: arithmetic.multiply_add(times, -$ln_2_high, factor * x), low: times * $ln_2_low }
            }

            /// 2ⁿ, where `n` is normal and stands in a number of bits without the bias.
            #[inline(always)]
            fn power_of_two(biased: $bits) -> $float {
                $float::from_bits(biased << $digits)
            }

            impl Reduced {
                /// `exp(h) - 1 - l`.
                #[inline(always)]
                pub(in crate::math) fn minus_one<A: MultiplyAdd<$float>>(self, arithmetic: A) -> $float {
                    let high = self.high;
                    polynomial!(arithmetic, high, high - self.low, $polynomial)
                }

                /// With all of `r` in its first part, for which one waits. Then what is multiplied by the power of two is so without rounding.
                #[inline(always)]
                pub(in crate::math) fn in_one(self) -> Reduced {
                    Reduced { high: self.high - self.low, low: 0.0, ..self }
                }

                /// `exp(r) - 1`, which waits for `r`: rounded where it is small but for the end.
                #[inline(always)]
                pub(in crate::math) fn rest_minus_one<A: MultiplyAdd<$float>>(self, arithmetic: A) -> $float {
                    let r = self.high - self.low;
                    self.high + polynomial!(arithmetic, r, -self.low, $polynomial)
                }

                /// `n`, and a number that makes it positive.
                #[inline(always)]
                fn exponent(self, raised: $bits) -> $bits {
                    self.rounded.to_bits().wrapping_sub(ROUNDER.to_bits()).wrapping_add(raised)
                }

                /// A power of two, and what the rest of the argument is multiplied by with it.
                #[inline(always)]
                fn scale<A: MultiplyAdd<$float>>(self, arithmetic: A, plain: $float) -> Power {
                    Power { plain, scaled: arithmetic.multiply_add(-self.low, plain, plain) }
                }

                /// 2ⁿ, where it is a normal number.
                #[inline(always)]
                pub(in crate::math) fn normal_power<A: MultiplyAdd<$float>>(self, arithmetic: A) -> Power {
                    self.scale(arithmetic, power_of_two(self.exponent($bias)))
                }

                /// [`LOWERED_ONE`] times 2ⁿ, which is normal where the exponential of no argument of the logistic function leaves the range.
                #[inline(always)]
                pub(in crate::math) fn lowered_power<A: MultiplyAdd<$float>>(self, arithmetic: A) -> Power {
                    self.scale(arithmetic, power_of_two(self.exponent($bias / 2)))
                }

                /// [`LOWERED_ONE`], or the number before it where `2ⁿ + 1` is in the middle between two numbers, the lower of which it is
                /// rounded to: a quotient with that sum below is then too great by as much.
                #[inline(always)]
                pub(in crate::math) fn lowered_one_over_sum(self) -> $float {
                    let is_tie = self.rounded == ROUNDER + ($digits + 1) as $float;
                    $float::from_bits(LOWERED_ONE.to_bits() - $bits::from(is_tie))
                }

                /// Two powers whose product is 2ⁿ, for that may leave the range.
                #[inline(always)]
                fn halves(self) -> ($float, $float) {
                    // Shifts to the right are of positive numbers: few machines have others for vectors.
                    let both = self.exponent(2 * $bias);
                    let half = both >> 1;
                    (power_of_two(half), power_of_two(both.wrapping_sub(half)))
                }
            }

            /// The exponential function.
            #[inline(always)]
            #[must_use]
            pub fn exp<A: MultiplyAdd<$float>>(arithmetic: A, x: $float) -> $float {
                // Beyond these the result is infinite or 0 in any case; NaN passes.
                let x = if x > $greatest { $greatest } else { x };
                let x = if x < $least { $least } else { x };
                let reduced = reduce(arithmetic, x, 1.0);
                let (one, other) = reduced.halves();
                let power = reduced.scale(arithmetic, one);
                arithmetic.multiply_add(reduced.minus_one(arithmetic), power.scaled, power.plain) * other
            }

            /// `exp(x) - 1` without loss of digits near 0.
            #[inline(always)]
            #[must_use]
            pub fn expm1<A: MultiplyAdd<$float>>(arithmetic: A, x: $float) -> $float {
                let within = if x > $greatest { $greatest } else { x };
                let within = if within < $least_minus_one { $least_minus_one } else { within };
                let reduced = reduce(arithmetic, within, 1.0);
                let minus_one = reduced.rest_minus_one(arithmetic);
                // Half of 2ⁿ, for the whole may leave the range.
                let half = power_of_two(reduced.exponent($bias - 1));
                let far = arithmetic.multiply_add(minus_one, half, half - 0.5) * 2.0;
                let result = if half == 0.5 { minus_one } else { far };
                result.copysign(x)
            }
        }
    };
}

exponential! {
    f32 u32, 23 digits, bias 127, ln 2 = 0.693_145_75 + 1.428_606_8e-6, from -104.0 to 89.0, minus one from -18.0,
    [0.5, 0.166_665_18, 0.041_666_202, 0.008_368_953, 0.001_395_061_6]
}

exponential! {
    f64 u64, 52 digits, bias 1023, ln 2 = 0.693_147_180_559_890_3 + 5.497_923_018_708_371e-14, from -746.0 to 710.0, minus one from -38.0,
    [
        0.5, 0.166_666_666_666_666_85, 0.041_666_666_666_666_73, 0.008_333_333_333_316_621, 0.001_388_888_888_885_836_7,
        0.000_198_412_698_973_575_58, 2.480_158_737_391_957e-5, 2.755_723_393_244_673_3e-6, 2.755_723_320_675_134_6e-7,
        2.511_234_778_540_971_4e-8, 2.092_698_771_839_056e-9
    ]
}
