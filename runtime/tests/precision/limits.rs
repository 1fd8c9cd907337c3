//! What is exact: limits, signs, and the same bits everywhere.

macro_rules! limits {
    ($float:ident $bits:ident $limits:ident $sums:ident $sum:literal) => {
        #[test]
        fn $limits() {
            use deltarule::__private::math::$float as math;
            use std::$float::consts::LN_2;

            let (infinity, greatest, least) = ($float::INFINITY, $float::MAX, $float::from_bits(1));
            let cases: [(&str, fn($float) -> $float, &[($float, $float)]); 7] = [
                (
                    "exp",
                    math::exp,
                    &[
                        (0.0, 1.0),
                        (-0.0, 1.0),
                        (infinity, infinity),
                        (-infinity, 0.0),
                        (greatest, infinity),
                        (-greatest, 0.0),
                        (least, 1.0),
                    ],
                ),
                (
                    "expm1",
                    math::expm1,
                    &[
                        (0.0, 0.0),
                        (-0.0, -0.0),
                        (infinity, infinity),
                        (-infinity, -1.0),
                        (greatest, infinity),
                        (-greatest, -1.0),
                        (least, least),
                    ],
                ),
                ("ln", math::ln, &[(1.0, 0.0), (2.0, LN_2), (0.0, -infinity), (-0.0, -infinity), (infinity, infinity)]),
                (
                    "log1p",
                    math::log1p,
                    &[
                        (0.0, 0.0),
                        (-0.0, -0.0),
                        (1.0, LN_2),
                        (-1.0, -infinity),
                        (infinity, infinity),
                        (least, least),
                        (-least, -least),
                    ],
                ),
                (
                    "tanh",
                    math::tanh,
                    &[(0.0, 0.0), (-0.0, -0.0), (infinity, 1.0), (-infinity, -1.0), (greatest, 1.0), (least, least)],
                ),
                (
                    "sigmoid",
                    math::sigmoid,
                    &[
                        (0.0, 0.5),
                        (-0.0, 0.5),
                        (infinity, 1.0),
                        (-infinity, 0.0),
                        (greatest, 1.0),
                        (-greatest, 0.0),
                        (least, 0.5),
                    ],
                ),
                ("erf", math::erf, &[(0.0, 0.0), (-0.0, -0.0), (infinity, 1.0), (-infinity, -1.0), (-greatest, -1.0)]),
            ];
            for (name, function, values) in cases {
                for &(argument, expected) in values {
                    let found = function(argument);
                    assert_eq!(found.to_bits(), expected.to_bits(), "{name}({argument:e}) is {found:e}, not {expected:e}");
                }
                assert!(function($float::NAN).is_nan() && function(-$float::NAN).is_nan(), "{name} of no number");
            }
            for argument in [-1.0, -least, -greatest, -infinity] {
                assert!(math::ln(argument).is_nan(), "ln({argument:e})");
            }
            for argument in [-1.5, -greatest, -infinity] {
                assert!(math::log1p(argument).is_nan(), "log1p({argument:e})");
            }
        }

        #[test]
        fn $sums() {
            use deltarule::__private::math::$float as math;

            let functions = [math::exp, math::expm1, math::ln, math::log1p, math::tanh, math::sigmoid, math::erf];
            let mut sum: $bits = 0;
            for at in 0..20_000 {
                let argument = (at - 10_000) as $float * 0.003_7;
                for function in functions {
                    let result: $float = function(argument);
                    let bits = if result.is_nan() { 1 } else { result.to_bits() };
                    sum = sum.rotate_left(5).wrapping_add(bits);
                }
            }
            assert_eq!(sum, $sum, "the bits of all results, {sum:#x}");
        }
    };
}

limits! { f32 u32 limits_of_single_numbers_are_exact single_results_have_the_same_bits_on_every_machine 0x127b_e4c2 }
limits! { f64 u64 limits_of_double_numbers_are_exact double_results_have_the_same_bits_on_every_machine 0x3c5e_e767_9ba7_9f88 }
