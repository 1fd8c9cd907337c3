//! `tanh` and the logistic function.
//!
//! Near 0, `tanh(x)` is `x + x³` times the polynomial in `x²` of least greatest error (Remez; under 2^-27 and 2^-59), further away `(1 - e) /
//! (1 + e)` with `e = exp(-2x)`. Both are computed, so that vectors need no branch. `1 + e` does not wait for `e`, which is `2ⁿ` and a rest: the
//! rest is added to `1 + 2ⁿ`.
//!
//! The logistic function is `c / (c + c e)` with `e = exp(-x)`, which is great for negative `x`: the power of two `c` keeps the sum in the range, and
//! a subnormal result is rounded but once. The sum and the quotient round by up to 1 and ½ units in the last place of the result, and `e` has
//! less than the rest, but where `1 + 2ⁿ` is in the middle between two numbers: there the numerator makes up for it.

use super::MultiplyAdd;
use super::polynomial::polynomial;

macro_rules! hyperbolic {
    ($float:ident, near $near:literal, one from $one_from:literal, least $least:literal, $polynomial:tt) => {
        pub(crate) mod $float {
            use super::{MultiplyAdd, polynomial};
            use crate::math::exponential::$float::{LOWERED_ONE, reduce};
            use core::hint::select_unpredictable;

            /// Hyperbolic tangent.
            #[inline(always)]
            #[must_use]
            pub fn tanh<A: MultiplyAdd<$float>>(arithmetic: A, x: $float) -> $float {
                let magnitude = x.abs();
                let square = magnitude * magnitude;
                let near = arithmetic.multiply_add(magnitude * square, polynomial!(arithmetic, square, $polynomial), magnitude);
                // From there on the result is 1; NaN passes.
                let within = if magnitude > $one_from { $one_from } else { magnitude };
                let reduced = reduce(arithmetic, within, -2.0);
                let (power, minus_one) = (reduced.normal_power(arithmetic), reduced.minus_one(arithmetic));
                let above = arithmetic.multiply_add(-minus_one, power.scaled, 1.0 - power.plain);
                let far = above / arithmetic.multiply_add(minus_one, power.scaled, 1.0 + power.plain);
                let result = if magnitude < $near { near } else { far };
                result.copysign(x)
            }

            /// The logistic function `1 / (1 + exp(-x))`.
            #[inline(always)]
            #[must_use]
            pub fn sigmoid<A: MultiplyAdd<$float>>(arithmetic: A, x: $float) -> $float {
                let reduced = reduce(arithmetic, x, -1.0);
                let reduced = if A::IS_FUSED { reduced } else { reduced.in_one() };
                let power = reduced.lowered_power(arithmetic);
                let below = arithmetic.multiply_add(reduced.minus_one(arithmetic), power.scaled, LOWERED_ONE + power.plain);
                let quotient = reduced.lowered_one_over_sum() / below;
                // Chosen at the end, when what decides has long been there: limits of the argument would be waited for. NaN passes.
                let limit = x.clamp(0.0, 1.0);
                let is_outside = (x - 0.5 * ($least + 2.0 * $one_from)).abs() > 0.5 * (2.0 * $one_from - $least);
                select_unpredictable(is_outside, limit, quotient)
            }
        }
    };
}

hyperbolic! {
    f32, near 0.625, one from 10.0, least -104.0,
    [-0.333_332_8, 0.133_314_42, -0.053_739_72, 0.020_639_094, -0.005_704_992_5]
}

hyperbolic! {
    f64, near 0.5625, one from 20.0, least -746.0,
    [
        -0.333_333_333_333_332_76, 0.133_333_333_333_231_3, -0.053_968_253_961_723_375, 0.021_869_488_327_254_2,
        -0.008_863_231_636_906_015, 0.003_592_082_247_769_679, -0.001_455_479_629_554_458_2, 0.000_588_183_603_682_552_7,
        -0.000_232_716_113_664_663_4, 8.236_078_833_075_42e-5, -1.890_388_065_294_642_6e-5
    ]
}
