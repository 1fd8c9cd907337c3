//! `f32`, against `f64`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::BOUND;
use super::instructions::{Instructions, elements};

struct Function {
    name: &'static str,
    compute: fn(Instructions, &[f32], &mut [f32]),
    exact: fn(f64) -> f64,
}

macro_rules! functions {
    ($($name:ident $exact:expr;)*) => {
        [$(Function {
            name: stringify!($name),
            compute: elements!(f32 $name),
            exact: $exact,
        }),*]
    };
}

const FUNCTIONS: [Function; 7] = functions! {
    exp libm::exp;
    expm1 libm::expm1;
    ln libm::log;
    log1p libm::log1p;
    tanh libm::tanh;
    sigmoid |x| {
        let exponential = libm::exp(-x.abs());
        (if x < 0.0 { exponential } else { 1.0 }) / (1.0 + exponential)
    };
    erf libm::erf;
};

/// The distance of neighbours in `f32` around a number.
fn last_place(number: f64) -> f64 {
    let exponent = ((number.to_bits() >> 52 & 0x7ff) as i32 - 1023).clamp(-126, 127);
    f64::powi(2.0, exponent - 23)
}

/// How far a result is away, in units in the last place; infinite if it is wrong at all.
fn distance(found: f32, exact: f64) -> f64 {
    let nearest = exact as f32;
    if found == nearest || found.is_nan() && nearest.is_nan() {
        // Equal zeros may differ in sign.
        return if found.is_sign_negative() == nearest.is_sign_negative() || found.is_nan() {
            if nearest.is_finite() { (f64::from(found) - exact).abs() / last_place(exact) } else { 0.0 }
        } else {
            f64::INFINITY
        };
    }
    // Where one of them is infinite, the greatest number and what would follow it are neighbours.
    let bounded = |number: f32| f64::from(number).clamp(-f64::powi(2.0, 128), f64::powi(2.0, 128));
    let distance = (bounded(found) - exact).abs() / last_place(exact);
    if distance.is_nan() || exact.is_infinite() { f64::INFINITY } else { distance }
}

/// The greatest distance of each set of instructions over arguments with these bits, and where.
fn worst(function: &Function, sets: &[Instructions], bits: impl Iterator<Item = u32>) -> Vec<(f64, f32)> {
    let arguments: Vec<f32> = bits.map(f32::from_bits).collect();
    let exact: Vec<f64> = arguments.iter().map(|argument| (function.exact)(f64::from(*argument))).collect();
    let mut results = vec![0.0; arguments.len()];
    let worst_of = |instructions: &Instructions| {
        (function.compute)(*instructions, &arguments, &mut results);
        let found = arguments.iter().zip(&exact).zip(&results);
        let distances = found.map(|((argument, exact), result)| (distance(*result, *exact), *argument));
        distances.fold((0.0, 0.0), |worst, found| if found.0 > worst.0 { found } else { worst })
    };
    sets.iter().map(worst_of).collect()
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
    for function in &FUNCTIONS {
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

#[test]
#[ignore = "takes minutes"]
fn all_single_numbers_are_within_two_units_in_the_last_place() {
    const BLOCK: u64 = 1 << 16;
    let sets = &Instructions::all();
    for function in &FUNCTIONS {
        let (next, greatest) = (AtomicU64::new(0), Mutex::new(vec![(0.0, 0.0); sets.len()]));
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    loop {
                        let first = next.fetch_add(BLOCK, Ordering::Relaxed);
                        if first > u64::from(u32::MAX) {
                            break;
                        }
                        let found = worst(function, sets, (first..first + BLOCK).map(|bits| bits as u32));
                        let mut greatest = greatest.lock().expect("no thread has failed");
                        for (greatest, found) in greatest.iter_mut().zip(found) {
                            *greatest = if found.0 > greatest.0 { found } else { *greatest };
                        }
                    }
                });
            }
        });
        let greatest = greatest.into_inner().expect("no thread has failed");
        for (instructions, (distance, argument)) in sets.iter().zip(&greatest) {
            println!("f32 {:8} {:8} {distance:.4} at {argument:e}", function.name, instructions.name());
        }
        assert_within_bound(function, sets, &greatest);
    }
}
