//! The functions of the language.
//!
//! Those that networks compute for whole layers (`exp`, `expm1`, `ln`, `log1p`, `tanh`, `sigmoid`, `erf`) are here, the others are those of
//! `libm`. They are written so that a compiler computes several elements at once: a fixed sequence of operations without a branch, a table,
//! or a conversion that vectors lack.
//!
//! # Precision
//! Each result is less than 2 units in the last place from the exact one, over the whole range, with subnormal arguments and results;
//! limits are exact. The greatest errors found, over all 2³² arguments in `f32`, and over ten million in `f64`, by
//! `cargo test --release -p deltarule --test precision -- --ignored --nocapture`:
//!
//! | | exp | expm1 | ln | log1p | tanh | sigmoid | erf |
//! | --- | --- | --- | --- | --- | --- | --- | --- |
//! | `f32`, by themselves | 1.851 | 1.709 | 0.840 | 0.865 | 1.828 | 1.961 | 1.326 |
//! | `f32`, fused, AVX2 as AVX-512 | 1.558 | 1.679 | 0.830 | 0.834 | 1.828 | 1.946 | 1.326 |
//! | `f64`, by themselves | 1.835 | 1.655 | 0.862 | 1.000 | 1.827 | 1.967 | 1.326 |
//! | `f64`, fused, AVX2 as AVX-512 | 1.631 | 1.724 | 0.844 | 1.000 | 1.827 | 1.893 | 1.326 |
//! | `f32`, of short rows, AVX-512 | | | | | 1.654 | 1.993 | |
//!
//! # The same bits everywhere, or fused
//! The functions by themselves use only operations that IEEE 754 defines to the last bit, in the order in which they stand. A network that is trained on
//! a microcontroller has the same activations as one on a computer that is compiled for a single example at a time.
//!
//! Those in `fused` are the same text with [`MultiplyAdd`], which a pass for one set of instructions has as one instruction. What is waited for
//! then takes little more than half as long. `core` does not offer it, but an intrinsic for one number does, of which a compiler makes that
//! for vectors; where a machine lacks it, both are equal.
//!
//! # Waited for, or computed
//! Of a long row, many values are computed while one is waited for, and the functions above are as quick as any. For a short one a pass waits, and with
//! AVX-512 `tile::of_each` looks `tanh` and `sigmoid` up in tables that registers hold.
//!
//! # Why not a crate
//! Nanoseconds per element of an array of 1024, compiled for AVX2 (on a Zen 4), and in the last column for AVX-512:
//!
//! | | here | libm 0.2.16 | pxfm 0.1.30 | fpmath 0.2.0 | wide 1.7.1 | here, AVX-512 |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | `f32` exp | 0.53 | 4.2 | 2.4 | 2.4 | 1.8 | 0.35 |
//! | ln | 0.82 | 0.97 | 3.0 | 3.0 | | |
//! | tanh | 1.03 | 9.7 | 2.9 | 4.0 | 2.7 | 0.56 |
//! | sigmoid | 0.56 | 5.3 | | | | 0.32 |
//! | erf | 1.40 | 14.9 | 2.8 | | | 0.73 |
//! | `f64` exp | 1.9 | 6.1 | 4.7 | 5.1 | | 1.1 |
//! | ln | 2.1 | 5.5 | 8.4 | 7.5 | | |
//! | tanh | 3.4 | 12.2 | 30 | 13.4 | | 1.8 |
//! | erf | 6.0 | 18.7 | 52 | | | 3.0 |
//!
//! `libm`, `pxfm` and `fpmath` branch or look up tables, one number at a time (`pxfm` needs `std` besides). `wide`
//! has vectors of a width that is chosen when it is compiled, and no `erf`. `sleef` needs a nightly compiler, `core-math` one of C.

mod arithmetic;
mod error_function;
mod exponential;
mod hyperbolic;
mod logarithm;
mod polynomial;
mod reductions;
mod square_root;

pub use arithmetic::MultiplyAdd;
pub(crate) use arithmetic::{Separate, separate};

macro_rules! functions {
    ($($float:ident: sqrt $sqrt:ident, sin $sin:ident, cos $cos:ident, tan $tan:ident, atan $atan:ident, floor $floor:ident, pow $pow:ident;)*) => {$(
        /// The functions of the language for this type.
        pub mod $float {
            use super::Separate;
            pub use super::reductions::$float::{max, min, powi, sum};

            /// Those that are computed with the instructions of a pass.
            pub mod fused {
                pub use crate::math::error_function::$float::erf;
                pub use crate::math::exponential::$float::{exp, expm1};
                pub use crate::math::hyperbolic::$float::{sigmoid, tanh};
                pub use crate::math::logarithm::$float::{ln, log1p};
            }

            functions! { separate $float
                "The exponential function." exp,
                "`exp(x) - 1` without loss of digits near 0." expm1,
                "The natural logarithm." ln,
                "`ln(1 + x)` without loss of digits near 0." log1p,
                "Hyperbolic tangent." tanh,
                "The logistic function `1 / (1 + exp(-x))`." sigmoid,
                "The error function." erf,
            }

            functions! { $float
                "Sine, of radians." sin $sin,
                "Cosine, of radians." cos $cos,
                "Tangent, of radians." tan $tan,
                "Arc tangent, in radians." atan $atan,
                "The greatest integer that is not greater." floor $floor,
            }

            /// The square root.
            #[inline]
            #[must_use]
            pub fn sqrt(x: $float) -> $float {
                super::square_root::$sqrt(x)
            }

            /// The absolute value.
            #[inline]
            #[must_use]
            pub fn abs(x: $float) -> $float {
                x.abs()
            }

            /// `base ^ exponent`.
            #[inline]
            #[must_use]
            pub fn pow(base: $float, exponent: $float) -> $float {
                libm::$pow(base, exponent)
            }
        }
    )*};
    (separate $float:ident $($doc:literal $name:ident,)*) => {$(
        #[doc = $doc]
        #[inline(always)]
        #[must_use]
        pub fn $name(x: $float) -> $float {
            fused::$name(Separate, x)
        }
    )*};
    ($float:ident $($doc:literal $name:ident $function:ident,)*) => {$(
        #[doc = $doc]
        #[inline]
        #[must_use]
        pub fn $name(x: $float) -> $float {
            libm::$function(x)
        }
    )*};
}

functions! {
    f32: sqrt single, sin sinf, cos cosf, tan tanf, atan atanf, floor floorf, pow powf;
    f64: sqrt double, sin sin, cos cos, tan tan, atan atan, floor floor, pow pow;
}
