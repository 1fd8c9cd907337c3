//! How exact the elementary functions are.
//!
//! Ordinary tests look at some arguments, `cargo test --release -p deltarule --test precision -- --ignored --nocapture` at all of `f32` and
//! at millions of `f64`, and prints the greatest errors.

mod double;
mod double_double;
mod instructions;
mod limits;
mod single;

/// What the functions promise, in units in the last place of the exact result.
const BOUND: f64 = 2.0;
