//! Two vectors taken apart into every other group of their numbers.

use pulp::Simd;

use super::lanes::{Lanes, lanes_of};
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use super::same::same;
use super::transpose::MOST_LANES;

/// The bytes of a part: a vector of NEON, and of a vector of x86 what numbers leave by fewer instructions only.
const PART: usize = 16;

/// The even groups of numbers of both vectors, those of the first before those of the other, and the odd ones.
///
/// With a `WIDTH` of less than a part, groups are single numbers, and each part is taken apart by itself; beyond it, groups are parts. So
/// with widths 1, then 2, and so on, the lanes of as many vectors as they are become the lanes of one, in the order of the vectors: in a
/// tree of sums, or where a matrix is turned. Each result is one instruction.
#[inline(always)]
pub(super) fn unzip<S: Simd, T: Lanes, const WIDTH: usize>(
    simd: S,
    first: T::Vector<S>,
    other: T::Vector<S>,
) -> (T::Vector<S>, T::Vector<S>) {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if const { size_of::<T::Vector<S>>() > PART } {
        return by_instructions::<S, T, WIDTH>(simd, first, other).unwrap_or((first, other));
    }
    let _ = simd;
    number_by_number::<S, T, WIDTH>(first, other)
}

/// Whether groups of so many numbers are counted in parts.
const fn is_of_parts<T>(width: usize) -> bool {
    width * size_of::<T>() >= PART
}

/// Vectors of few numbers, of which an optimizer makes the instructions.
#[inline(always)]
fn number_by_number<S: Simd, T: Lanes, const WIDTH: usize>(
    first: T::Vector<S>,
    other: T::Vector<S>,
) -> (T::Vector<S>, T::Vector<S>) {
    let (lanes, part) = (lanes_of::<T, S>(), const { PART / size_of::<T>() });
    let (group, groups) = if const { is_of_parts::<T>(WIDTH) } { (part, lanes / part) } else { (1, part) };
    let (mut firsts, mut others) = ([T::default(); MOST_LANES], [T::default(); MOST_LANES]);
    for (vector, numbers) in [(first, &mut firsts), (other, &mut others)] {
        T::vectors_mut::<S>(numbers).iter_mut().take(1).for_each(|place| *place = vector);
    }
    let (mut even, mut odd) = ([T::default(); MOST_LANES], [T::default(); MOST_LANES]);
    for lane in 0..lanes {
        // The groups of both vectors beside each other.
        let start = lane - lane % (group * groups);
        let place = 2 * ((lane - start) / group);
        let from = if place < groups { &firsts } else { &others };
        let at = start + place % groups * group + lane % group;
        even[lane] = from[at];
        odd[lane] = from[at + group];
    }
    let loaded = |numbers: &[T]| T::vectors::<S>(numbers).first().copied().unwrap_or(first);
    (loaded(&even), loaded(&odd))
}

/// The instructions of x86, if the vectors are its.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
#[inline(always)]
fn by_instructions<S: Simd, T: Lanes, const WIDTH: usize>(
    simd: S,
    first: T::Vector<S>,
    other: T::Vector<S>,
) -> Option<(T::Vector<S>, T::Vector<S>)> {
    macro_rules! instructions {
        ($($of:ident $vector:ident of $bytes:literal bytes, $set:ident, numbers $even:ident $(<$even_numbers:literal>)? $odd:ident $(<$odd_numbers:literal>)?, parts $parts:ident <$even_parts:literal> <$odd_parts:literal>;)*) => {$(
            // What other vectors would do is not compiled.
            if const { size_of::<T::Vector<S>>() == size_of::<pulp::$vector>() && size_of::<T>() == $bytes }
                && let (Some(simd), Some(first), Some(other)) = (same(simd), same(first), same(other))
            {
                let (simd, first, other): (pulp::x86::$of, pulp::$vector, pulp::$vector) = (simd, first, other);
                let (simd, first, other) = (simd.$set, pulp::cast(first), pulp::cast(other));
                let (even, odd) = if const { is_of_parts::<T>(WIDTH) } {
                    (simd.$parts::<$even_parts>(first, other), simd.$parts::<$odd_parts>(first, other))
                } else {
                    (simd.$even $(::<$even_numbers>)?(first, other), simd.$odd $(::<$odd_numbers>)?(first, other))
                };
                return same::<pulp::$vector, _>(pulp::cast(even)).zip(same::<pulp::$vector, _>(pulp::cast(odd)));
            }
        )*};
    }
    instructions! {
        V3 f32x8 of 4 bytes, avx, numbers _mm256_shuffle_ps<0x88> _mm256_shuffle_ps<0xdd>, parts _mm256_permute2f128_ps<0x20> <0x31>;
        V3 f64x4 of 8 bytes, avx, numbers _mm256_unpacklo_pd _mm256_unpackhi_pd, parts _mm256_permute2f128_pd<0x20> <0x31>;
        V4 f32x16 of 4 bytes, avx512f, numbers _mm512_shuffle_ps<0x88> _mm512_shuffle_ps<0xdd>, parts _mm512_shuffle_f32x4<0x88> <0xdd>;
        V4 f64x8 of 8 bytes, avx512f, numbers _mm512_unpacklo_pd _mm512_unpackhi_pd, parts _mm512_shuffle_f64x2<0x88> <0xdd>;
    }
    None
}
