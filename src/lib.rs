//! deltarule derives the backpropagation of a network spec symbolically.
//!
//! The macro needs the way from a text to Rust alone. What else there is lies behind features, so that a build with the macro is short:
//! `sheet` has what is read off a derivation for people and what checks it, `generic` the engine at run time, `cli` the command.

#![cfg_attr(not(feature = "sheet"), allow(dead_code, unused_imports, reason = "parts of what is shared serve the sheet alone"))]

#[cfg(feature = "cli")]
pub mod allocations;
#[cfg(feature = "sheet")]
pub mod audit;
pub mod calculus;
#[cfg(feature = "cli")]
pub mod comparison;
#[cfg(feature = "sheet")]
pub mod cost;
#[cfg(feature = "cli")]
pub mod dataset;
pub mod derivation;
pub mod diagnostic;
pub mod emit;
pub mod equation;
#[cfg(feature = "cli")]
pub mod evaluation;
#[cfg(feature = "cli")]
pub mod explain;
#[cfg(feature = "sheet")]
pub mod facts;
#[cfg(feature = "cli")]
pub mod files;
pub mod folding;
#[cfg(feature = "sheet")]
pub mod format;
#[cfg(feature = "generic")]
pub mod generic;
pub mod identity;
pub mod include;
#[cfg(feature = "sheet")]
pub mod jacobian;
pub mod limits;
pub mod model;
pub mod pipeline;
#[cfg(feature = "cli")]
pub mod scratch;
pub mod sheet;
pub mod span;
pub mod syntax;
#[cfg(feature = "sheet")]
pub mod trace;
#[cfg(feature = "cli")]
pub mod training;
#[cfg(feature = "sheet")]
pub mod verify;
#[cfg(feature = "sheet")]
pub mod worked;
