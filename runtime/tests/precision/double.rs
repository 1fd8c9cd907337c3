//! `f64`, against numbers of twice as many digits.

use super::double_double::{self, Scaled};
use super::instructions::{Instructions, elements};
use super::{BOUND, of_all_threads};

struct Function {
    name: &'static str,
    compute: fn(Instructions, &[f64], &mut [f64]),
    exact: fn(f64) -> Scaled,
    /// Between which arguments the result is neither a limit nor wrong.
    from: f64,
    to: f64,
}

macro_rules! functions {
    ($($name:ident from $from:literal to $to:expr;)*) => {
        [$(Function { name: stringify!($name), compute: elements!(f64 fused $name), exact: double_double::$name, from: $from, to: $to }),*]
    };
}

const FUNCTIONS: [Function; 7] = functions! {
    exp from -745.0 to 709.7;
    expm1 from -745.0 to 709.7;
    ln from 5e-324 to f64::MAX;
    log1p from -0.999_999_999_999_999_9 to f64::MAX;
    tanh from -25.0 to 25.0;
    sigmoid from -744.0 to 744.0;
    erf from -6.5 to 6.5;
};

/// Random bits (Steele, Lea and Flood 2014: SplitMix).
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// An argument: of any size, of those where most networks compute, or where functions change from one form to another.
    fn argument(&mut self) -> f64 {
        const AROUND: [f64; 10] = [
            0.0,
            0.346_573_590_279_972_65,
            0.5625,
            std::f64::consts::FRAC_1_SQRT_2,
            1.0,
            std::f64::consts::SQRT_2,
            6.0,
            20.0,
            37.4,
            708.4,
        ];
        let sign = if self.bits() & 1 == 0 { 1.0 } else { -1.0 };
        match self.bits() % 5 {
            0 => f64::from_bits(self.bits()),
            1 => (self.unit() * 2.0 - 1.0) * 750.0,
            2 => sign * f64::powf(2.0, self.unit() * 64.0 - 60.0),
            3 => sign * (AROUND[(self.bits() % 10) as usize] + (self.unit() - 0.5) * 1e-3),
            _ => (self.unit() * 2.0 - 1.0) * 4.0,
        }
    }
}

/// The greatest distance of each set of instructions over so many arguments in the range, and where.
fn worst(function: &Function, sets: &[Instructions], count: usize, seed: u64) -> Vec<(f64, f64)> {
    let (mut random, mut worst) = (Random(seed), vec![(0.0, 0.0); sets.len()]);
    let mut left = count;
    while left > 0 {
        let argument = random.argument();
        if !(argument >= function.from && argument <= function.to) {
            continue;
        }
        left -= 1;
        let exact = (function.exact)(argument);
        for (instructions, worst) in sets.iter().zip(&mut worst) {
            let mut found = [0.0];
            (function.compute)(*instructions, &[argument], &mut found);
            let distance = exact.distance(found[0]);
            if distance > worst.0 || distance.is_nan() {
                *worst = (distance, argument);
            }
        }
    }
    worst
}

fn assert_within_bound(function: &Function, sets: &[Instructions], worst: &[(f64, f64)]) {
    for (instructions, (distance, argument)) in sets.iter().zip(worst) {
        let (name, set) = (function.name, instructions.name());
        assert!(*distance <= BOUND, "{name}({argument:e}) with {set} is {distance} units in the last place off");
    }
}

#[test]
fn functions_of_double_numbers_are_within_two_units_in_the_last_place() {
    let sets = Instructions::all();
    for function in &FUNCTIONS {
        assert_within_bound(function, &sets, &worst(function, &sets, 5000, 1));
    }
}

#[test]
fn the_reference_is_that_of_libm_to_a_unit() {
    macro_rules! of_libm {
        ($($name:literal $function:ident),*) => {
            [$(($name, (|_, arguments, results| {
                for (result, argument) in results.iter_mut().zip(arguments) {
                    *result = libm::$function(*argument);
                }
            }) as fn(Instructions, &[f64], &mut [f64]))),*]
        };
    }
    let of_libm = of_libm!("exp" exp, "ln" log, "tanh" tanh, "erf" erf, "log1p" log1p);
    let sets = &Instructions::all()[..1];
    for function in &FUNCTIONS {
        let Some((_, compute)) = of_libm.iter().find(|(name, _)| *name == function.name) else { continue };
        let function = Function { compute: *compute, ..*function };
        assert_within_bound(&function, sets, &worst(&function, sets, 500, 2));
    }
}

#[test]
#[ignore = "takes minutes"]
fn millions_of_double_numbers_are_within_two_units_in_the_last_place() {
    const COUNT: usize = 10_000_000;
    let sets = &Instructions::all();
    for function in &FUNCTIONS {
        let found = of_all_threads(|part, parts| worst(function, sets, COUNT / parts, part as u64));
        for (instructions, (distance, argument)) in sets.iter().zip(&found) {
            println!("f64 {:8} {:8} {distance:.4} at {argument:e}", function.name, instructions.name());
        }
        assert_within_bound(function, sets, &found);
    }
}
