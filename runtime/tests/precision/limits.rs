//! What is exact: limits, signs, and the same bits everywhere.

macro_rules! limits {
    ($float:ident $bits:ident $limits:ident $sums:ident $sum:literal) => {
        #[test]
        fn $limits() {
            use super::instructions::{Instructions, elements};
            type Compute = fn(Instructions, &[$float], &mut [$float]);
            use std::$float::consts::LN_2;

            let (infinity, greatest, least) = ($float::INFINITY, $float::MAX, $float::from_bits(1));
            let cases: [(&str, Compute, &[($float, $float)]); 7] = [
                (
                    "exp",
                    elements!($float fused exp),
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
                    elements!($float fused expm1),
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
                ("ln", elements!($float fused ln), &[(1.0, 0.0), (2.0, LN_2), (0.0, -infinity), (-0.0, -infinity), (infinity, infinity)]),
                (
                    "log1p",
                    elements!($float fused log1p),
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
                    elements!($float fused tanh),
                    &[(0.0, 0.0), (-0.0, -0.0), (infinity, 1.0), (-infinity, -1.0), (greatest, 1.0), (least, least)],
                ),
                (
                    "sigmoid",
                    elements!($float fused sigmoid),
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
                ("erf", elements!($float fused erf), &[(0.0, 0.0), (-0.0, -0.0), (infinity, 1.0), (-infinity, -1.0), (-greatest, -1.0)]),
            ];
            for (instructions, (name, function, values)) in
                Instructions::all().into_iter().flat_map(|instructions| cases.map(|case| (instructions, case)))
            {
                let of = |argument: $float| {
                    let mut result = [0.0];
                    function(instructions, &[argument], &mut result);
                    result[0]
                };
                let set = instructions.name();
                for &(argument, expected) in values {
                    let found = of(argument);
                    let is_expected = found.to_bits() == expected.to_bits();
                    assert!(is_expected, "{name}({argument:e}) with {set} is {found:e}, not {expected:e}");
                }
                let outside: &[$float] = match name {
                    "ln" => &[-1.0, -least, -greatest, -infinity],
                    "log1p" => &[-1.5, -greatest, -infinity],
                    _ => &[],
                };
                for &argument in outside.iter().chain(&[$float::NAN, -$float::NAN]) {
                    assert!(of(argument).is_nan(), "{name}({argument:e}) with {set}");
                }
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

limits! { f32 u32 limits_of_single_numbers_are_exact single_results_have_the_same_bits_on_every_machine 0xf650_c06c }
limits! { f64 u64 limits_of_double_numbers_are_exact double_results_have_the_same_bits_on_every_machine 0x09fc_c1d5_b64d_b002 }
