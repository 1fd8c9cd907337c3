//! What is drawn for each example.

use proc_macro2::TokenStream;
use quote::quote;

use super::Emitter;
use crate::emit::code::Code;
use crate::equation::TensorId;
use crate::model::Distribution;

impl Emitter<'_> {
    /// How passes take noise, if there is any.
    pub(super) fn noise_parameter(&self) -> Option<TokenStream> {
        self.layout.noises.as_ref().map(|noises| {
            let of_type = &noises.type_name;
            quote!(noise: &#of_type,)
        })
    }

    /// How passes are given noise, if there is any.
    pub(super) fn noise_argument(&self) -> Option<TokenStream> {
        self.layout.noises.as_ref().map(|_| quote!(noise,))
    }

    /// The noise of the scratch space, if there is any.
    pub(super) fn scratch_noise(&self) -> Option<TokenStream> {
        self.layout.noises.as_ref().map(|_| quote!(&mut scratch.noise,))
    }

    /// The mean of noise.
    fn mean(&self, tensor: TensorId) -> f64 {
        let noise = self.derivation.model.noises.iter().find(|noise| noise.tensor == tensor);
        noise.map_or(0.0, |noise| noise.distribution.mean())
    }

    /// The methods of the struct of noise.
    pub(super) fn noise_methods(&self) -> TokenStream {
        let Some(noises) = &self.layout.noises else { return TokenStream::new() };
        let of_type = &noises.type_name;
        let mut means = Code::default();
        self.write_group_value(noises, &|tensor| self.mean(tensor), &mut means);
        let model = &self.derivation.model;
        let draws = self.draws(&mut model.noises.iter().map(|noise| (noise.tensor, noise.distribution)));
        let fills =
            self.draws(&mut model.noises.iter().map(|noise| (noise.tensor, Distribution::Constant(noise.distribution.mean()))));
        quote! {
            impl #of_type {
                /// The means, which take the place of what is drawn where nothing is trained.
                pub const MEAN: Self = #means;

                /// Sets all to the means.
                pub fn set_means(&mut self) { #fills }

                /// Draws all anew.
                fn draw(&mut self, generator: &mut random::Generator) { #draws }
            }
        }
    }
}
