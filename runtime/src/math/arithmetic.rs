//! Products that are added to something.

/// How `a * b + c` is computed.
///
/// Elementary functions and sums of products are chains of it, in which each step waits for the one before. Where a machine has an
/// instruction for it, that takes as long as one of the two operations alone.
pub trait MultiplyAdd<T>: Copy {
    /// Whether it is rounded once.
    const IS_FUSED: bool;

    /// `a * b + c`, rounded once where the machine can.
    fn multiply_add(self, a: T, b: T, c: T) -> T;
}

/// Both operations by themselves, each rounded: the same bits on every machine.
#[derive(Clone, Copy)]
pub(crate) struct Separate;

/// Rounds after each operation.
macro_rules! separate {
    ($($of:ty)*) => {$(
        impl crate::math::MultiplyAdd<f32> for $of {
            const IS_FUSED: bool = false;

            #[inline(always)]
            fn multiply_add(self, a: f32, b: f32, c: f32) -> f32 {
                a * b + c
            }
        }

        impl crate::math::MultiplyAdd<f64> for $of {
            const IS_FUSED: bool = false;

            #[inline(always)]
            fn multiply_add(self, a: f64, b: f64, c: f64) -> f64 {
                a * b + c
            }
        }
    )*};
}

pub(crate) use separate;

separate! { Separate }
