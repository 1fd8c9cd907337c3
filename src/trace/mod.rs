//! A network as a circuit of scalar operations, as lectures draw it: the value of each gate, and the derivative of the result by it.
//!
//! [`trace`] takes the forward equations apart into elementary operations at one example, then goes back through the gates in
//! reverse order. What a gate passes on is the derivative of its operation by the rules of [`crate::calculus`], so that a circuit
//! is a second way to what the derivation says: the adjoints of named tensors agree.

mod adjoints;
mod build;
mod circuit;
#[cfg(feature = "cli")]
mod draw;
mod elements;
mod error;
mod given;
#[cfg(feature = "cli")]
mod layout;
mod parts;
mod rules;
mod text;

pub use circuit::{Circuit, Detail, Gate, Operation};
#[cfg(feature = "cli")]
pub(crate) use draw::{Note, draw};
pub use error::TraceError;
pub use given::Given;
pub(crate) use given::tensors;
pub use text::digits;

use crate::derivation::Derivation;

/// The circuit of a model at one example. Without a `detail`, operations where these are few enough, else elements of tensors.
///
/// # Errors
/// Where a tensor has no value, or the circuit is past the bounds of [`crate::limits`].
pub fn trace(derivation: &Derivation, given: &Given, detail: Option<Detail>) -> Result<Circuit, TraceError> {
    given.complete(&derivation.model)?;
    let mut circuit = match detail {
        Some(detail) => build::build(derivation, given, detail)?,
        None => match build::build(derivation, given, Detail::Operations) {
            Err(TraceError::TooLarge { .. }) => build::build(derivation, given, Detail::Elements)?,
            built => built?,
        },
    };
    adjoints::propagate(&mut circuit, derivation);
    Ok(circuit)
}
