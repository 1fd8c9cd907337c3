//! The two halves of a step of training, between which machines that share a minibatch add up what each has summed.

use proc_macro2::TokenStream;
use quote::quote;

use super::Emitter;

impl Emitter<'_> {
    /// The methods that `train_slice` is made of, for sums that come from elsewhere too.
    pub(super) fn half_methods(&self) -> TokenStream {
        let (network, scratch, scalar) = (&self.options.struct_name, self.type_name("Scratch"), &self.scalar);
        let (input, target, state) = (self.input_type(), self.target_type(), self.type_name("State"));
        let noise = self.noise_argument();
        let draw = noise.is_some().then(|| quote!(|noise| noise.draw(state.noise_source.generator()),));
        let (fields, arguments, means) = match &self.plan.batch {
            Some(_) => (quote!(batch,), quote!(#draw batch), None),
            None => {
                let means = noise.is_some().then(|| quote!(noise.set_means();));
                (quote!(values, work, #noise), quote!(#noise #draw values, work), means)
            }
        };
        let [_, _, vectors] = self.vectors();
        let variables = [
            ("parameters", quote!(#network)),
            ("inputs", quote!([#input])),
            ("targets", quote!([#target])),
            ("sums", quote!(mut #network)),
            ("state", quote!(mut #state)),
            ("scratch", quote!(mut #scratch)),
        ];
        let sum = quote! {
            let gradient = &mut Gradient::in_network(sums);
            let #scratch { #fields .. } = scratch;
            let loss = accumulate(#vectors parameters, inputs, targets, #arguments, gradient);
            #means
            loss
        };
        let sum = self.with_vectors(&variables, scalar, &sum);
        let variables = [
            ("parameters", quote!(mut #network)),
            ("sums", quote!(mut #network)),
            ("state", quote!(mut #state)),
            ("examples", quote!(usize)),
        ];
        let update = quote!(update(#vectors parameters, &mut Gradient::in_network(sums), state, *examples););
        let update = self.with_vectors(&variables, &quote!(()), &update);
        quote! {
            impl #network {
                /// The first half of [`Self::train_slice`]: `sums` becomes the sum over the examples of the derivatives of their losses. The mean
                /// loss; without examples, 0 and sums of 0.
                ///
                /// Machines that share a minibatch add up their sums, which are one slice, and go on with [`Self::update`]. Of the state
                /// only the source of noise is used.
                pub fn sum_slice(
                    &self,
                    inputs: &[#input],
                    targets: &[#target],
                    sums: &mut Self,
                    state: &mut #state,
                    scratch: &mut #scratch,
                ) -> #scalar {
                    sums.as_mut_slice().fill(0.0);
                    if inputs.is_empty() || targets.is_empty() {
                        return 0.0;
                    }
                    let parameters = self;
                    #sum
                }

                /// The second half of [`Self::train_slice`]: one update from the sums of [`Self::sum_slice`] over so many examples. What
                /// `sums` holds afterwards has no meaning. Without examples nothing happens.
                pub fn update(&mut self, sums: &mut Self, examples: usize, state: &mut #state) {
                    if examples > 0 {
                        let (parameters, examples) = (self, &examples);
                        #update
                    }
                }
            }
        }
    }
}
