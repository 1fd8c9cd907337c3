//! What vectors of numbers are compared and computed by, element by element.

use pulp::Simd;

use super::lanes::Lanes;

/// Numbers with what vectors of them are compared and computed by.
pub trait Elements: Lanes {
    /// A truth value for each number of a vector.
    type Mask<S: Simd>: Copy;

    /// `a - b`.
    fn minus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// `a * b`.
    fn times<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// `a / b`.
    fn over<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// `-a`.
    fn negative<S: Simd>(simd: S, a: Self::Vector<S>) -> Self::Vector<S>;
    /// `a < b`.
    fn less<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S>;
    /// `a <= b`.
    fn at_most<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S>;
    /// `a == b`.
    fn equal<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S>;
    /// Both hold.
    fn both<S: Simd>(simd: S, a: Self::Mask<S>, b: Self::Mask<S>) -> Self::Mask<S>;
    /// At least one holds.
    fn either<S: Simd>(simd: S, a: Self::Mask<S>, b: Self::Mask<S>) -> Self::Mask<S>;
    /// One of them holds, not both.
    fn one_of<S: Simd>(simd: S, a: Self::Mask<S>, b: Self::Mask<S>) -> Self::Mask<S>;
    /// The number of the one where the mask holds, of the other elsewhere.
    fn select<S: Simd>(simd: S, mask: Self::Mask<S>, one: Self::Vector<S>, other: Self::Vector<S>) -> Self::Vector<S>;
}

macro_rules! elements {
    ($($scalar:ident $mask:ident $minus:ident $times:ident $over:ident $negative:ident $less:ident $at_most:ident $equal:ident $both:ident $either:ident $one_of:ident $select:ident;)*) => {$(
        impl Elements for $scalar {
            type Mask<S: Simd> = S::$mask;

            #[inline(always)]
            fn minus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S> {
                simd.$minus(a, b)
            }
            #[inline(always)]
            fn times<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S> {
                simd.$times(a, b)
            }
            #[inline(always)]
            fn over<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S> {
                simd.$over(a, b)
            }
            #[inline(always)]
            fn negative<S: Simd>(simd: S, a: Self::Vector<S>) -> Self::Vector<S> {
                simd.$negative(a)
            }
            #[inline(always)]
            fn less<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S> {
                simd.$less(a, b)
            }
            #[inline(always)]
            fn at_most<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S> {
                simd.$at_most(a, b)
            }
            #[inline(always)]
            fn equal<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S> {
                simd.$equal(a, b)
            }
            #[inline(always)]
            fn both<S: Simd>(simd: S, a: Self::Mask<S>, b: Self::Mask<S>) -> Self::Mask<S> {
                simd.$both(a, b)
            }
            #[inline(always)]
            fn either<S: Simd>(simd: S, a: Self::Mask<S>, b: Self::Mask<S>) -> Self::Mask<S> {
                simd.$either(a, b)
            }
            #[inline(always)]
            fn one_of<S: Simd>(simd: S, a: Self::Mask<S>, b: Self::Mask<S>) -> Self::Mask<S> {
                simd.$one_of(a, b)
            }
            #[inline(always)]
            fn select<S: Simd>(simd: S, mask: Self::Mask<S>, one: Self::Vector<S>, other: Self::Vector<S>) -> Self::Vector<S> {
                simd.$select(mask, one, other)
            }
        }
    )*};
}

elements! {
    f32 m32s sub_f32s mul_f32s div_f32s neg_f32s less_than_f32s less_than_or_equal_f32s equal_f32s and_m32s or_m32s xor_m32s select_f32s;
    f64 m64s sub_f64s mul_f64s div_f64s neg_f64s less_than_f64s less_than_or_equal_f64s equal_f64s and_m64s or_m64s xor_m64s select_f64s;
}
