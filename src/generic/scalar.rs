//! The two number types that the engine computes in.

use ndarray::NdFloat;

use crate::equation::Elementary;

/// `f32` or `f64`.
pub trait Scalar: NdFloat + sealed::Sealed {
    /// The nearest value.
    fn from_f64(value: f64) -> Self;

    /// The same value.
    fn into_f64(self) -> f64;

    /// The error function.
    fn erf(self) -> Self;

    /// An elementary function.
    fn elementary(self, function: Elementary) -> Self {
        match function {
            Elementary::Exp => self.exp(),
            Elementary::Ln => self.ln(),
            Elementary::Log1p => self.ln_1p(),
            Elementary::Expm1 => self.exp_m1(),
            Elementary::Sqrt => self.sqrt(),
            Elementary::Sin => self.sin(),
            Elementary::Cos => self.cos(),
            Elementary::Tan => self.tan(),
            Elementary::Tanh => self.tanh(),
            Elementary::Atan => self.atan(),
            Elementary::Erf => self.erf(),
            Elementary::Floor => self.floor(),
            Elementary::Abs => self.abs(),
        }
    }
}

pub(super) mod sealed {
    /// Keeps [`super::Scalar`] to the two types that the specs' semantics are stated for.
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Scalar for f32 {
    fn from_f64(value: f64) -> Self {
        value as f32
    }

    fn into_f64(self) -> f64 {
        f64::from(self)
    }

    fn erf(self) -> Self {
        libm::erff(self)
    }
}

impl Scalar for f64 {
    fn from_f64(value: f64) -> Self {
        value
    }

    fn into_f64(self) -> f64 {
        self
    }

    fn erf(self) -> Self {
        libm::erf(self)
    }
}
