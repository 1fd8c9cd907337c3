//! Named arrays: parameters, gradients, outputs, and what optimizers remember.

use ndarray::{ArrayD, Dimension, IxDyn};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::data::DataError;
use super::scalar::Scalar;
use crate::model::Distribution;

/// An array and the name of its tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T> {
    /// The name, such as `dense1.w`.
    pub name: String,
    /// The values, row-major.
    pub values: ArrayD<T>,
}

/// Arrays for the parameters of a network, in their order: the parameters themselves, or a gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters<T> {
    pub(super) arrays: Vec<Named<T>>,
}

impl<T: Scalar> Parameters<T> {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Named<T>> {
        self.arrays.iter()
    }

    /// The array with this name.
    pub fn get(&self, name: &str) -> Option<&ArrayD<T>> {
        self.arrays.iter().find(|array| array.name == name).map(|array| &array.values)
    }

    /// Replaces the array with this name.
    ///
    /// # Errors
    /// Where there is no such name, or the shape differs.
    pub fn set(&mut self, name: &str, values: ArrayD<T>) -> Result<(), DataError> {
        let Some(array) = self.arrays.iter_mut().find(|array| array.name == name) else {
            let known = self.arrays.iter().map(|array| array.name.clone()).collect();
            return Err(DataError::Unknown { tensor: name.to_owned(), known });
        };
        if array.values.shape() != values.shape() {
            let (expected, found) = (array.values.shape().to_vec(), values.shape().to_vec());
            return Err(DataError::Shape { tensor: name.to_owned(), expected, found });
        }
        array.values = if values.is_standard_layout() { values } else { values.as_standard_layout().into_owned() };
        Ok(())
    }

    /// All numbers, in the order of the generated code's memory.
    pub fn to_vec(&self) -> Vec<T> {
        self.arrays.iter().flat_map(|array| array.values.iter().copied()).collect()
    }

    /// How many numbers there are.
    pub fn count(&self) -> usize {
        self.arrays.iter().map(|array| array.values.len()).sum()
    }

    /// Says whether every number is finite.
    ///
    /// # Errors
    /// The first one that is infinite or NaN.
    pub fn check_finite(&self) -> Result<(), DataError> {
        for Named { name, values } in &self.arrays {
            if let Some((at, value)) = values.indexed_iter().find(|(_, value)| !value.is_finite()) {
                let index = at.slice().to_vec();
                return Err(DataError::NotFinite { tensor: name.clone(), example: None, index, value: value.into_f64() });
            }
        }
        Ok(())
    }
}

/// What optimizers remember between updates, how many there were, and the source of noise.
#[derive(Clone, Debug, PartialEq)]
pub struct State<T> {
    pub(super) updates: u64,
    pub(super) noise: Sampler,
    pub(super) arrays: Vec<Named<T>>,
}

impl<T: Scalar> State<T> {
    /// Draws the noise of the updates to come with this seed; it is 0 at first.
    pub fn seed_noise(&mut self, seed: u64) {
        self.noise = Sampler::new(seed);
    }

    /// How many updates were made.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// The arrays, in the order of the optimizers.
    pub fn iter(&self) -> impl Iterator<Item = &Named<T>> {
        self.arrays.iter()
    }
}

/// Draws initial values: one generator for all, always in `f64`, so that the generated code in any number type draws the
/// same.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sampler(Xoshiro256PlusPlus);

impl Sampler {
    pub(super) fn new(seed: u64) -> Self {
        Sampler(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// Uniform on `[0, 1)`, in steps of 2⁻⁵³.
    pub(super) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Normal with mean 0 and deviation 1: the cosine branch of Box and Muller, with libm's functions, which are the same
    /// on every machine.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.uniform()));
        radius * libm::cos(2.0 * std::f64::consts::PI * self.uniform())
    }

    /// An integer below `end`, which is at least 1.
    pub(super) fn below(&mut self, end: usize) -> usize {
        ((self.uniform() * end as f64) as usize).min(end.saturating_sub(1))
    }

    /// An array of a distribution, filled row-major. A constant draws nothing.
    pub(super) fn array<T: Scalar>(&mut self, initial: Distribution, shape: &[usize]) -> ArrayD<T> {
        ArrayD::from_shape_simple_fn(IxDyn(shape), || {
            T::from_f64(match initial {
                Distribution::Constant(value) => value,
                Distribution::Bernoulli(probability) => f64::from(u8::from(self.uniform() < probability)),
                Distribution::Uniform { low, high } => low + (high - low) * self.uniform(),
                Distribution::Normal { mean, deviation } => mean + deviation * self.normal(),
            })
        })
    }
}
