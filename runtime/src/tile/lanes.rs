//! The operations on vectors, for each type of numbers.

use pulp::Simd;

use super::contraction::Contraction;
use super::instructions::Vectors;
use super::product::{Product, Shape, Sweep};
use super::transpose::Transpose;
use crate::scalar::Scalar;

/// Numbers that vectors hold.
pub trait Lanes: Scalar {
    /// Several numbers in a register.
    type Vector<S: Simd>: Copy + 'static;

    /// The same number in each lane.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;
    /// `a * b + c`, rounded once where the machine can.
    fn multiply_add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;
    /// `a + b`.
    fn plus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// As many whole vectors as there are.
    fn vectors<S: Simd>(row: &[Self]) -> &[Self::Vector<S>];
    /// The same, to be written.
    fn vectors_mut<S: Simd>(row: &mut [Self]) -> &mut [Self::Vector<S>];
    /// Less than a vector, 0 in the other lanes.
    fn load_rest<S: Simd>(simd: S, row: &[Self]) -> Self::Vector<S>;
    /// Writes as many lanes as there is room for.
    fn store_rest<S: Simd>(simd: S, row: &mut [Self], value: Self::Vector<S>);
    /// The sum of all lanes.
    fn total<S: Simd>(simd: S, value: Self::Vector<S>) -> Self;
    /// Each number so many lanes further, the last ones first.
    fn rotate_right<S: Simd>(simd: S, value: Self::Vector<S>, lanes: usize) -> Self::Vector<S>;
    /// The one where `which` is 0, the other elsewhere.
    fn where_zero<S: Simd>(simd: S, which: Self::Vector<S>, one: Self::Vector<S>, other: Self::Vector<S>) -> Self::Vector<S>;
    /// Computes a contraction.
    fn contract<V: Vectors>(vectors: V, contraction: Contraction<'_, Self>);
    /// Computes a product.
    fn product<V: Vectors, P: Shape>(vectors: V, product: Product<'_, Self, P>);
    /// Computes a sweep.
    fn sweep<V: Vectors, P: Shape>(vectors: V, sweep: Sweep<'_, Self, P>);
    /// Transposes matrices.
    fn transpose<V: Vectors>(vectors: V, matrices: Transpose<'_, Self>);
}

/// How many numbers a vector has.
#[inline(always)]
pub(super) const fn lanes_of<T: Lanes, S: Simd>() -> usize {
    size_of::<T::Vector<S>>() / size_of::<T>()
}

macro_rules! lanes {
    ($($scalar:ident $vector:ident $splat:ident $multiply_add:ident $add:ident $as_simd:ident $as_mut_simd:ident $load:ident $store:ident $total:ident $rotate:ident $equal:ident $select:ident $contract:ident $product:ident $sweep:ident $transpose:ident;)*) => {$(
        impl Lanes for $scalar {
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S> {
                simd.$splat(value)
            }
            #[inline(always)]
            fn multiply_add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S> {
                simd.$multiply_add(a, b, c)
            }
            #[inline(always)]
            fn plus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S> {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn vectors<S: Simd>(row: &[Self]) -> &[Self::Vector<S>] {
                S::$as_simd(row).0
            }
            #[inline(always)]
            fn vectors_mut<S: Simd>(row: &mut [Self]) -> &mut [Self::Vector<S>] {
                S::$as_mut_simd(row).0
            }
            #[inline(always)]
            fn load_rest<S: Simd>(simd: S, row: &[Self]) -> Self::Vector<S> {
                simd.$load(row)
            }
            #[inline(always)]
            fn store_rest<S: Simd>(simd: S, row: &mut [Self], value: Self::Vector<S>) {
                simd.$store(row, value);
            }
            #[inline(always)]
            fn total<S: Simd>(simd: S, value: Self::Vector<S>) -> Self {
                simd.$total(value)
            }
            #[inline(always)]
            fn contract<V: Vectors>(vectors: V, contraction: Contraction<'_, Self>) {
                vectors.$contract(contraction);
            }
            #[inline(always)]
            fn product<V: Vectors, P: Shape>(vectors: V, product: Product<'_, Self, P>) {
                vectors.$product(product);
            }
            #[inline(always)]
            fn sweep<V: Vectors, P: Shape>(vectors: V, sweep: Sweep<'_, Self, P>) {
                vectors.$sweep(sweep);
            }
            #[inline(always)]
            fn rotate_right<S: Simd>(simd: S, value: Self::Vector<S>, lanes: usize) -> Self::Vector<S> {
                simd.$rotate(value, lanes)
            }
            #[inline(always)]
            fn where_zero<S: Simd>(simd: S, which: Self::Vector<S>, one: Self::Vector<S>, other: Self::Vector<S>) -> Self::Vector<S> {
                simd.$select(simd.$equal(which, simd.$splat(0.0)), one, other)
            }
            #[inline(always)]
            fn transpose<V: Vectors>(vectors: V, matrices: Transpose<'_, Self>) {
                vectors.$transpose(matrices);
            }
        }
    )*};
}

lanes! {
    f32 f32s splat_f32s mul_add_e_f32s add_f32s as_simd_f32s as_mut_simd_f32s partial_load_f32s partial_store_f32s reduce_sum_f32s rotate_right_f32s equal_f32s select_f32s contract_single product_single sweep_single transpose_single;
    f64 f64s splat_f64s mul_add_e_f64s add_f64s as_simd_f64s as_mut_simd_f64s partial_load_f64s partial_store_f64s reduce_sum_f64s rotate_right_f64s equal_f64s select_f64s contract_double product_double sweep_double transpose_double;
}
