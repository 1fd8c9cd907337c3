//! `exp` and `expm1`.
//!
//! The argument is `n ln 2 + r` with an integer `n` and `|r| <= ln(2) / 2`, so that `exp(x)` is `2ⁿ exp(r)` (Muller 2016, section 11.1).
//! `ln 2` has two parts, of which the first has so few digits that its multiples are exact (Cody and Waite 1980). What of `exp(r)` is beyond `1 + r`
//! is `r²` times the polynomial of least greatest error (Remez), which is under 2^-28 in single and 2^-63 in double precision.

use super::polynomial::polynomial;

macro_rules! exponential {
    (
        $float:ident $bits:ident, $digits:literal digits, bias $bias:literal, ln 2 = $ln_2_high:literal + $ln_2_low:literal,
        from $least:literal to $greatest:literal, minus one from $least_minus_one:literal, $polynomial:expr
    ) => {
        pub(crate) mod $float {
            use super::polynomial;

            /// 1.5 · 2^digits: adding it rounds to an integer, which then stands in the lowest bits.
            const ROUNDER: $float = 1.5 * (1_u64 << $digits) as $float;

            /// An argument in its parts.
            pub(in crate::math) struct Reduced {
                /// How often `ln 2` is in it, added to [`ROUNDER`].
                rounded: $float,
                /// `exp(r) - 1` of the rest.
                minus_one: $float,
            }

            /// Takes an argument apart whose exponential is not far outside of the range.
            #[inline(always)]
            pub(in crate::math) fn reduce(x: $float) -> Reduced {
                let rounded = x * core::$float::consts::LOG2_E + ROUNDER;
                let times = rounded - ROUNDER;
                // The difference is exact; what is subtracted from it once more is rounded where it is small.
                let (high, low) = (x - times * $ln_2_high, times * $ln_2_low);
                let r = high - low;
                Reduced { rounded, minus_one: high + (r * r * polynomial(r, $polynomial) - low) }
            }

            /// 2ⁿ, where `n` is normal and stands in a number of bits without the bias.
            #[inline(always)]
            fn power_of_two(biased: $bits) -> $float {
                $float::from_bits(biased << $digits)
            }

            impl Reduced {
                /// `n`, and a number that makes it positive.
                #[inline(always)]
                fn exponent(&self, raised: $bits) -> $bits {
                    self.rounded.to_bits().wrapping_sub(ROUNDER.to_bits()).wrapping_add(raised)
                }

                /// The exponential, of an argument for which it is a normal number.
                #[inline(always)]
                pub(in crate::math) fn normal(self) -> $float {
                    (1.0 + self.minus_one) * power_of_two(self.exponent($bias))
                }

                /// The exponential, which may be infinite, subnormal or 0.
                #[inline(always)]
                pub(in crate::math) fn any(self) -> $float {
                    // As a product of two powers, for 2ⁿ may leave the range. Shifts to the right are of positive numbers: few machines
                    // have others for vectors.
                    let both = self.exponent(2 * $bias);
                    let half = both >> 1;
                    (1.0 + self.minus_one) * power_of_two(half) * power_of_two(both.wrapping_sub(half))
                }
            }

            /// The exponential function.
            #[inline(always)]
            #[must_use]
            pub fn exp(x: $float) -> $float {
                // Beyond these the result is infinite or 0 in any case; NaN passes.
                let x = if x > $greatest { $greatest } else { x };
                let x = if x < $least { $least } else { x };
                reduce(x).any()
            }

            /// `exp(x) - 1` without loss of digits near 0.
            #[inline(always)]
            #[must_use]
            pub fn expm1(x: $float) -> $float {
                let within = if x > $greatest { $greatest } else { x };
                let within = if within < $least_minus_one { $least_minus_one } else { within };
                let reduced = reduce(within);
                // Half of 2ⁿ, for the whole may leave the range.
                let half = power_of_two(reduced.exponent($bias - 1));
                let far = (half * reduced.minus_one + (half - 0.5)) * 2.0;
                let result = if half == 0.5 { reduced.minus_one } else { far };
                result.copysign(x)
            }
        }
    };
}

exponential! {
    f32 u32, 23 digits, bias 127, ln 2 = 0.693_145_75 + 1.428_606_8e-6, from -104.0 to 89.0, minus one from -18.0,
    ([0.5, 0.041_666_202, 0.001_395_061_6], [0.166_665_18, 0.008_368_953])
}

exponential! {
    f64 u64, 52 digits, bias 1023, ln 2 = 6.931_471_803_691_238e-1 + 1.908_214_929_270_587_7e-10, from -746.0 to 710.0, minus one from -38.0,
    (
        [
            0.5, 0.041_666_666_666_666_73, 0.001_388_888_888_885_836_7, 2.480_158_737_391_957e-5, 2.755_723_320_675_134_6e-7,
            2.092_698_771_839_056e-9,
        ],
        [
            0.166_666_666_666_666_85, 0.008_333_333_333_316_621, 0.000_198_412_698_973_575_58, 2.755_723_393_244_673_3e-6,
            2.511_234_778_540_971_4e-8,
        ],
    )
}
