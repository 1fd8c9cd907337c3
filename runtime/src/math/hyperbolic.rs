//! `tanh` and the logistic function.
//!
//! Near 0, `tanh(x)` is `x + x³` times the polynomial in `x²` of least greatest error (Remez; under 2^-27 and 2^-59), further away `1 - 2 /
//! (exp(2x) + 1)`, where what is subtracted is small. Both are computed, so that vectors need no branch.

use super::polynomial::polynomial;

macro_rules! hyperbolic {
    ($float:ident, near $near:literal, one from $one_from:literal, least $least:literal, $polynomial:expr) => {
        pub(crate) mod $float {
            use super::polynomial;
            use crate::math::exponential::$float::reduce;

            /// Hyperbolic tangent.
            #[inline(always)]
            #[must_use]
            pub fn tanh(x: $float) -> $float {
                let magnitude = x.abs();
                let square = magnitude * magnitude;
                let near = magnitude + magnitude * (square * polynomial(square, $polynomial));
                // From there on the result is 1; NaN passes.
                let within = if magnitude > $one_from { $one_from } else { magnitude };
                let far = 1.0 - 2.0 / (reduce(2.0 * within).normal() + 1.0);
                let result = if magnitude < $near { near } else { far };
                result.copysign(x)
            }

            /// The logistic function `1 / (1 + exp(-x))`.
            #[inline(always)]
            #[must_use]
            pub fn sigmoid(x: $float) -> $float {
                // With an exponential that is at most 1, small results are as exact as others.
                let below = -x.abs();
                let below = if below < $least { $least } else { below };
                let exponential = reduce(below).any();
                let above = if x < 0.0 { exponential } else { 1.0 };
                let below = 1.0 + exponential;
                let quotient = above / below;
                // What the sum has lost, which is exact, over the sum.
                let lost = exponential - (below - 1.0);
                let reciprocal = if x < 0.0 { 1.0 - quotient } else { quotient };
                quotient - quotient * (reciprocal * lost)
            }
        }
    };
}

hyperbolic! {
    f32, near 0.625, one from 10.0, least -104.0,
    ([-0.333_332_8, -0.053_739_72, -0.005_704_992_5], [0.133_314_42, 0.020_639_094])
}

hyperbolic! {
    f64, near 0.5625, one from 20.0, least -746.0,
    (
        [
            -0.333_333_333_333_332_76, -0.053_968_253_961_723_375, -0.008_863_231_636_906_015, -0.001_455_479_629_554_458_2,
            -0.000_232_716_113_664_663_4, -1.890_388_065_294_642_6e-5,
        ],
        [
            0.133_333_333_333_231_3, 0.021_869_488_327_254_2, 0.003_592_082_247_769_679, 0.000_588_183_603_682_552_7,
            8.236_078_833_075_42e-5,
        ],
    )
}
