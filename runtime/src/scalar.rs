//! Numbers, and the functions of the language on them.

use core::fmt::{Debug, Display};
use core::ops::{Add, Div, Mul, Neg, Sub};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// The type of a network's numbers: `f32` or `f64`.
pub trait Scalar:
    sealed::Sealed
    + Copy
    + Debug
    + Display
    + Default
    + PartialEq
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// The same number.
    fn to_f64(self) -> f64;
}

impl Scalar for f32 {
    #[inline]
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    #[inline]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Scalar for f64 {
    #[inline]
    fn from_f64(value: f64) -> Self {
        value
    }
    #[inline]
    fn to_f64(self) -> f64 {
        self
    }
}

macro_rules! mathematics {
    ($($scalar:ident: $exp:path, $tanh:path, $ln:ident $log1p:ident $expm1:ident $sqrt:ident $sin:ident $cos:ident $tan:ident $atan:ident $erf:ident $floor:ident $pow:ident;)*) => {
        /// The functions of the language, for each scalar type a module.
        pub mod math {$(
            /// The functions of the language for this type.
            pub mod $scalar {
                mathematics! { $scalar
                    "The natural logarithm." ln $ln,
                    "`ln(1 + x)` without loss of digits near 0." log1p $log1p,
                    "`exp(x) - 1` without loss of digits near 0." expm1 $expm1,
                    "Sine, of radians." sin $sin,
                    "Cosine, of radians." cos $cos,
                    "Tangent, of radians." tan $tan,
                    "Arc tangent, in radians." atan $atan,
                    "The error function." erf $erf,
                    "The greatest integer that is not greater." floor $floor,
                }

                /// The exponential function.
                #[inline]
                #[must_use]
                pub fn exp(x: $scalar) -> $scalar {
                    $exp(x)
                }

                /// Hyperbolic tangent.
                #[inline]
                #[must_use]
                pub fn tanh(x: $scalar) -> $scalar {
                    $tanh(x)
                }

                /// The square root.
                #[inline]
                #[must_use]
                pub fn sqrt(x: $scalar) -> $scalar {
                    crate::square_root::$sqrt(x)
                }

                /// The absolute value.
                #[inline]
                #[must_use]
                pub fn abs(x: $scalar) -> $scalar {
                    x.abs()
                }

                /// `base ^ exponent`.
                #[inline]
                #[must_use]
                pub fn pow(base: $scalar, exponent: $scalar) -> $scalar {
                    libm::$pow(base, exponent)
                }

                /// `base ^ exponent` by squaring.
                #[inline]
                #[must_use]
                pub fn powi(base: $scalar, exponent: u32) -> $scalar {
                    let (mut power, mut square, mut rest) = (1.0, base, exponent);
                    while rest > 0 {
                        if rest & 1 == 1 {
                            power *= square;
                        }
                        square *= square;
                        rest >>= 1;
                    }
                    power
                }

                /// The sum of all accumulators of a sum, in halves, so that it takes few steps.
                #[inline]
                #[must_use]
                pub fn sum<const LANES: usize>(lanes: &[$scalar; LANES]) -> $scalar {
                    let mut lanes = *lanes;
                    let mut width = LANES;
                    while width > 1 {
                        let half = width / 2;
                        for lane in 0..half {
                            lanes[lane] += lanes[width - 1 - lane];
                        }
                        width -= half;
                    }
                    lanes.first().copied().unwrap_or(0.0)
                }

                /// The greatest of all accumulators.
                #[inline]
                #[must_use]
                pub fn max<const LANES: usize>(lanes: &[$scalar; LANES]) -> $scalar {
                    lanes.iter().fold($scalar::NEG_INFINITY, |greatest, &lane| if lane > greatest { lane } else { greatest })
                }

                /// The least of all accumulators.
                #[inline]
                #[must_use]
                pub fn min<const LANES: usize>(lanes: &[$scalar; LANES]) -> $scalar {
                    lanes.iter().fold($scalar::INFINITY, |least, &lane| if lane < least { lane } else { least })
                }
            }
        )*}
    };
    ($scalar:ident $($doc:literal $name:ident $function:ident,)*) => {$(
        #[doc = $doc]
        #[inline]
        #[must_use]
        pub fn $name(x: $scalar) -> $scalar {
            libm::$function(x)
        }
    )*};
}

mathematics! {
    f32: crate::single::exp, crate::single::tanh, logf log1pf expm1f single sinf cosf tanf atanf erff floorf powf;
    f64: libm::exp, libm::tanh, log log1p expm1 double sin cos tan atan erf floor pow;
}

#[cfg(test)]
mod tests {
    use super::math::f64;

    #[test]
    fn lanes_are_combined_whatever_their_number() {
        assert_eq!(f64::sum(&[1.0, 2.0, 3.0]), 6.0);
        assert_eq!(f64::sum(&[1.0; 16]), 16.0);
        assert_eq!((f64::max(&[1.0, 3.0, 2.0]), f64::min(&[1.0, 3.0, 2.0])), (3.0, 1.0));
    }

    #[test]
    fn integer_powers_are_products() {
        assert_eq!((f64::powi(3.0, 0), f64::powi(3.0, 1), f64::powi(3.0, 5)), (1.0, 3.0, 243.0));
    }
}
