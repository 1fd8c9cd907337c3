//! The parameters of a network: what they are, how they begin, and all of them in a row.

use std::fmt::Display;

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::Emitter;
use crate::emit::access::Access;
use crate::emit::code::{Code, Signed};
use crate::emit::layout::{Group, Member, tensor_type};
use crate::equation::TensorId;
use crate::identity;
use crate::model::Distribution;

impl Emitter<'_> {
    pub(super) fn network_methods(&self) -> TokenStream {
        let (runtime, network, scalar) = (&self.options.runtime_path, &self.options.struct_name, &self.scalar);
        let mut zero = Code::default();
        self.write_group_value(&self.layout.parameters, &|_| 0.0, &mut zero);
        let mut table = Vec::new();
        let mut count = 0;
        self.table(&self.layout.parameters, &mut count, &mut table);
        let parameter_count = Literal::usize_unsuffixed(count);
        let model = &self.derivation.model;
        let [net, spec] = identity::hashes(model).map(Literal::u64_unsuffixed);
        let initialize = self.initialize();
        let last = self.layout.parameters.members.last().map(|(field, member)| {
            let of_type = match member {
                Member::Tensor(tensor) => tensor_type(self.plan.context.tensor(*tensor), scalar),
                Member::Group(group) => {
                    let name = &group.type_name;
                    quote!(#name)
                }
            };
            quote!(, #field: #of_type)
        });
        quote! {
            #runtime::__contiguous!(#network, #scalar, #parameter_count #last);

            impl #network {
                /// How many scalars the parameters are.
                pub const PARAMETER_COUNT: usize = #parameter_count;
                /// The parameters in the order of [`Self::as_slice`].
                pub const PARAMETERS: &'static [#runtime::Parameter] = &[#(#table),*];
                /// A hash of data, parameters and forward equations: where it is the same, parameters of one network fit the other.
                pub const NET_HASH: u64 = #net;
                /// A hash of all that the spec means, with initial values, regularizers and optimizers.
                pub const SPEC_HASH: u64 = #spec;
                /// All parameters 0.
                pub const ZERO: Self = #zero;

                /// Draws the parameters from their distributions. The same seed gives the same parameters, everywhere.
                pub fn initialize(&mut self, seed: u64) {
                    let mut generator = random::Generator::new(seed);
                    #initialize
                }

                /// All parameters in a row.
                #[inline]
                pub fn as_slice(&self) -> &[#scalar] {
                    #runtime::Contiguous::scalars(self)
                }

                /// All parameters in a row, to be changed.
                #[inline]
                pub fn as_mut_slice(&mut self) -> &mut [#scalar] {
                    #runtime::Contiguous::scalars_mut(self)
                }
            }
        }
    }

    /// The table of parameters, in the order in which they lie in memory.
    fn table(&self, group: &Group, offset: &mut usize, table: &mut Vec<TokenStream>) {
        let runtime = &self.options.runtime_path;
        for (_, member) in &group.members {
            match member {
                Member::Group(group) => self.table(group, offset, table),
                Member::Tensor(tensor) => {
                    let tensor = self.plan.context.tensor(*tensor);
                    let name = &tensor.name;
                    let shape = tensor.shape.iter().map(|&extent| Literal::usize_unsuffixed(extent));
                    let at = Literal::usize_unsuffixed(*offset);
                    table.push(quote!(#runtime::Parameter { name: #name, shape: &[#(#shape),*], offset: #at }));
                    *offset += tensor.size();
                }
            }
        }
    }

    fn initialize(&self) -> Code {
        let parameters = &self.derivation.model.parameters;
        self.draws(&mut parameters.iter().map(|parameter| (parameter.tensor, parameter.initial)))
    }

    /// Draws tensors that are fields of `self` from their distributions, in order.
    pub(in crate::emit::tokens) fn draws(&self, tensors: &mut dyn Iterator<Item = (TensorId, Distribution)>) -> Code {
        let mut code = Code::default();
        for (tensor, distribution) in tensors {
            let place = Access::variable("self").fields(self.layout.path(tensor));
            let mut draw = |name: &str, numbers: &dyn Display| {
                code.add(format_args!("generator.{name}("));
                code.push(if self.plan.context.tensor(tensor).shape.len() == 1 { "&mut " } else { "" });
                self.write_elements(tensor, &place, false, &mut code);
                code.add(format_args!(", {numbers});\n"));
            };
            match distribution {
                Distribution::Constant(value) => {
                    let value = format!("{} as {}", Signed::suffixed(value), self.options.scalar.name());
                    self.write_fill(tensor, &place, false, &value, &mut code);
                }
                Distribution::Bernoulli(probability) => draw("bernoulli", &Signed::suffixed(probability)),
                Distribution::Uniform { low, high } => {
                    draw("uniform", &format_args!("{}, {}", Signed::suffixed(low), Signed::suffixed(high)));
                }
                Distribution::Normal { mean, deviation } => {
                    draw("normal", &format_args!("{}, {}", Signed::suffixed(mean), Signed::suffixed(deviation)));
                }
            }
        }
        code
    }
}
