//! Outputs, losses, gradients and steps of training: the passes as methods.

use proc_macro2::TokenStream;
use quote::quote;

use super::Emitter;
use crate::emit::code::Code;
use crate::emit::tokens::call;

impl Emitter<'_> {
    pub(super) fn predict_methods(&self) -> TokenStream {
        let (network, values) = (&self.options.struct_name, self.type_name("Values"));
        let (input, output) = (self.input_type(), self.output_type());
        let lines = self.equations(&self.plan.predict);
        let means = self.layout.noises.as_ref().map(|noises| {
            let of_type = &noises.type_name;
            quote!(&#of_type::MEAN,)
        });
        let copies = self.layout.outputs.iter().map(|&tensor| {
            let from = self.layout.place(&self.plan, tensor);
            let field = self.layout.field(tensor);
            let to = if self.layout.outputs.len() == 1 { quote!(output) } else { quote!(output.#field) };
            quote!(#to.clone_from(&#from);)
        });
        let variables = [("parameters", quote!(#network)), ("input", input.clone()), ("values", quote!(mut #values))];
        let [_, _, vectors] = self.vectors();
        let forward =
            self.with_vectors(&variables, &quote!(()), &quote!(forward_outputs(#vectors parameters, input, #means values);));
        quote! {
            impl #network {
                /// The outputs for one input.
                ///
                #(#[doc = #lines])*
                pub fn predict(&self, input: &#input, output: &mut #output, values: &mut #values) {
                    let parameters = self;
                    #forward
                    #(#copies)*
                }

                /// The outputs for each input; of inputs and outputs the shorter slice counts.
                pub fn predict_slice(&self, inputs: &[#input], outputs: &mut [#output], values: &mut #values) {
                    for (input, output) in inputs.iter().zip(outputs) {
                        self.predict(input, output, values);
                    }
                }
            }
        }
    }

    pub(super) fn learning_methods(&self) -> TokenStream {
        let Some(loss) = self.derivation.model.loss else { return TokenStream::new() };
        let (network, scratch, scalar) = (&self.options.struct_name, self.type_name("Scratch"), &self.scalar);
        let (input, target) = (self.input_type(), self.target_type());
        let loss = self.layout.place(&self.plan, loss);
        let noise = self.noise_argument();
        let (drawn, keep) = (self.scratch_noise(), self.layout.noises.is_some().then(|| quote!(|_| (),)));
        let [_, _, vectors] = self.vectors();
        let accumulate = match &self.plan.batch {
            Some(_) => {
                let copy = self.layout.noises.as_ref().map(|_| quote!(|drawn| drawn.clone_from(&scratch.noise),));
                quote!(accumulate(#vectors parameters, inputs, targets, #copy &mut scratch.batch, gradient))
            }
            None => {
                quote!(accumulate(
                    #vectors parameters, inputs, targets, #drawn #keep &mut scratch.values, &mut scratch.work, gradient
                ))
            }
        };
        let variables = [
            ("parameters", quote!(#network)),
            ("input", input.clone()),
            ("target", target.clone()),
            ("scratch", quote!(mut #scratch)),
        ];
        let forward = quote! {
            let #scratch { values, work, #noise .. } = scratch;
            forward_outputs(#vectors parameters, input, #noise values);
            forward_loss(#vectors parameters, input, target, #noise values, work);
            #loss
        };
        let forward = self.with_vectors(&variables, scalar, &forward);
        let variables = [
            ("parameters", quote!(#network)),
            ("inputs", quote!([#input])),
            ("targets", quote!([#target])),
            ("gradient", quote!(mut #network)),
            ("scratch", quote!(mut #scratch)),
        ];
        let backward = quote! {
            let examples = inputs.len().min(targets.len());
            gradient.as_mut_slice().fill(0.0);
            let gradient = &mut Gradient::in_network(gradient);
            let loss = #accumulate;
            finish_gradient(#vectors parameters, gradient, examples);
            loss
        };
        let backward = self.with_vectors(&variables, scalar, &backward);
        let forward_lines = self.equations(&[&self.plan.predict[..], &self.plan.loss].concat());
        let backward_lines = self.equations(&[&self.plan.backward[..], &self.plan.gradient].concat());
        let objective = self.plan.objective.map(|kernel| {
            let constants = self.constants_for(&[kernel]);
            let mut call = Code::default();
            let place = |tensor| self.layout.place(&self.plan, tensor);
            call::call(&self.plan, &self.plan.kernels[kernel], self.options.scalar, place, &mut call);
            quote!(#constants #call)
        });
        quote! {
            impl #network {
                /// The loss of one example, without regularizers.
                ///
                #(#[doc = #forward_lines])*
                pub fn forward(&self, input: &#input, target: &#target, scratch: &mut #scratch) -> #scalar {
                    let parameters = self;
                    #forward
                }

                /// The mean loss, without regularizers. The shorter slice counts; of no examples the mean is 0.
                pub fn forward_slice(&self, inputs: &[#input], targets: &[#target], scratch: &mut #scratch) -> #scalar {
                    let mut total = 0.0_f64;
                    let mut examples = 0_usize;
                    for (input, target) in inputs.iter().zip(targets) {
                        total += self.forward(input, target, scratch) as f64;
                        examples += 1;
                    }
                    (total / examples.max(1) as f64) as #scalar
                }

                /// The loss of one example, and the gradient of the objective, regularizers included. A parameter that is not trained
                /// has gradient 0.
                ///
                #(#[doc = #backward_lines])*
                pub fn backward(&self, input: &#input, target: &#target, gradient: &mut Self, scratch: &mut #scratch) -> #scalar {
                    self.backward_slice(core::slice::from_ref(input), core::slice::from_ref(target), gradient, scratch)
                }

                /// The mean loss of a minibatch, and the gradient of its objective, regularizers included. The shorter slice counts; without
                /// examples nothing happens, and the result is 0.
                pub fn backward_slice(
                    &self,
                    inputs: &[#input],
                    targets: &[#target],
                    gradient: &mut Self,
                    scratch: &mut #scratch,
                ) -> #scalar {
                    if inputs.is_empty() || targets.is_empty() {
                        return 0.0;
                    }
                    let parameters = self;
                    #backward
                }

                /// The objective of a minibatch of so many examples: their mean loss with the regularizers.
                pub fn objective(&self, mean_loss: #scalar, examples: usize) -> #scalar {
                    let parameters = self;
                    let batch_size = examples as f64;
                    #objective
                }
            }
        }
    }

    pub(super) fn training_methods(&self) -> TokenStream {
        let (network, scratch, scalar) = (&self.options.struct_name, self.type_name("Scratch"), &self.scalar);
        let (input, target, state) = (self.input_type(), self.target_type(), self.type_name("State"));
        let lines = self.equations(&self.plan.update);
        let noise = self.noise_argument();
        let draw = self.layout.noises.is_some().then(|| quote!(|noise| noise.draw(state.noise_source.generator()),));
        let is_batch = self.plan.batch.is_some();
        let means = self.layout.noises.is_some() && !is_batch;
        let means = means.then(|| quote!(noise.set_means();));
        let noise = noise.filter(|_| !is_batch);
        let (fields, arguments) = if is_batch {
            (quote!(batch,), quote!(#draw batch,))
        } else {
            (quote!(values, work,), quote!(#noise #draw values, work,))
        };
        let [_, _, vectors] = self.vectors();
        let step = if self.trains_in_tiles() {
            quote! {
                let #scratch { batch, gradient, .. } = scratch;
                let gradient = &mut Gradient::in_scratch(gradient);
                train_batch(vectors, parameters, inputs, targets, state, batch, gradient)
            }
        } else {
            quote! {
                let #scratch { #fields gradient, #noise .. } = scratch;
                let gradient = &mut Gradient::in_scratch(gradient);
                let examples = inputs.len().min(targets.len());
                let loss = accumulate(#vectors parameters, inputs, targets, #arguments gradient);
                #means
                update(#vectors parameters, gradient, state, examples);
                loss
            }
        };
        // One example has a function of its own, whose stack is small.
        let one = self.plan.single.as_ref().map(|_| {
            quote! {
                if let ([input], [target, ..]) | ([input, ..], [target]) = (inputs, targets) {
                    return self.train(input, target, state, scratch);
                }
            }
        });
        let variables = [
            ("parameters", quote!(mut #network)),
            ("input", quote!(#input)),
            ("target", quote!(#target)),
            ("state", quote!(mut #state)),
            ("scratch", quote!(mut #scratch)),
        ];
        let train = match &self.plan.single {
            Some(_) => {
                let step = quote!(train_one(#vectors parameters, input, target, state, scratch));
                let step = self.with_vectors(&variables, scalar, &step);
                quote!(let parameters = self; #step)
            }
            None => quote!(self.train_slice(core::slice::from_ref(input), core::slice::from_ref(target), state, scratch)),
        };
        let variables = [
            ("parameters", quote!(mut #network)),
            ("inputs", quote!([#input])),
            ("targets", quote!([#target])),
            ("state", quote!(mut #state)),
            ("scratch", quote!(mut #scratch)),
        ];
        let step = self.with_vectors(&variables, scalar, &step);
        quote! {
            impl #network {
                /// Learns from one example: forward, backward, and one update. The loss before the update.
                ///
                #(#[doc = #lines])*
                pub fn train(&mut self, input: &#input, target: &#target, state: &mut #state, scratch: &mut #scratch) -> #scalar {
                    #train
                }

                /// Learns from a minibatch: forward and backward for each example, and one update. The mean loss before the update. The
                /// shorter slice counts; without examples nothing happens, and the result is 0.
                pub fn train_slice(
                    &mut self,
                    inputs: &[#input],
                    targets: &[#target],
                    state: &mut #state,
                    scratch: &mut #scratch,
                ) -> #scalar {
                    if inputs.is_empty() || targets.is_empty() {
                        return 0.0;
                    }
                    #one
                    let parameters = self;
                    #step
                }
            }
        }
    }
}
