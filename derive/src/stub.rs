//! What stands in for a network whose spec has errors, so that only those errors are reported.

use deltarule_compiler::emit::ScalarType;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ItemStruct;

/// The struct with the names that a network always has. The methods take anything and do nothing.
pub(crate) fn stub(structure: &ItemStruct, scalar: ScalarType) -> TokenStream {
    let scalar = format_ident!("{}", scalar.name());
    let (name, visibility, attributes) = (&structure.ident, &structure.vis, &structure.attrs);
    let (values, scratch, state) = (format_ident!("{name}Values"), format_ident!("{name}Scratch"), format_ident!("{name}State"));
    quote! {
        #(#attributes)*
        #[allow(missing_docs)]
        #[derive(Clone, Debug, PartialEq)]
        #visibility struct #name {}
        #[allow(missing_docs)]
        #[derive(Clone, Debug, PartialEq)]
        #visibility struct #values {}
        #[allow(missing_docs)]
        #[derive(Clone, Debug, PartialEq)]
        #visibility struct #scratch { pub values: #values }
        #[allow(missing_docs)]
        #[derive(Clone, Debug, PartialEq)]
        #visibility struct #state { pub updates: u64 }

        #[allow(missing_docs, unused, clippy::all, clippy::pedantic)]
        const _: () = {
            impl #values {
                pub const ZERO: Self = Self {};
            }
            impl #scratch {
                pub const ZERO: Self = Self { values: #values::ZERO };
            }
            impl #state {
                pub const ZERO: Self = Self { updates: 0 };
            }
            impl #name {
                pub const ZERO: Self = Self {};
                pub const PARAMETER_COUNT: usize = 0;
                pub const VALUES_BYTES: usize = 0;
                pub const SCRATCH_BYTES: usize = 0;
                pub const STATE_BYTES: usize = 0;
                pub const SPEC_HASH: u64 = 0;
                pub fn initialize(&mut self, seed: u64) {}
                pub fn as_slice(&self) -> &[#scalar] {
                    &[]
                }
                pub fn as_mut_slice(&mut self) -> &mut [#scalar] {
                    &mut []
                }
                pub fn predict<I: ?Sized, O: ?Sized>(&self, input: &I, output: &mut O, values: &mut #values) {}
                pub fn predict_slice<I: ?Sized, O: ?Sized>(&self, inputs: &I, outputs: &mut O, values: &mut #values) {}
                pub fn forward<I: ?Sized, T: ?Sized>(&self, input: &I, target: &T, scratch: &mut #scratch) -> #scalar {
                    0.0
                }
                pub fn forward_slice<I: ?Sized, T: ?Sized>(&self, inputs: &I, targets: &T, scratch: &mut #scratch) -> #scalar {
                    0.0
                }
                pub fn backward<I: ?Sized, T: ?Sized>(
                    &self, input: &I, target: &T, gradient: &mut Self, scratch: &mut #scratch,
                ) -> #scalar {
                    0.0
                }
                pub fn backward_slice<I: ?Sized, T: ?Sized>(
                    &self, inputs: &I, targets: &T, gradient: &mut Self, scratch: &mut #scratch,
                ) -> #scalar {
                    0.0
                }
                pub fn objective(&self, mean_loss: #scalar, examples: usize) -> #scalar {
                    0.0
                }
                pub fn train<I: ?Sized, T: ?Sized>(
                    &mut self, input: &I, target: &T, state: &mut #state, scratch: &mut #scratch,
                ) -> #scalar {
                    0.0
                }
                pub fn train_slice<I: ?Sized, T: ?Sized>(
                    &mut self, inputs: &I, targets: &T, state: &mut #state, scratch: &mut #scratch,
                ) -> #scalar {
                    0.0
                }
                pub fn sum_slice<I: ?Sized, T: ?Sized>(
                    &self, inputs: &I, targets: &T, sums: &mut Self, state: &mut #state, scratch: &mut #scratch,
                ) -> #scalar {
                    0.0
                }
                pub fn update(&mut self, sums: &mut Self, examples: usize, state: &mut #state) {}
            }
        };
    }
}
