//! `f32`, against `f64`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use deltarule::__private::math::f32 as math;

use super::BOUND;

struct Function {
    name: &'static str,
    /// For many elements, so that vectors are tested.
    compute: fn(&[f32], &mut [f32]),
    exact: fn(f64) -> f64,
}

macro_rules! functions {
    ($($name:ident $exact:expr;)*) => {
        [$(Function {
            name: stringify!($name),
            compute: |arguments, results| {
                for (result, argument) in results.iter_mut().zip(arguments) {
                    *result = math::$name(*argument);
                }
            },
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

/// The greatest distance over arguments with these bits, and where.
fn worst(function: &Function, bits: impl Iterator<Item = u32>) -> (f64, f32) {
    let (mut worst, mut results) = ((0.0, 0.0), Vec::new());
    let arguments: Vec<f32> = bits.map(f32::from_bits).collect();
    results.resize(arguments.len(), 0.0);
    (function.compute)(&arguments, &mut results);
    for (&argument, &result) in arguments.iter().zip(&results) {
        let distance = distance(result, (function.exact)(f64::from(argument)));
        if distance > worst.0 {
            worst = (distance, argument);
        }
    }
    worst
}

fn assert_within_bound(function: &Function, (distance, argument): (f64, f32)) {
    assert!(distance <= BOUND, "{}({argument:e}) is {distance} units in the last place off", function.name);
}

#[test]
fn functions_of_single_numbers_are_within_two_units_in_the_last_place() {
    for function in &FUNCTIONS {
        // A prime step; then those where the functions change from one form to another.
        assert_within_bound(function, worst(function, (0..=u32::MAX).step_by(100_003)));
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
            assert_within_bound(function, worst(function, (0..400).map(|at| bits.wrapping_add(at).wrapping_sub(200))));
        }
    }
}

#[test]
#[ignore = "takes minutes"]
fn all_single_numbers_are_within_two_units_in_the_last_place() {
    const BLOCK: u64 = 1 << 16;
    for function in &FUNCTIONS {
        let (next, greatest) = (AtomicU64::new(0), Mutex::new((0.0, 0.0)));
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    let mut own = (0.0, 0.0);
                    loop {
                        let first = next.fetch_add(BLOCK, Ordering::Relaxed);
                        if first > u64::from(u32::MAX) {
                            break;
                        }
                        let found = worst(function, (first..first + BLOCK).map(|bits| bits as u32));
                        own = if found.0 > own.0 { found } else { own };
                    }
                    let mut greatest = greatest.lock().expect("no thread has failed");
                    *greatest = if own.0 > greatest.0 { own } else { *greatest };
                });
            }
        });
        let greatest = greatest.into_inner().expect("no thread has failed");
        println!("f32 {:8} {:.4} at {:e}", function.name, greatest.0, greatest.1);
        assert_within_bound(function, greatest);
    }
}
