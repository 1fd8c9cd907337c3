//! What several tests share: specs by the table, and numbers without a pattern.
// Each test file is a crate of its own and uses a part of this.
#![allow(dead_code)]

pub(crate) mod data;
pub(crate) mod graphs;
pub(crate) mod modules;
pub(crate) mod random;
pub(crate) mod specs;

use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::pipeline::compile;
use ndarray::{ArrayD, IxDyn};

/// Compiles a spec that is right, or shows the messages that a user would see.
#[track_caller]
pub(crate) fn derivation(name: &str, text: &str) -> Derivation {
    match compile(name, text) {
        Ok(compiled) => compiled.derivation,
        Err(messages) => panic!("{name} is refused:\n{}\n{text}", messages.render()),
    }
}

/// Numbers between -1 and 1 without a pattern.
pub(crate) fn numbers(shape: &[usize], seed: f64) -> ArrayD<f64> {
    let mut at = seed;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        at += 1.0;
        (at * 12.9898).sin()
    })
}
