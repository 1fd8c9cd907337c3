//! Elementary functions that registers hold in tables.
//!
//! Around each of 32 centres, a function is a polynomial in the distance from the centre. AVX-512 looks a number up for each number of a vector in two
//! registers by one instruction. So the coefficients are there as soon as the distance is, and a result is waited for some 24 cycles rather
//! than the 37 of an exponential, a sum and a quotient one after the other. Where many results are computed at once, nothing is gained.
//!
//! The centres are multiples of a power of two, so that the distance is exact. The polynomials have degree 7 and least squared relative error at
//! the nodes of Chebyshev (under 2^-24).

mod numbers;

#[cfg(target_arch = "x86")]
use core::arch::x86::_CMP_NGT_UQ;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::_CMP_NGT_UQ;

use pulp::{Simd, b16, f32x16, x86::V4};

use super::functions::{Function, Kind};
use super::lanes::Lanes;
use super::same::same;

/// Polynomials around equidistant centres.
struct Table {
    /// Adding it rounds to a multiple of what a centre is from the next, whose number then stands in the lowest bits.
    rounder: f32,
    /// The least number that polynomials are for.
    least: f32,
    /// The greatest. Of numbers beyond it, the function is 1.
    greatest: f32,
    /// The coefficients, the lowest first and in two parts, for it is added last: each at the place that the lowest bits of the number of its
    /// centre say, which may be negative.
    coefficients: [[f32; 32]; 9],
}

/// So many numbers are put into a vector one by one: they were just computed so, and memory would be waited for.
const FEW: usize = 4;
const LANES: usize = 16;

/// A function of each number of a row; whether these vectors have a table of it.
#[inline(always)]
pub(super) fn of_row<S: Simd, T: Lanes, F: Function<T>>(simd: S, from: &[T], to: &mut [T]) -> bool {
    if !is_in_vectors::<S, T>() {
        return false;
    }
    if from.len() <= FEW {
        return of_few::<S, T, F>(simd, from, to).is_some();
    }
    let of = |vector| of_vector::<S, T, F>(simd, vector).unwrap_or(vector);
    let whole = from.len().min(to.len()) / LANES * LANES;
    let (Some((from, from_rest)), Some((to, to_rest))) = (from.split_at_checked(whole), to.split_at_mut_checked(whole)) else {
        return false;
    };
    for (argument, result) in T::vectors::<S>(from).iter().zip(T::vectors_mut::<S>(to)) {
        *result = of(*argument);
    }
    if !to_rest.is_empty() {
        T::store_rest(simd, to_rest, of(T::load_rest(simd, from_rest)));
    }
    true
}

/// Whether tables can be of such vectors. What others would do is not compiled.
const fn is_in_vectors<S: Simd, T: Lanes>() -> bool {
    size_of::<T::Vector<S>>() == size_of::<f32x16>() && size_of::<T>() == size_of::<f32>()
}

/// A function of the numbers of a vector, if a table has it.
#[inline(always)]
pub(super) fn of_vector<S: Simd, T: Lanes, F: Function<T>>(simd: S, vector: T::Vector<S>) -> Option<T::Vector<S>> {
    if !is_in_vectors::<S, T>() {
        return None;
    }
    same(looked_up(same(simd)?, F::KIND, same(vector)?))
}

#[inline(always)]
fn of_few<S: Simd, T: Lanes, F: Function<T>>(simd: S, from: &[T], to: &mut [T]) -> Option<()> {
    let simd: V4 = same(simd)?;
    let mut numbers = [0.0; FEW];
    for (number, argument) in numbers.iter_mut().zip(from) {
        *number = same(*argument)?;
    }
    let [a, b, c, d] = numbers;
    let vector = simd.avx512f._mm512_castps128_ps512(simd.sse._mm_set_ps(d, c, b, a));
    let results = looked_up(simd, F::KIND, pulp::cast(vector));
    let results: [f32; FEW] = pulp::cast(simd.avx512f._mm512_castps512_ps128(pulp::cast(results)));
    for (result, number) in to.iter_mut().zip(results) {
        *result = same(number)?;
    }
    Some(())
}

#[inline(always)]
fn looked_up(simd: V4, kind: Kind, x: f32x16) -> f32x16 {
    match kind {
        Kind::Tanh => tanh(simd, x),
        Kind::Sigmoid => sigmoid(simd, x),
    }
}

/// The polynomial around the nearest centre, or 1 beyond the table. NaN remains; what is less than the table's numbers gets one without a meaning.
#[inline(always)]
fn polynomial(simd: V4, table: &Table, x: f32x16) -> f32x16 {
    // Numbers beyond have distance 0 from a centre where the function is 1. Nothing waits for that.
    let greatest = simd.splat_f32s(table.greatest);
    let is_within = b16(simd.avx512f._mm512_cmp_ps_mask::<_CMP_NGT_UQ>(pulp::cast(x), pulp::cast(greatest)));
    let rounder = simd.splat_f32s(table.rounder);
    let rounded = simd.add_f32s(x, rounder);
    let distance = simd.sub_f32s(x, simd.sub_f32s(rounded, rounder));
    let t = simd.select_f32s(is_within, distance, simd.splat_f32s(0.0));
    let square = simd.mul_f32s(t, t);
    let [c0, rest_of_c0, c1, c2, c3, c4, c5, c6, c7] = &table.coefficients;
    let linear = |one, other| simd.mul_add_e_f32s(t, look_up(simd, other, rounded), look_up(simd, one, rounded));
    let low = simd.mul_add_e_f32s(square, linear(c2, c3), linear(rest_of_c0, c1));
    let high = simd.mul_add_e_f32s(square, linear(c6, c7), linear(c4, c5));
    let beyond = simd.mul_add_e_f32s(simd.mul_f32s(square, square), high, low);
    let first = simd.select_f32s(is_within, look_up(simd, c0, rounded), simd.splat_f32s(1.0));
    simd.add_f32s(first, beyond)
}

/// The number of each centre.
#[inline(always)]
fn look_up(simd: V4, numbers: &[f32; 32], rounded: f32x16) -> f32x16 {
    let [low, high]: [f32x16; 2] = pulp::cast(*numbers);
    pulp::cast(simd.avx512f._mm512_permutex2var_ps(pulp::cast(low), pulp::cast(rounded), pulp::cast(high)))
}

/// Hyperbolic tangent, whose table is of positive numbers.
#[inline(always)]
fn tanh(simd: V4, x: f32x16) -> f32x16 {
    let result = polynomial(simd, &numbers::TANH, simd.abs_f32s(x));
    let sign = simd.and_f32s(x, simd.splat_f32s(-0.0));
    simd.or_f32s(sign, result)
}

/// The logistic function. Few vectors come below its table.
#[inline(always)]
fn sigmoid(simd: V4, x: f32x16) -> f32x16 {
    let is_below = simd.less_than_f32s(x, simd.splat_f32s(numbers::SIGMOID.least));
    let result = polynomial(simd, &numbers::SIGMOID, x);
    if is_below.0 == 0 {
        return result;
    }
    simd.select_f32s(is_below, sigmoid_below(simd, x), result)
}

/// The logistic function where it is `e - e²` with `e = exp(x)`, and `1 - e` is so close to 1 that a rough `e` will do.
///
/// `exp(x)` is `2^(n / 32) exp(r)` with the nearest whole number `n` and `r = x - n ln(2) / 32`.
#[inline(always)]
fn sigmoid_below(simd: V4, x: f32x16) -> f32x16 {
    const PARTS: f64 = 32.0;
    const STEP: f64 = core::f64::consts::LN_2 / PARTS;
    const STEP_HIGH: f32 = STEP as f32;
    const STEP_LOW: f32 = (STEP - STEP_HIGH as f64) as f32;
    let rounder = simd.splat_f32s(12_582_912.0);
    let rounded = simd.mul_add_e_f32s(x, simd.splat_f32s((1.0 / STEP) as f32), rounder);
    let n = simd.sub_f32s(rounded, rounder);
    let exponent = simd.mul_f32s(n, simd.splat_f32s((1.0 / PARTS) as f32));
    let root = look_up(simd, &numbers::ROOTS, rounded);
    let rough: f32x16 = pulp::cast(simd.avx512f._mm512_scalef_ps(pulp::cast(root), pulp::cast(exponent)));
    let r = simd.mul_add_e_f32s(n, simd.splat_f32s(-STEP_HIGH), x);
    let grown =
        simd.mul_add_e_f32s(simd.mul_f32s(r, r), simd.mul_add_e_f32s(r, simd.splat_f32s(1.0 / 6.0), simd.splat_f32s(0.5)), r);
    let rest = simd.neg_f32s(simd.mul_add_e_f32s(n, simd.splat_f32s(STEP_LOW), rough));
    let mantissa = simd.mul_add_e_f32s(root, grown, simd.mul_add_e_f32s(root, rest, root));
    // Below this the result is 0, and without a meaning where `x` is infinite.
    let is_positive = simd.greater_than_f32s(x, simd.splat_f32s(-105.0));
    pulp::cast(simd.avx512f._mm512_maskz_scalef_ps(is_positive.0, pulp::cast(mantissa), pulp::cast(exponent)))
}
