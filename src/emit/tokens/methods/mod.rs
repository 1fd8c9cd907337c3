//! The methods of a network, and the runtime's traits over them.

mod buffers;
mod halves;
mod learning;
mod network;
mod objective;
mod traits;

use proc_macro2::TokenStream;
use quote::quote;

use super::Emitter;
use crate::emit::layout::tensor_type;
use crate::equation::TensorId;

impl Emitter<'_> {
    /// The type of an example's inputs.
    pub(in crate::emit) fn input_type(&self) -> TokenStream {
        self.example_type(&self.layout.inputs, "Input")
    }

    /// The type of an example's targets.
    pub(in crate::emit) fn target_type(&self) -> TokenStream {
        self.example_type(&self.layout.targets, "Target")
    }

    pub(in crate::emit) fn output_type(&self) -> TokenStream {
        self.example_type(&self.layout.outputs, "Output")
    }

    fn example_type(&self, tensors: &[TensorId], suffix: &str) -> TokenStream {
        match tensors {
            [] => quote!(()),
            [single] => tensor_type(self.plan.context.tensor(*single), &self.scalar),
            _ => {
                let name = self.type_name(suffix);
                quote!(#name)
            }
        }
    }

    pub(super) fn methods(&self) -> TokenStream {
        let network = self.network_methods();
        let predict = self.predict_methods();
        let buffers = self.buffer_methods();
        let traits = self.traits();
        let learning = if self.derivation.model.loss.is_some() { self.learning_methods() } else { TokenStream::new() };
        let training = if self.has_training() { self.training_methods() } else { TokenStream::new() };
        let halves = if self.has_training() { self.half_methods() } else { TokenStream::new() };
        let objective = self.objective_methods();
        quote!(#network #predict #learning #training #halves #objective #buffers #traits)
    }

    /// The numbered equations of kernels, for a method's documentation.
    fn equations(&self, kernels: &[usize]) -> Vec<String> {
        self.lines.of_kernels(kernels.iter().map(|&kernel| &self.plan.kernels[kernel]))
    }
}
