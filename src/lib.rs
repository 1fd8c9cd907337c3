//! deltarule derives the backpropagation of a network spec symbolically.

#[cfg(feature = "cli")]
pub mod allocations;
pub mod audit;
pub mod calculus;
#[cfg(feature = "cli")]
pub mod dataset;
pub mod derivation;
pub mod diagnostic;
pub mod emit;
pub mod equation;
#[cfg(feature = "cli")]
pub mod files;
#[cfg(feature = "generic")]
pub mod generic;
pub mod identity;
pub mod limits;
pub mod model;
pub mod pipeline;
pub mod sheet;
pub mod span;
pub mod syntax;
