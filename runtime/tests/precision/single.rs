//! `f32`, against `f64`.
//!
//! A further function, or another form of one, is a line of [`FUNCTIONS`].

use deltarule::__private::tile::{Run, Vectors};

use super::instructions::{Instructions, elements};
use super::{BOUND, of_all_threads};

struct Function {
    name: &'static str,
    compute: fn(Instructions, &[f32], &mut [f32]),
    /// One number at a time.
    exact: fn(f64) -> f64,
    /// Many at once: our own, which `double.rs` holds to units of `f64`.
    quick: fn(Instructions, &[f64], &mut [f64]),
}

/// The form of a function, its name, and what is exact.
macro_rules! functions {
    ($($form:ident $name:ident $exact:expr;)*) => {
        &[$(Function {
            name: concat!(stringify!($form), " ", stringify!($name)),
            compute: elements!(f32 $form $name),
            exact: $exact,
            quick: elements!(f64 $form $name),
        }),*]
    };
}

const FUNCTIONS: &[Function] = functions! {
    fused exp libm::exp;
    fused expm1 libm::expm1;
    fused ln libm::log;
    fused log1p libm::log1p;
    fused tanh libm::tanh;
    fused sigmoid sigmoid;
    fused erf libm::erf;
    row Tanh libm::tanh;
    row Sigmoid sigmoid;
};

fn sigmoid(x: f64) -> f64 {
    let exponential = libm::exp(-x.abs());
    (if x < 0.0 { exponential } else { 1.0 }) / (1.0 + exponential)
}

/// So many arguments stay in the nearest memory with all that is computed of them.
const BLOCK: usize = 1024;

/// How far a result is away, in units in the last place; infinite if it is wrong at all. Without a branch, so that vectors have it too.
#[inline(always)]
fn distance_of(found: f32, exact: f64) -> f64 {
    let nearest = exact as f32;
    // Neighbours in `f32` are 2^(exponent - 23) apart, and at least 2^-149.
    let of_exponent = |exponent: i64| ((1023 + exponent) as u64) << 52;
    let exponent = (exact.to_bits() & of_exponent(1024)).clamp(of_exponent(-126), of_exponent(127));
    let per_last_place = f64::from_bits(of_exponent(23) + of_exponent(0) - exponent);
    // Where one of them is infinite, the greatest number and what would follow it are neighbours.
    let follows = f64::from_bits(of_exponent(128));
    let distance = (f64::from(found).clamp(-follows, follows) - exact).abs() * per_last_place;
    // Equal zeros may differ in sign.
    let is_nearest = found.to_bits() == nearest.to_bits() || found.is_nan() & nearest.is_nan();
    let is_wrong = (found == nearest) & !is_nearest | distance.is_nan() | exact.is_infinite();
    let distance = if is_wrong { f64::INFINITY } else { distance };
    if is_nearest & !nearest.is_finite() { 0.0 } else { distance }
}

/// The distances of results from exact ones; gives the greatest.
struct Distances<'a>(&'a [f32], &'a [f64], &'a mut [f64]);

impl Run for Distances<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<V: Vectors>(self, _: V) -> f64 {
        let Self(found, exact, distances) = self;
        for ((distance, found), exact) in distances.iter_mut().zip(found).zip(exact) {
            *distance = distance_of(*found, *exact);
        }
        // Vectors have the greatest of integers in any order, as the bits of numbers without a sign are.
        f64::from_bits(distances.iter().map(|distance| distance.to_bits()).fold(0, u64::max))
    }
}

/// Computes arguments with each set of instructions and keeps what is farther from the exact results than anything before, and where.
fn keep_worst(function: &Function, sets: &[Instructions], arguments: &[f32], exact: &[f64], worst: &mut [(f64, f32)]) {
    let (mut results, mut distances) = ([0.0; BLOCK], [0.0; BLOCK]);
    for (arguments, exact) in arguments.chunks(BLOCK).zip(exact.chunks(BLOCK)) {
        let (results, distances) = (&mut results[..arguments.len()], &mut distances[..arguments.len()]);
        for (instructions, worst) in sets.iter().zip(&mut *worst) {
            (function.compute)(*instructions, arguments, results);
            let greatest = Instructions::widest(sets).run(Distances(results, exact, distances));
            if greatest > worst.0 {
                let of_greatest = distances.iter().zip(arguments).find(|(distance, _)| **distance == greatest);
                *worst = of_greatest.map_or(*worst, |(distance, argument)| (*distance, *argument));
            }
        }
    }
}

/// The greatest distance of each set of instructions over arguments with these bits, and where.
fn worst(function: &Function, sets: &[Instructions], bits: impl Iterator<Item = u32>) -> Vec<(f64, f32)> {
    let arguments: Vec<f32> = bits.map(f32::from_bits).collect();
    let exact: Vec<f64> = arguments.iter().map(|argument| (function.exact)(f64::from(*argument))).collect();
    let mut worst = vec![(0.0, 0.0); sets.len()];
    keep_worst(function, sets, &arguments, &exact, &mut worst);
    worst
}

fn assert_within_bound(function: &Function, sets: &[Instructions], worst: &[(f64, f32)]) {
    for (instructions, (distance, argument)) in sets.iter().zip(worst) {
        let (name, set) = (function.name, instructions.name());
        assert!(*distance <= BOUND, "{name}({argument:e}) with {set} is {distance} units in the last place off");
    }
}

#[test]
fn functions_of_single_numbers_are_within_two_units_in_the_last_place() {
    let sets = Instructions::all();
    for function in FUNCTIONS {
        // A prime step; then those where the functions change from one form to another.
        assert_within_bound(function, &sets, &worst(function, &sets, (0..=u32::MAX).step_by(100_003)));
        let around = [
            0.0_f32,
            1e-38,
            0.346_573_6,
            0.625,
            std::f32::consts::FRAC_1_SQRT_2,
            1.0,
            std::f32::consts::SQRT_2,
            4.0,
            9.0,
            10.0,
            17.0,
            88.0,
            88.722_84,
            103.97,
        ];
        for center in around.into_iter().flat_map(|center| [center, -center]) {
            let bits = center.to_bits();
            let near = (0..400).map(|at| bits.wrapping_add(at).wrapping_sub(200));
            assert_within_bound(function, &sets, &worst(function, &sets, near));
        }
    }
}

/// Whether both are the same but for the last digits of `f64`.
fn is_about(a: f64, b: f64) -> bool {
    let is_near = a == b || (a - b).abs() <= 1e-15 * a.abs().max(f64::MIN_POSITIVE);
    is_near && a.is_sign_negative() == b.is_sign_negative() || a.is_nan() && b.is_nan()
}

/// The greatest distance of each set of instructions over every so-many-th block of all numbers, from one on, and where. What results are
/// compared with is our own, which `libm` vouches for at every 31st number: it takes six times as long for one.
fn worst_of_part(function: &Function, sets: &[Instructions], part: usize, parts: usize) -> Vec<(f64, f32)> {
    const BLOCKS: usize = u32::MAX as usize / BLOCK + 1;
    // A prime, so that all places of blocks are compared.
    const COMPARED: usize = 31;
    let (mut exact, mut worst) = ([0.0; BLOCK], vec![(0.0, 0.0); sets.len()]);
    for block in (part..BLOCKS).step_by(parts) {
        let arguments: [f32; BLOCK] = std::array::from_fn(|at| f32::from_bits((block * BLOCK + at) as u32));
        (function.quick)(Instructions::widest(sets), &arguments.map(f64::from), &mut exact);
        for (argument, quick) in arguments.iter().zip(&exact).skip(block % COMPARED).step_by(COMPARED) {
            let exact = (function.exact)(f64::from(*argument));
            assert!(
                is_about(exact, *quick),
                "the reference of {}({argument:e}) is {quick:e}, and {exact:e} by libm",
                function.name
            );
        }
        keep_worst(function, sets, &arguments, &exact, &mut worst);
    }
    worst
}

#[test]
#[ignore = "takes minutes"]
fn all_single_numbers_are_within_two_units_in_the_last_place() {
    let sets = &Instructions::all();
    for function in FUNCTIONS {
        let worst = of_all_threads(|part, parts| worst_of_part(function, sets, part, parts));
        for (instructions, (distance, argument)) in sets.iter().zip(&worst) {
            println!("f32 {:13} {:8} {distance:.4} at {argument:e}", function.name, instructions.name());
        }
        assert_within_bound(function, sets, &worst);
    }
}
