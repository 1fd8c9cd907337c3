//! Some vectors of a row in registers: loaded, added up, finished and stored.

use pulp::Simd;

use super::lanes::{Lanes, lanes_of};

/// Some vectors from a place on, `width` numbers of which are wanted: what follows them is read as well, where it is there.
#[inline(always)]
pub(super) fn load_at<S: Simd, T: Lanes, const VECTORS: usize, const PARTIAL: bool>(
    simd: S,
    numbers: &[T],
    at: usize,
    width: usize,
) -> Option<[T::Vector<S>; VECTORS]> {
    let from = numbers.get(at..)?;
    match from.get(..VECTORS * lanes_of::<T, S>()) {
        Some(whole) => Some(load::<S, T, VECTORS, false>(simd, whole)),
        None if PARTIAL => Some([T::load_rest(simd, from.get(..width)?); VECTORS]),
        None => None,
    }
}

/// Some vectors of a row, or less than one.
#[inline(always)]
pub(super) fn load<S: Simd, T: Lanes, const VECTORS: usize, const PARTIAL: bool>(simd: S, row: &[T]) -> [T::Vector<S>; VECTORS] {
    if PARTIAL {
        return [T::load_rest(simd, row); VECTORS];
    }
    match T::vectors::<S>(row).first_chunk() {
        Some(vectors) => *vectors,
        None => [T::splat(simd, T::default()); VECTORS],
    }
}

/// What a row of so many terms has after its last whole vector, 0 in the other lanes.
#[inline(always)]
pub(super) fn after_whole<S: Simd, T: Lanes>(simd: S, row: &[T], terms: usize) -> T::Vector<S> {
    let rest = terms % lanes_of::<T, S>();
    if rest > 0 { T::load_rest(simd, row.get(terms - rest..).unwrap_or(&[])) } else { T::splat(simd, T::default()) }
}

/// Writes them.
#[inline(always)]
pub(super) fn store<S: Simd, T: Lanes, const VECTORS: usize, const PARTIAL: bool>(
    simd: S,
    row: &mut [T],
    values: [T::Vector<S>; VECTORS],
) {
    if PARTIAL {
        T::store_rest(simd, row, values[0]);
    } else if let Some(vectors) = T::vectors_mut::<S>(row).first_chunk_mut() {
        *vectors = values;
    }
}

/// Adds to each row of sums a factor times the same numbers.
#[inline(always)]
pub(super) fn multiply_add<S: Simd, T: Lanes, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    sums: &mut [[T::Vector<S>; VECTORS]; ROWS],
    factors: &[T; ROWS],
    columns: [T::Vector<S>; VECTORS],
) {
    for (sums, factor) in sums.iter_mut().zip(factors) {
        let factor = T::splat(simd, *factor);
        for (sum, column) in sums.iter_mut().zip(columns) {
            *sum = T::multiply_add(simd, factor, column, *sum);
        }
    }
}

/// What sums start with in some columns: 0 where nothing is given.
#[inline(always)]
pub(super) fn start_at<S: Simd, T: Lanes, const VECTORS: usize, const PARTIAL: bool>(
    simd: S,
    start: &[T],
    column: usize,
    width: usize,
) -> [T::Vector<S>; VECTORS] {
    match start.get(column..).and_then(|start| start.get(..width)) {
        Some(start) => load::<S, T, VECTORS, PARTIAL>(simd, start),
        None => [T::splat(simd, T::default()); VECTORS],
    }
}

/// The total of sums that were added up apart.
#[inline(always)]
pub(super) fn added_up<S: Simd, T: Lanes, const VECTORS: usize>(
    simd: S,
    sums: &[[T::Vector<S>; VECTORS]],
) -> [T::Vector<S>; VECTORS] {
    let Some((first, others)) = sums.split_first() else { return [T::splat(simd, T::default()); VECTORS] };
    let mut totals = *first;
    for sums in others {
        for (total, sum) in totals.iter_mut().zip(sums) {
            *total = T::plus(simd, *total, *sum);
        }
    }
    totals
}

/// Stores `start + scale * sum` for each column of a row; without a start, what is stored there takes its place.
#[inline(always)]
pub(super) fn finish<S: Simd, T: Lanes, const VECTORS: usize, const PARTIAL: bool>(
    simd: S,
    mut sums: [T::Vector<S>; VECTORS],
    scale: T,
    start: Option<[T::Vector<S>; VECTORS]>,
    c: &mut [T],
) {
    let scale = T::splat(simd, scale);
    let before = match start {
        Some(start) => start,
        None => load::<S, T, VECTORS, PARTIAL>(simd, c),
    };
    for (sum, before) in sums.iter_mut().zip(before) {
        *sum = T::multiply_add(simd, scale, *sum, before);
    }
    store::<S, T, VECTORS, PARTIAL>(simd, c, sums);
}
