//! Two vectors taken apart into every other group of their numbers.

use pulp::Simd;

use super::lanes::{Lanes, lanes_of};
use super::transpose::MOST_LANES;

/// The bytes of a part: a vector of NEON, and within a vector of x86 what numbers of two vectors leave by no quick instruction.
const PART: usize = 16;

/// The even groups of numbers of both vectors, those of the first before those of the other, and the odd ones.
///
/// With a `WIDTH` of less than a part, groups are single numbers, and each part is taken apart by itself; beyond it, groups are parts. So
/// with widths 1, then 2, and so on, the lanes of as many vectors as they are become the lanes of one, in the order of the vectors: a
/// tree of sums, or a matrix that is turned. Each result is one instruction: of an array with constant places an optimizer finds it.
#[inline(always)]
pub(super) fn unzip<S: Simd, T: Lanes, const WIDTH: usize>(
    first: T::Vector<S>,
    other: T::Vector<S>,
) -> (T::Vector<S>, T::Vector<S>) {
    let (lanes, part) = (lanes_of::<T, S>(), const { PART / size_of::<T>() });
    let (group, groups) = if WIDTH < part { (1, part) } else { (part, lanes / part) };
    let (mut firsts, mut others) = ([T::default(); MOST_LANES], [T::default(); MOST_LANES]);
    for (vector, numbers) in [(first, &mut firsts), (other, &mut others)] {
        T::vectors_mut::<S>(numbers).iter_mut().take(1).for_each(|place| *place = vector);
    }
    let (mut even, mut odd) = ([T::default(); MOST_LANES], [T::default(); MOST_LANES]);
    let mut lane = 0;
    while lane < lanes {
        // The groups of both vectors beside each other.
        let start = lane - lane % (group * groups);
        let place = 2 * ((lane - start) / group);
        let from = if place < groups { &firsts } else { &others };
        let at = start + place % groups * group + lane % group;
        even[lane] = from[at];
        odd[lane] = from[at + group];
        lane += 1;
    }
    let loaded = |numbers: &[T]| T::vectors::<S>(numbers).first().copied().unwrap_or(first);
    (loaded(&even), loaded(&odd))
}
