//! The methods of a spec with `objective … by …`.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};

use super::Emitter;
use crate::emit::code::Code;
use crate::emit::layout::write_array;
use crate::emit::tokens::doc_line;
use crate::equation::TensorId;

impl Emitter<'_> {
    /// The methods of a spec with `objective … by …`.
    pub(super) fn objective_methods(&self) -> TokenStream {
        let Some(objective) = &self.derivation.model.objective else { return TokenStream::new() };
        let (network, scratch, scalar) = (&self.options.struct_name, self.type_name("Scratch"), &self.scalar);
        let (input, gradient, target) = (self.input_type(), self.type_name("Gradient"), self.target_type());
        let value = self.layout.place(&self.plan, objective.value);
        let noise = self.noise_argument();
        let name = &self.plan.context.tensor(objective.value).name;
        let value_lines = self.equations(&[&self.plan.predict[..], &self.plan.loss].concat());
        let gradient_lines = self.equations(&self.plan.backward);
        let evaluate_doc = doc_line(&format!("The value of `{name}`."));
        let gradient_doc = doc_line(&format!("The value of `{name}` and its derivatives."));
        let copies = objective.by.iter().map(|&tensor| {
            let field = self.derivative_field(tensor);
            let adjoint = self.derivation.backward.iter().filter(|adjoint| adjoint.is_computed).find(|adjoint| {
                let role = self.plan.context.tensor(adjoint.equation.target).role;
                role == crate::equation::Role::Adjoint { of: tensor }
            });
            let from = adjoint.map(|adjoint| self.layout.place(&self.plan, adjoint.equation.target).to_token_stream());
            let from = from.unwrap_or_else(|| self.zero(tensor));
            quote!(gradient.#field.clone_from(&#from);)
        });
        let mut zero_fields = Code::default();
        let mut derivatives = objective.by.iter().map(|&tensor| (self.derivative_field(tensor), tensor, 0.0));
        self.write_filled_fields(&mut derivatives, &mut zero_fields);
        let [_, _, vectors] = self.vectors();
        let variables = [("parameters", quote!(#network)), ("input", quote!(#input)), ("scratch", quote!(mut #scratch))];
        let evaluate = quote! {
            let target: &#target = &NO_TARGET;
            let #scratch { values, work, #noise .. } = scratch;
            forward_outputs(#vectors parameters, input, #noise values);
            forward_loss(#vectors parameters, input, target, #noise values, work);
            #value
        };
        let evaluate = self.with_vectors(&variables, scalar, &evaluate);
        let backward = quote! {
            let target: &#target = &NO_TARGET;
            let #scratch { values, work, #noise gradient: sums } = scratch;
            backward_example(#vectors parameters, input, target, #noise values, work, &mut Gradient::in_scratch(sums));
            #(#copies)*
        };
        let variables = [&variables[..], &[("gradient", quote!(mut #gradient))]].concat();
        let backward = self.with_vectors(&variables, &quote!(()), &backward);
        quote! {
            impl #gradient {
                /// All derivatives 0.
                pub const ZERO: Self = Self { #zero_fields };
            }

            impl #network {
                #[doc = #evaluate_doc]
                ///
                #(#[doc = #value_lines])*
                pub fn evaluate(&self, input: &#input, scratch: &mut #scratch) -> #scalar {
                    let parameters = self;
                    #evaluate
                }

                #[doc = #gradient_doc]
                ///
                #(#[doc = #gradient_lines])*
                pub fn gradient(&self, input: &#input, gradient: &mut #gradient, scratch: &mut #scratch) -> #scalar {
                    let value = self.evaluate(input, scratch);
                    let parameters = self;
                    #backward
                    value
                }
            }
        }
    }

    /// An objective is a function of inputs and parameters; where its spec declares targets all the same, they are 0.
    pub(super) fn no_target(&self) -> TokenStream {
        let target = self.target_type();
        let zero = match &self.layout.targets[..] {
            [] => quote!(()),
            [single] => self.label_or_zero(*single),
            several => {
                let fields: Vec<(Ident, TokenStream)> =
                    several.iter().map(|&tensor| (self.layout.field(tensor), self.label_or_zero(tensor))).collect();
                let fields = fields.iter().map(|(field, zero)| quote!(#field: #zero));
                quote!(#target { #(#fields),* })
            }
        };
        quote!(static NO_TARGET: #target = #zero;)
    }

    fn label_or_zero(&self, tensor: TensorId) -> TokenStream {
        let described = self.plan.context.tensor(tensor);
        if !described.label {
            return self.zero(tensor);
        }
        let leading = &described.shape[..described.shape.len().saturating_sub(1)];
        let mut code = Code::default();
        write_array(&"0", leading, &mut code);
        code.to_token_stream()
    }

    fn zero(&self, tensor: TensorId) -> TokenStream {
        let mut code = Code::default();
        self.write_filled(tensor, 0.0, &mut code);
        code.to_token_stream()
    }
}
