//! `ln` and `log1p`.
//!
//! The argument is `2ᵏ (1 + f)` with `1 + f` between `√½` and `√2`, and `ln(1 + f) = f - f²/2 + s (f²/2 + R)` with `s = f / (2 + f)`, where
//! `R` is a polynomial in `s²` times `s²`: the form of FDLIBM (Sun Microsystems 1993), which adds small corrections to an exact number. The
//! polynomials have least greatest error (Remez), under 2^-30 and 2^-59 of the logarithm.

use super::MultiplyAdd;
use super::polynomial::polynomial;

macro_rules! logarithm {
    (
        $float:ident $bits:ident, $digits:literal digits, ln 2 = $ln_2_high:literal + $ln_2_low:literal, root of half $root_of_half:literal,
        $polynomial:tt
    ) => {
        pub(crate) mod $float {
            use super::{MultiplyAdd, polynomial};

            /// In a number's bits: 1 in the exponent.
            const UNIT: $bits = 1 << $digits;
            /// Makes every exponent positive, also that of a subnormal number.
            const RAISED: $bits = 2 * ($float::MAX_EXP as $bits) * UNIT;
            /// A number whose lowest bits are an integer.
            const INTEGERS: $float = UNIT as $float;
            /// The exponent of what makes subnormal numbers normal.
            const NORMALIZER: $bits = ($digits + 1) * UNIT;

            /// `ln(x) + correction`, of a positive normal number whose exponent is greater than that of `x` by this.
            #[inline(always)]
            fn finite<A: MultiplyAdd<$float>>(arithmetic: A, x: $float, raised_by: $bits, correction: $float) -> $float {
                let above = x.to_bits().wrapping_sub($root_of_half).wrapping_add(RAISED).wrapping_sub(raised_by);
                let f = $float::from_bits((above & (UNIT - 1)).wrapping_add($root_of_half)) - 1.0;
                // No conversion of integers: few machines have one for vectors of wide ones.
                let k = $float::from_bits((above >> $digits) | INTEGERS.to_bits()) - (INTEGERS + 2.0 * $float::MAX_EXP as $float);
                let s = f / (2.0 + f);
                let square = s * s;
                let half = 0.5 * f * f;
                let rest = arithmetic.multiply_add(square, polynomial!(arithmetic, square, $polynomial), half);
                let small = arithmetic.multiply_add(s, rest, arithmetic.multiply_add(k, $ln_2_low, correction));
                arithmetic.multiply_add(k, $ln_2_high, f - (half - small))
            }

            /// The natural logarithm.
            #[inline(always)]
            #[must_use]
            pub fn ln<A: MultiplyAdd<$float>>(arithmetic: A, x: $float) -> $float {
                // A product, not a choice: a compiler would compute all that follows for both cases.
                let raised_by = $bits::from(x < $float::MIN_POSITIVE).wrapping_mul(NORMALIZER);
                let normal = x * $float::from_bits((1.0 as $float).to_bits().wrapping_add(raised_by));
                let result = finite(arithmetic, normal, raised_by, 0.0);
                let result = if x < $float::INFINITY { result } else { x };
                let outside = if x == 0.0 { $float::NEG_INFINITY } else { $float::NAN };
                if x > 0.0 { result } else { outside }
            }

            /// `ln(1 + x)` without loss of digits near 0.
            #[inline(always)]
            #[must_use]
            pub fn log1p<A: MultiplyAdd<$float>>(arithmetic: A, x: $float) -> $float {
                let sum = 1.0 + x;
                // What the sum has lost, in the logarithm.
                let correction = (x - (sum - 1.0)) / sum;
                let result = finite(arithmetic, sum, 0, correction).copysign(x);
                let result = if x < $float::INFINITY { result } else { x };
                let outside = if x == -1.0 { $float::NEG_INFINITY } else { $float::NAN };
                if x > -1.0 { result } else { outside }
            }
        }
    };
}

logarithm! {
    f32 u32, 23 digits, ln 2 = 0.693_145_75 + 1.428_606_8e-6, root of half 0x3f35_04f3,
    [0.666_667_76, 0.399_775_33, 0.298_721_97]
}

logarithm! {
    f64 u64, 52 digits, ln 2 = 6.931_471_803_691_238e-1 + 1.908_214_929_270_587_7e-10, root of half 0x3fe6_a09e_667f_3bcd,
    [
        0.666_666_666_666_673_4, 0.399_999_999_994_140_9, 0.285_714_287_425_312_63, 0.222_221_985_572_435_5,
        0.181_835_652_156_049_2, 0.153_140_262_787_435_7, 0.147_962_072_568_092_74
    ]
}
