//! The error function.
//!
//! Below 1, `erf(x)` is `x + x` times a polynomial in `x²`; from there on `1 - exp(-p)`, where `p` is a polynomial in `x - 1` near `-ln(1 -
//! erf(x))`. Its errors matter less, the further away, for the exponential is small there. Both polynomials have least greatest error of
//! the result (Remez; under 2^-29 and 2^-59), and both are computed, so that vectors need no branch.

use super::MultiplyAdd;
use super::polynomial::polynomial;

macro_rules! error_function {
    ($float:ident, one from $one_from:literal, near $near:tt, far $far:tt) => {
        pub(crate) mod $float {
            use super::{MultiplyAdd, polynomial};
            use crate::math::exponential::$float::reduce;

            /// The error function.
            #[inline(always)]
            #[must_use]
            pub fn erf<A: MultiplyAdd<$float>>(arithmetic: A, x: $float) -> $float {
                let magnitude = x.abs();
                let square = magnitude * magnitude;
                let near = arithmetic.multiply_add(magnitude, polynomial!(arithmetic, square, $near), magnitude);
                // From there on the result is 1; NaN passes.
                let within = if magnitude > $one_from { $one_from } else { magnitude };
                let beyond = within - 1.0;
                let reduced = reduce(arithmetic, polynomial!(arithmetic, beyond, $far), -1.0);
                let power = reduced.normal_power(arithmetic);
                let far = arithmetic.multiply_add(-reduced.minus_one(arithmetic), power.scaled, 1.0 - power.plain);
                let result = if magnitude < 1.0 { near } else { far };
                result.copysign(x)
            }
        }
    };
}

error_function! {
    f32, one from 4.0,
    near [0.128_379_17, -0.376_126_26, 0.112_835_854, -0.026_853_822, 0.005_188_35, -0.000_801_042_1, 7.854_68e-5],
    far [1.849_605_6, 2.638_966_8, 0.843_117_6, 0.041_503_485, -0.009_895_44, 0.001_829_367_7, -0.000_186_374_95]
}

error_function! {
    f64, one from 6.0,
    near [
        0.128_379_167_095_512_6, -0.376_126_389_031_837_5, 0.112_837_916_709_548_57, -0.026_866_170_645_072_893,
        0.005_223_977_624_780_836, -0.000_854_832_697_874_063_9, 0.000_120_553_310_368_493_24, -1.492_559_350_583_161_6e-5,
        1.646_097_280_225_71e-6, -1.635_002_508_770_414_8e-7, 1.465_787_906_806_849_8e-8, -1.136_566_344_173_191_5e-9,
        5.945_258_213_675_863e-11
    ],
    far [
        1.849_605_509_933_248_2, 2.638_967_514_234_788_6, 0.843_107_256_358_659, 0.041_561_098_042_182_89,
        -0.010_033_825_378_463_809, 0.001_977_902_594_072_652, -0.000_237_322_590_890_060_5, -2.627_756_163_695_958_5e-5,
        2.715_847_461_074_513_4e-5, -9.607_956_460_329_34e-6, 2.058_739_275_036_981e-6, -1.420_334_094_740_59e-7,
        -9.805_927_929_806_916e-8, 5.226_839_353_486_775e-8, -1.498_707_506_052_635_2e-8, 2.881_565_690_830_002_6e-9,
        -3.709_610_939_981_981e-10, 2.906_682_435_207_472e-11, -1.049_610_295_286_303_2e-12
    ]
}
