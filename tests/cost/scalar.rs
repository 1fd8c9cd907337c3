// The numbers of a counting program: it is compiled by a test, with generated code after it.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub};

pub type Tally = BTreeMap<&'static str, i128>;

thread_local! {
    static TALLY: RefCell<Tally> = RefCell::new(Tally::new());
    static REPORTED: RefCell<BTreeMap<String, Tally>> = RefCell::new(BTreeMap::new());
}

fn count(operation: &'static str) {
    TALLY.with_borrow_mut(|tally| *tally.entry(operation).or_insert(0) += 1);
}

/// Prints what was counted since the last report.
pub fn report(net: &str, pass: &str) {
    let tally = TALLY.take();
    print(net, pass, &tally);
    REPORTED.with_borrow_mut(|reported| reported.insert(format!("{net} {pass}"), tally));
}

/// Prints what was counted more than in another pass.
pub fn report_more(net: &str, pass: &str, than: &str) {
    let mut tally = TALLY.take();
    REPORTED.with_borrow(|reported| {
        for (operation, times) in &reported[&format!("{net} {than}")] {
            *tally.entry(operation).or_insert(0) -= times;
        }
    });
    print(net, pass, &tally);
}

fn print(net: &str, pass: &str, tally: &Tally) {
    println!("{net} {pass} multiplications 0");
    for (operation, times) in tally {
        println!("{net} {pass} {operation} {times}");
    }
}

/// A number. What an accumulator starts with is marked: putting a first term to it is no operation.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    value: f64,
    is_start: bool,
}

pub fn number(value: f64) -> Counted {
    Counted { value, is_start: false }
}

pub fn start(value: f64) -> Counted {
    Counted { value, is_start: true }
}

/// All bits 0: numbers, labels and arrays of them are that.
pub fn zero<T>() -> T {
    unsafe { std::mem::zeroed() }
}

impl Counted {
    pub const INFINITY: Counted = Counted { value: f64::INFINITY, is_start: true };
    pub const NEG_INFINITY: Counted = Counted { value: f64::NEG_INFINITY, is_start: true };

    fn with(self, other: Counted, operation: &'static str, f: fn(f64, f64) -> f64) -> Counted {
        match (self.is_start, other.is_start) {
            (true, _) => other,
            (_, true) => self,
            _ => {
                count(operation);
                number(f(self.value, other.value))
            }
        }
    }
}

impl Add for Counted {
    type Output = Counted;
    fn add(self, other: Counted) -> Counted {
        self.with(other, "additions", |a, b| a + b)
    }
}

impl Sub for Counted {
    type Output = Counted;
    fn sub(self, other: Counted) -> Counted {
        count("additions");
        number(self.value - other.value)
    }
}

impl Mul for Counted {
    type Output = Counted;
    fn mul(self, other: Counted) -> Counted {
        self.with(other, "multiplications", |a, b| a * b)
    }
}

impl Div for Counted {
    type Output = Counted;
    fn div(self, other: Counted) -> Counted {
        count("divisions");
        number(self.value / other.value)
    }
}

impl Neg for Counted {
    type Output = Counted;
    fn neg(self) -> Counted {
        number(-self.value)
    }
}

impl AddAssign for Counted {
    fn add_assign(&mut self, other: Counted) {
        *self = *self + other;
    }
}

impl MulAssign for Counted {
    fn mul_assign(&mut self, other: Counted) {
        *self = *self * other;
    }
}

impl PartialEq for Counted {
    fn eq(&self, other: &Counted) -> bool {
        count("comparisons");
        self.value == other.value
    }
}

impl PartialOrd for Counted {
    fn partial_cmp(&self, other: &Counted) -> Option<Ordering> {
        if !self.is_start && !other.is_start {
            count("comparisons");
        }
        self.value.partial_cmp(&other.value)
    }
}

pub trait Convertible: Copy {
    fn value(self) -> f64;
}

impl Convertible for Counted {
    fn value(self) -> f64 {
        self.value
    }
}

impl Convertible for usize {
    fn value(self) -> f64 {
        self as f64
    }
}

impl Convertible for isize {
    fn value(self) -> f64 {
        self as f64
    }
}

impl Convertible for u64 {
    fn value(self) -> f64 {
        self as f64
    }
}

pub fn to_counted(value: impl Convertible) -> Counted {
    number(value.value())
}

pub fn to_isize(value: impl Convertible) -> isize {
    value.value() as isize
}

pub fn to_usize(value: impl Convertible) -> usize {
    value.value() as isize as usize
}

pub mod math {
    use super::{Counted, count, number};

    macro_rules! functions {
        ($($name:ident)*) => {$(
            pub fn $name(x: Counted) -> Counted {
                count(stringify!($name));
                number(x.value)
            }
        )*};
    }

    functions! { exp ln log1p expm1 sqrt sin cos tan tanh atan erf floor abs }

    /// What it stands for, as the numbers on a sheet count it.
    pub fn sigmoid(x: Counted) -> Counted {
        number(1.0) / (number(1.0) + exp(-x))
    }

    pub fn pow(base: Counted, exponent: Counted) -> Counted {
        count("pow");
        number(base.value.powf(exponent.value))
    }

    /// As the runtime does it.
    pub fn powi(base: Counted, exponent: u32) -> Counted {
        let (mut power, mut square, mut rest) = (super::start(1.0), base, exponent);
        while rest > 0 {
            if rest & 1 == 1 {
                power *= square;
            }
            square *= square;
            rest >>= 1;
        }
        power
    }

    pub fn sum<const LANES: usize>(lanes: &[Counted; LANES]) -> Counted {
        lanes.iter().copied().fold(super::start(0.0), |sum, lane| sum + lane)
    }

    pub fn max<const LANES: usize>(lanes: &[Counted; LANES]) -> Counted {
        lanes.iter().copied().fold(Counted::NEG_INFINITY, |most, lane| if lane > most { lane } else { most })
    }

    pub fn min<const LANES: usize>(lanes: &[Counted; LANES]) -> Counted {
        lanes.iter().copied().fold(Counted::INFINITY, |least, lane| if lane < least { lane } else { least })
    }
}

use math as double_math;
