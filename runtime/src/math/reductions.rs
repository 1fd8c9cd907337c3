//! What loops with several accumulators end with, and powers.

macro_rules! reductions {
    ($($float:ident)*) => {$(
        pub(crate) mod $float {
            /// `base ^ exponent` by squaring.
            #[inline]
            #[must_use]
            pub fn powi(base: $float, exponent: u32) -> $float {
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
            pub fn sum<const LANES: usize>(lanes: &[$float; LANES]) -> $float {
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
            pub fn max<const LANES: usize>(lanes: &[$float; LANES]) -> $float {
                lanes.iter().fold($float::NEG_INFINITY, |greatest, &lane| if lane > greatest { lane } else { greatest })
            }

            /// The least of all accumulators.
            #[inline]
            #[must_use]
            pub fn min<const LANES: usize>(lanes: &[$float; LANES]) -> $float {
                lanes.iter().fold($float::INFINITY, |least, &lane| if lane < least { lane } else { least })
            }
        }
    )*};
}

reductions! { f32 f64 }

#[cfg(test)]
mod tests {
    use super::f64;

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
