//! What generated code refers to.

pub use core;

/// The functions of the language, for each scalar type a module.
pub mod math {
    pub use crate::math::{MultiplyAdd, f32, f64};
}

/// Contractions in vector registers.
pub mod tile {
    pub use crate::tile::{
        ABREAST, Block, Contraction, Level, Product, Run, Sigmoid, Sizes, Sweep, Tanh, Transpose, Vectors, Windows,
        examples_of_block, gather, gather_labels, limit, of_each, place, place_labels, scatter, vectorized,
    };
}

/// Memory in which several arrays live, one after the other.
pub mod memory {
    pub use crate::shared::{Shared, View, first_rows, first_rows_mut, row, row_mut, view};
}

/// Minibatches that several threads share the work of.
#[cfg(feature = "std")]
pub mod parallel {
    pub use crate::parallel::{blocks, rows};
}

/// The generators of initial values and of noise.
pub mod random {
    pub use crate::random::{Generator, NoiseSource};
}

/// Generated code names this constant: code of another version of the compiler does not build with this runtime.
pub const GENERATED_BY_0_1_0: () = ();

/// What a name of generated code stands for until it is bound: a variable may hide a function, as it may not a constant.
pub fn variable() {}
