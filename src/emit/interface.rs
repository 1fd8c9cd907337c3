//! How other code speaks of a network's examples: what it needs to fill inputs and read outputs of any net.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::EmitOptions;
use super::tokens::Emitter;
use crate::derivation::Derivation;
use crate::equation::TensorId;

/// The types of one example's tensors.
#[derive(Clone, Debug)]
pub struct Interface {
    /// The inputs.
    pub input: ExampleType,
    /// The targets.
    pub target: ExampleType,
    /// The outputs.
    pub output: ExampleType,
    /// The derivatives of an `objective`.
    pub gradient: Option<ExampleType>,
}

/// A type that holds tensors of one example, in the order of the spec.
#[derive(Clone, Debug)]
pub struct ExampleType {
    /// The type: an array, a scalar, a label, `()`, or the name of a struct.
    pub of_type: TokenStream,
    /// The fields of a struct.
    pub fields: Option<Vec<Ident>>,
}

impl Interface {
    /// The types of what [`super::emit`] gives with the same options.
    pub fn new(derivation: &Derivation, options: &EmitOptions) -> Interface {
        let emitter = Emitter::new(derivation, options);
        let example = |of_type: TokenStream, tensors: &[TensorId]| {
            let fields = (tensors.len() > 1).then(|| tensors.iter().map(|&tensor| emitter.layout.field(tensor)).collect());
            ExampleType { of_type, fields }
        };
        let gradient = derivation.model.objective.as_ref().map(|objective| {
            let name = emitter.type_name("Gradient");
            let fields = objective.by.iter().map(|&tensor| emitter.derivative_field(tensor)).collect();
            ExampleType { of_type: quote!(#name), fields: Some(fields) }
        });
        Interface {
            input: example(emitter.input_type(), &emitter.layout.inputs),
            target: example(emitter.target_type(), &emitter.layout.targets),
            output: example(emitter.output_type(), &emitter.layout.outputs),
            gradient,
        }
    }
}
