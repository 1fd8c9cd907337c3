//! The structs of values, scratch space and state: constants of them, and what builds them in place.

use proc_macro2::TokenStream;
use quote::quote;

use super::Emitter;
use crate::emit::code::{Code, Signed};

impl Emitter<'_> {
    /// Constants of the structs of values, scratch space and state, and what builds them in place.
    pub(super) fn buffer_methods(&self) -> TokenStream {
        let (network, values, scratch) = (&self.options.struct_name, self.type_name("Values"), self.type_name("Scratch"));
        let (work, gradient) = (self.hidden_type_name("Work"), self.hidden_type_name("Gradient"));
        let (value_zeros, work_zeros) = (self.space_zeros(&self.layout.values), self.space_zeros(&self.layout.work));
        let mut gradient_zeros = Code::default();
        let mut gradients = self.plan.gradients.iter().map(|(_, gradient)| (self.layout.field(*gradient), *gradient, 0.0));
        self.write_filled_fields(&mut gradients, &mut gradient_zeros);
        let runtime = &self.options.runtime_path;
        let plain = [network.clone(), values.clone()];
        let noise = self.noise_methods();
        let (means, set_means) = match &self.layout.noises {
            Some(noises) => {
                let of_type = &noises.type_name;
                (quote!(noise: #of_type::MEAN,), quote!(, |scratch: &mut #scratch| scratch.noise.set_means()))
            }
            None => (quote!(), quote!()),
        };
        let state = self.state_methods();
        let batch = self.batch_zero();
        quote! {
            impl #values {
                /// All values 0.
                pub const ZERO: Self = Self { #value_zeros };
            }

            impl #scratch {
                /// Space that was not used yet.
                pub const ZERO: Self = Self {
                    values: #values::ZERO,
                    #means
                    work: #work { #work_zeros },
                    #batch
                    gradient: #gradient { #gradient_zeros },
                };
            }

            impl #network {
                /// The size of what inference needs, [`Self::predict`], in bytes: of its scratch space, not of the parameters.
                pub const VALUES_BYTES: usize = core::mem::size_of::<#values>();
                /// The size of what training needs, in bytes: of the scratch space for losses and gradients, which includes that of inference,
                /// not of parameters and the optimizer's state.
                pub const SCRATCH_BYTES: usize = core::mem::size_of::<#scratch>();
            }

            #(#runtime::__plain!(#plain);)*
            #runtime::__plain!(#scratch #set_means);
            #noise
            #state
        }
    }

    fn state_methods(&self) -> TokenStream {
        if !self.has_training() {
            return TokenStream::new();
        }
        let (runtime, network, state) = (&self.options.runtime_path, &self.options.struct_name, self.type_name("State"));
        let (mut starts, mut resets) = (Code::default(), Code::default());
        let mut states = self.states().map(|(tensor, initial)| (self.layout.field(tensor), tensor, initial));
        self.write_filled_fields(&mut states, &mut starts);
        for (tensor, initial) in self.states() {
            let field = self.layout.field(tensor);
            self.write_fill(tensor, &format_args!("self.{field}"), false, &Signed::unsuffixed(initial), &mut resets);
        }
        let (source, reset_source, seed) = if self.layout.noises.is_some() {
            let source = quote!(random::NoiseSource::new(0));
            let seed = quote! {
                /// Draws noise from the generator of this seed, from its start. Before, the seed is 0.
                pub fn seed_noise(&mut self, seed: u64) {
                    self.noise_source = random::NoiseSource::new(seed);
                }
            };
            (quote!(noise_source: #source,), quote!(self.noise_source = #source;), seed)
        } else {
            Default::default()
        };
        quote! {
            impl #state {
                /// The state before the first update.
                pub const ZERO: Self = Self { updates: 0, #source #starts };

                /// Forgets all updates.
                pub fn reset(&mut self) {
                    self.updates = 0;
                    #reset_source
                    #resets
                }

                #seed
            }

            impl #network {
                /// The size of what the optimizer remembers, in bytes.
                pub const STATE_BYTES: usize = core::mem::size_of::<#state>();
            }

            #runtime::__plain!(#state, |state: &mut #state| state.reset());
        }
    }
}
