//! The runtime's traits over the methods of a network.

use proc_macro2::TokenStream;
use quote::quote;

use super::Emitter;

impl Emitter<'_> {
    pub(super) fn traits(&self) -> TokenStream {
        let (runtime, network, scalar) = (&self.options.runtime_path, &self.options.struct_name, &self.scalar);
        let (input, output, target) = (self.input_type(), self.output_type(), self.target_type());
        let (values, scratch, state) = (self.type_name("Values"), self.type_name("Scratch"), self.type_name("State"));
        let name = &self.derivation.model.name;
        let supervised = self.derivation.model.loss.is_some().then(|| {
            quote! {
                impl #runtime::Supervised for #network {
                    type Target = #target;
                    type Scratch = #scratch;

                    fn forward_slice(&self, inputs: &[#input], targets: &[#target], scratch: &mut #scratch) -> #scalar {
                        #network::forward_slice(self, inputs, targets, scratch)
                    }
                    fn backward_slice(
                        &self, inputs: &[#input], targets: &[#target], gradient: &mut Self, scratch: &mut #scratch,
                    ) -> #scalar {
                        #network::backward_slice(self, inputs, targets, gradient, scratch)
                    }
                    fn objective(&self, mean_loss: #scalar, examples: usize) -> #scalar {
                        #network::objective(self, mean_loss, examples)
                    }
                }
            }
        });
        let trainable = self.has_training().then(|| quote! {
            impl #runtime::Trainable for #network {
                type State = #state;

                fn train_slice(&mut self, inputs: &[#input], targets: &[#target], state: &mut #state, scratch: &mut #scratch) -> #scalar {
                    #network::train_slice(self, inputs, targets, state, scratch)
                }
                fn sum_slice(
                    &self, inputs: &[#input], targets: &[#target], sums: &mut Self, state: &mut #state, scratch: &mut #scratch,
                ) -> #scalar {
                    #network::sum_slice(self, inputs, targets, sums, state, scratch)
                }
                fn update(&mut self, sums: &mut Self, examples: usize, state: &mut #state) {
                    #network::update(self, sums, examples, state);
                }
            }
        });
        let no_target = self.derivation.model.objective.is_some().then(|| self.no_target());
        quote! {
            impl #runtime::Network for #network {
                type Scalar = #scalar;
                type Input = #input;
                type Output = #output;
                type Values = #values;

                const NAME: &'static str = #name;
                const NET_HASH: u64 = #network::NET_HASH;
                const SPEC_HASH: u64 = #network::SPEC_HASH;
                const PARAMETERS: &'static [#runtime::Parameter] = #network::PARAMETERS;
                const ZERO: Self = #network::ZERO;

                fn initialize(&mut self, seed: u64) {
                    #network::initialize(self, seed);
                }
                fn as_slice(&self) -> &[#scalar] {
                    #network::as_slice(self)
                }
                fn as_mut_slice(&mut self) -> &mut [#scalar] {
                    #network::as_mut_slice(self)
                }
                fn predict(&self, input: &#input, output: &mut #output, values: &mut #values) {
                    #network::predict(self, input, output, values);
                }
            }

            #supervised
            #trainable
            #no_target
        }
    }
}
