//! The generic engine against the scalar evaluator, on equations of every form, and what it says of data that do not fit.
#![cfg(feature = "generic")]

mod builder;
mod equations;
mod gradient_and_data;
