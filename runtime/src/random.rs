//! Initial values: the same for the same seed on every machine and in every engine.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use crate::Scalar;

/// A source of random numbers (xoshiro256++).
#[derive(Clone, Debug, PartialEq)]
pub struct Generator {
    source: Xoshiro256PlusPlus,
}

impl Generator {
    /// A source that depends on the seed alone.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { source: Xoshiro256PlusPlus::seed_from_u64(seed) }
    }

    /// A seed for another source.
    pub fn seed(&mut self) -> u64 {
        self.source.next_u64()
    }

    /// A number in `0..1`, a multiple of 2⁻⁵³.
    pub fn unit(&mut self) -> f64 {
        (self.source.next_u64() >> 11) as f64 * f64::EPSILON / 2.0
    }

    /// Draws each element from the uniform distribution on `low..high`.
    pub fn uniform<T: Scalar>(&mut self, elements: &mut [T], low: f64, high: f64) {
        for element in elements {
            *element = T::from_f64(low + (high - low) * self.unit());
        }
    }

    /// Sets each element to 1 with this probability, else to 0.
    pub fn bernoulli<T: Scalar>(&mut self, elements: &mut [T], probability: f64) {
        for element in elements {
            *element = T::from_f64(if self.unit() < probability { 1.0 } else { 0.0 });
        }
    }

    /// Draws each element from a normal distribution (Box and Muller, the cosine of each pair).
    pub fn normal<T: Scalar>(&mut self, elements: &mut [T], mean: f64, deviation: f64) {
        for element in elements {
            let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
            let angle = 2.0 * core::f64::consts::PI * self.unit();
            *element = T::from_f64(mean + deviation * radius * libm::cos(angle));
        }
    }
}

/// What an optimizer's state draws noise from: a generator that is made when it is first needed, so that a seed alone is a constant.
#[derive(Clone, Debug, PartialEq)]
pub struct NoiseSource {
    seed: u64,
    generator: Option<Generator>,
}

impl NoiseSource {
    /// The source of this seed, from its start.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, generator: None }
    }

    /// The generator, where it stands.
    pub fn generator(&mut self) -> &mut Generator {
        self.generator.get_or_insert_with(|| Generator::new(self.seed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_everywhere() {
        let mut numbers = [0.0_f64; 3];
        Generator::new(7).uniform(&mut numbers, 0.0, 1.0);
        assert_eq!(numbers, [0.055_360_436_478_333_11, 0.172_115_854_448_117_72, 0.717_576_128_358_659_4]);
    }

    #[test]
    fn single_precision_rounds_what_double_precision_draws() {
        let (mut single, mut double) = ([0.0_f32; 8], [0.0_f64; 8]);
        Generator::new(3).normal(&mut single, 1.0, 2.0);
        Generator::new(3).normal(&mut double, 1.0, 2.0);
        assert_eq!(single, double.map(|number| number as f32));
    }

    #[test]
    fn moments_are_those_of_the_distribution() {
        let mut numbers = [0.0_f64; 20_000];
        let count = numbers.len() as f64;
        Generator::new(1).normal(&mut numbers, 1.0, 2.0);
        let mean = numbers.iter().sum::<f64>() / count;
        let variance = numbers.iter().map(|number| (number - mean) * (number - mean)).sum::<f64>() / count;
        assert!((mean - 1.0).abs() < 0.05 && (variance - 4.0).abs() < 0.15, "mean {mean}, variance {variance}");
        Generator::new(1).uniform(&mut numbers, -1.0, 3.0);
        let mean = numbers.iter().sum::<f64>() / count;
        assert!((mean - 1.0).abs() < 0.05 && numbers.iter().all(|number| (-1.0..3.0).contains(number)), "mean {mean}");
    }
}
