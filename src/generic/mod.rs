//! The generic engine: runs any [`crate::derivation::Derivation`] on arrays at run time, whole minibatches at once.
//!
//! It interprets the same equations that the emitter compiles, in `f32` or `f64`: what the generated code is compared
//! with, and what trains a net that no one has compiled. [`Engine::new`] plans each equation as a list of array
//! operations; sums of products become matrix products, with the examples as one more index, so that the three roles of
//! a dense layer (`x w`, `ds wᵀ`, `xᵀ ds`) are one product each for a whole minibatch.
//!
//! ```
//! use deltarule_compiler::generic::{Engine, Values};
//! use ndarray::array;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let spec = "input x[2]\ntarget t[1]\ny = x |> dense(1) |> sigmoid\nloss squared_error(y, t)\noptimizer sgd(1)";
//! let compiled = deltarule_compiler::pipeline::compile("or.spec", spec).map_err(|messages| messages.render())?;
//! let engine = Engine::<f64>::new(&compiled.derivation)?;
//! let batch = engine.batch([
//!     ("x", Values::from(array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]].into_dyn())),
//!     ("t", Values::from(array![[0.0], [1.0], [1.0], [1.0]].into_dyn())),
//! ])?;
//! let (mut parameters, mut state) = (engine.initialize(1), engine.state());
//! let before = engine.train(&mut parameters, &mut state, &batch)?;
//! for _ in 0..100 {
//!     engine.train(&mut parameters, &mut state, &batch)?;
//! }
//! assert!(engine.objective(&parameters, &batch)? < before / 2.0);
//! # Ok(())
//! # }
//! ```

mod check;
#[cfg(test)]
mod counted_tests;
mod data;
mod decisions;
mod engine;
mod kernels;
mod parameters;
mod plan;
mod program;
mod rows;
mod run;
mod scalar;
mod schedule;

use std::fmt;

pub use check::{CheckError, GradientCheck, GradientReport, check_gradients};
pub use data::{Batch, DataError, Values};
pub use engine::{Engine, Gradient, Outputs};
pub use parameters::{Named, Parameters, State};
pub use scalar::Scalar;

/// Why a derivation cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineError {
    /// An intermediate array would be past [`crate::limits::INTERMEDIATE_ELEMENTS`].
    TooLarge {
        /// The tensor whose equation needs it.
        tensor: String,
        /// Its elements, for one example.
        elements: usize,
    },
    /// A tensor is read that nothing computes.
    NotComputed {
        /// The tensor.
        tensor: String,
    },
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EngineError::TooLarge { tensor, elements } => write!(
                f,
                "the equation of {tensor} needs an array of {elements} numbers for each example; {} is the most",
                crate::limits::INTERMEDIATE_ELEMENTS
            ),
            EngineError::NotComputed { tensor } => write!(f, "{tensor} is read, but no equation computes it"),
        }
    }
}

impl std::error::Error for EngineError {}
