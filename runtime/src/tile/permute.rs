//! The numbers of a vector in another order.

use pulp::Simd;

use super::lanes::Lanes;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use super::same::same;
use super::transpose::MOST_LANES;

/// For each lane, the number that stands in another, where one instruction takes them from anywhere.
#[inline(always)]
pub(super) fn permuted<S: Simd, T: Lanes>(simd: S, vector: T::Vector<S>, lanes: [u32; MOST_LANES]) -> Option<T::Vector<S>> {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if const { has_permutation::<S, T>() } {
        let (simd, vector): (pulp::x86::V4, pulp::f32x16) = (same(simd)?, same(vector)?);
        let result: pulp::f32x16 = pulp::cast(simd.avx512f._mm512_permutexvar_ps(pulp::cast(lanes), pulp::cast(vector)));
        return same(result);
    }
    _ = (simd, vector, lanes);
    None
}

/// Whether such vectors may have that instruction: those of AVX-512. What others would do is not compiled.
pub(super) const fn has_permutation<S: Simd, T: Lanes>() -> bool {
    size_of::<T::Vector<S>>() == MOST_LANES * size_of::<f32>() && size_of::<T>() == size_of::<f32>()
}
