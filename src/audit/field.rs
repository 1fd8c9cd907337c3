//! Arithmetic modulo large primes, with an exponential function and a logarithm that obey their laws.
//!
//! The primes of a tower are a Cunningham chain: each is twice the next plus 1. The squares modulo one prime are then a group whose
//! order is the next prime of the tower, so that `exp(u) = 4^u`, with `u` taken modulo the next prime, is a homomorphism: `exp(a + b)`
//! is `exp(a) exp(b)` exactly, and the discrete logarithm is its inverse.

use std::collections::HashMap;
use std::sync::OnceLock;

/// How many primes a tower has: exponentials of exponentials may be nested as deeply as there are primes below.
pub(super) const LEVELS: usize = 5;

/// The last primes of some towers; the first is about `2^31`.
const LAST: [u64; 4] = [134_424_239, 134_450_759, 134_504_039, 134_538_749];

/// The generator of the squares, at each level.
const BASE: u64 = 4;

/// How many powers of the base each table of logarithms holds.
const TABLE: u64 = 1 << 18;

/// The field of integers modulo a prime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    tower: usize,
    level: usize,
    prime: u64,
}

impl Field {
    /// Level 0 has the greatest prime of its tower.
    pub(super) fn new(tower: usize, level: usize) -> Field {
        let tower = tower % LAST.len();
        let prime = (level + 1..LEVELS).fold(LAST[tower], |prime, _| 2 * prime + 1);
        Field { tower, level, prime }
    }

    pub(super) fn add(self, a: u64, b: u64) -> u64 {
        (a + b) % self.prime
    }

    pub(super) fn subtract(self, a: u64, b: u64) -> u64 {
        (a + self.prime - b) % self.prime
    }

    pub(super) fn multiply(self, a: u64, b: u64) -> u64 {
        a * b % self.prime
    }

    pub(super) fn power(self, base: u64, mut exponent: u64) -> u64 {
        let (mut square, mut result) = (base, 1);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = self.multiply(result, square);
            }
            square = self.multiply(square, square);
            exponent >>= 1;
        }
        result
    }

    /// `None` for 0.
    pub(super) fn reciprocal(self, a: u64) -> Option<u64> {
        (a != 0).then(|| self.power(a, self.prime - 2))
    }

    pub(super) fn integer(self, value: i64) -> u64 {
        value.rem_euclid(self.prime as i64) as u64
    }

    /// Any 64 bits as a number.
    pub(super) fn residue(self, bits: u64) -> u64 {
        bits % self.prime
    }

    /// A finite floating-point number: it is an integer times a power of 2.
    pub(super) fn number(self, value: f64) -> Option<u64> {
        if !value.is_finite() {
            return None;
        }
        let bits = value.to_bits();
        let biased = (bits >> 52) & 0x7ff;
        let fraction = bits & ((1 << 52) - 1);
        let (mantissa, exponent) = if biased == 0 { (fraction, -1074) } else { (fraction | 1 << 52, biased as i64 - 1075) };
        let power = self.power(2, exponent.unsigned_abs());
        let scale = if exponent < 0 { self.reciprocal(power)? } else { power };
        let magnitude = self.multiply(mantissa % self.prime, scale);
        Some(if value < 0.0 { self.subtract(0, magnitude) } else { magnitude })
    }

    /// 1, 0 or -1, the greater half of the field counting as negative; right for small integers, and `sign(-a) = -sign(a)`.
    pub(super) fn sign(self, a: u64) -> i64 {
        match a {
            0 => 0,
            _ if a <= self.prime / 2 => 1,
            _ => -1,
        }
    }

    /// The root that is a square itself; `None` where there is none.
    pub(super) fn square_root(self, a: u64) -> Option<u64> {
        // Modulo 4 the prime is 3.
        (a == 0 || self.is_square(a)).then(|| self.power(a, self.prime / 4 + 1))
    }

    pub(super) fn is_square(self, a: u64) -> bool {
        self.power(a, self.prime / 2) == 1
    }

    /// The exponential of a number of the next level.
    pub(super) fn exponential(self, exponent: u64) -> u64 {
        self.power(BASE, exponent)
    }

    /// The number of the next level whose exponential is `a`, or `-a` where that is the square of the two. `None` for 0.
    pub(super) fn logarithm(self, a: u64) -> Option<u64> {
        if a == 0 {
            return None;
        }
        let order = self.prime / 2;
        let mut power = if self.is_square(a) { a } else { self.subtract(0, a) };
        // Baby steps and giant steps (Shanks 1971).
        let table = table(self);
        let giant = self.reciprocal(self.power(BASE, TABLE))?;
        for step in 0..=order / TABLE {
            if let Some(&small) = table.get(&power) {
                return Some((step * TABLE + small) % order);
            }
            power = self.multiply(power, giant);
        }
        None
    }
}

/// The logarithms of the first powers of the base.
fn table(field: Field) -> &'static HashMap<u64, u64> {
    static TABLES: [[OnceLock<HashMap<u64, u64>>; LEVELS]; LAST.len()] =
        [const { [const { OnceLock::new() }; LEVELS] }; LAST.len()];
    TABLES[field.tower][field.level].get_or_init(|| {
        let powers = std::iter::successors(Some(1), |&power| Some(field.multiply(power, BASE)));
        powers.take(TABLE as usize).zip(0..).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_prime(number: u64) -> bool {
        number > 1 && (2..).take_while(|divisor| divisor * divisor <= number).all(|divisor| !number.is_multiple_of(divisor))
    }

    #[test]
    fn each_prime_of_a_tower_is_twice_the_next_plus_one() {
        for tower in 0..LAST.len() {
            for level in 0..LEVELS {
                let prime = Field::new(tower, level).prime;
                assert!(is_prime(prime), "{prime} is not prime");
                assert!(prime < 1 << 32, "products of {prime} must fit into 64 bits");
                assert!(level + 1 == LEVELS || prime == 2 * Field::new(tower, level + 1).prime + 1);
            }
        }
    }

    #[test]
    fn exponentials_and_logarithms_obey_their_laws() {
        for tower in 0..2 {
            let (upper, lower) = (Field::new(tower, 0), Field::new(tower, 1));
            let (a, b) = (lower.residue(987_654_321_987), lower.residue(123_456_789_123));
            let (exp_a, exp_b) = (upper.exponential(a), upper.exponential(b));
            assert_eq!(upper.exponential(lower.add(a, b)), upper.multiply(exp_a, exp_b));
            assert_eq!(upper.logarithm(exp_a), Some(a));
            let (u, v) = (upper.residue(5_555_555_555_555), upper.residue(7_777_777_777_777));
            let sum = lower.add(upper.logarithm(u).expect("not 0"), upper.logarithm(v).expect("not 0"));
            assert_eq!(upper.logarithm(upper.multiply(u, v)), Some(sum));
        }
    }

    #[test]
    fn roots_are_roots_of_squares_and_there_are_no_others() {
        let field = Field::new(0, 1);
        let square = field.multiply(1234, 1234);
        let root = field.square_root(square).expect("a square");
        assert_eq!(field.multiply(root, root), square);
        assert_eq!(field.square_root(field.subtract(0, square)), None);
    }

    #[test]
    fn numbers_are_the_fractions_that_they_are() {
        let field = Field::new(0, 1);
        for (value, numerator, denominator) in [(0.75, 3, 4), (-2.5, -5, 2), (1e6, 1_000_000, 1), (0.0, 0, 7)] {
            let number = field.number(value).expect("a finite number");
            assert_eq!(field.multiply(number, field.integer(denominator)), field.integer(numerator), "{value}");
        }
        assert_eq!(field.number(f64::INFINITY), None);
    }
}
