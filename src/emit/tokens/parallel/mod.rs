//! What the runtime needs to split a minibatch over threads. Without its feature `std`, the runtime makes nothing of it.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::{Emitter, call, tile};
use crate::emit::code::Code;
use crate::emit::layout::{is_scalar, tensor_type};
use crate::emit::plan::Kernel;
use crate::equation::{Node, ReduceKind};

mod rows;

pub(super) use rows::some_rows;

/// Multiplications in a block of examples that pay for handing it to another thread.
const LEAST_WORK: usize = 1 << 20;
/// How often a block must use each parameter, so that adding up gradients takes little beside it.
const LEAST_USES: usize = 64;
/// Elements of parameters that a thread updates before the next asks for work.
const UPDATED: usize = 1 << 14;
/// A block has at most as many examples.
const MOST_EXAMPLES: usize = 1024;

/// The name of the function that has several threads update rows.
fn together(kernel: &Kernel) -> Ident {
    format_ident!("together_{}", kernel.function)
}

impl Emitter<'_> {
    /// The number of examples in a block: a power of two that follows from the net alone.
    fn examples_of_a_block(&self) -> usize {
        let context = &self.derivation.model.context;
        let mut work = 1;
        for equation in &self.derivation.forward {
            let mut terms = 0;
            context.visit(equation.computed, &mut |context, part| {
                if let Node::Reduce { kind: ReduceKind::Sum, indices, .. } = context.node(part) {
                    terms += indices.iter().map(|&index| context.index_of(index).extent()).product::<usize>();
                }
            });
            work += terms.saturating_mul(self.plan.size(equation.target));
        }
        let parameters: usize = self.plan.gradients.iter().map(|(parameter, _)| self.plan.size(*parameter)).sum();
        let examples = (LEAST_USES * parameters / work).max(LEAST_WORK / work).clamp(1, MOST_EXAMPLES);
        examples.next_power_of_two()
    }

    /// An update of all parameters; where parts of rows may be updated by themselves, by several threads.
    fn shared_update(&self) -> TokenStream {
        let network = &self.options.struct_name;
        let kernels: Vec<_> = self.plan.update.iter().map(|&kernel| &self.plan.kernels[kernel]).collect();
        let is_over_rows = |tensor: &_| tile::row_of(&self.plan, *tensor).is_some();
        if !self.plan.update_is_fused || !kernels.iter().all(|kernel| kernel.writes.iter().all(is_over_rows)) {
            return quote!(#network::update(self, sums, examples, state););
        }
        let constants = self.constants_for(&self.plan.update);
        let functions = kernels.iter().map(|kernel| kernel.function).collect::<BTreeSet<_>>();
        let functions = functions.into_iter().map(|function| self.update_in_parts(&self.plan.kernels[function]));
        let mut updates = Code::default();
        for kernel in kernels {
            updates.add(format_args!("{}(", together(kernel)));
            for argument in call::arguments(kernel) {
                let place = |tensor| self.layout.place(&self.plan, tensor);
                argument.write(&self.plan, kernel, self.options.scalar, place, &mut updates);
                updates.push(",");
            }
            updates.push(");\n");
        }
        let runtime = &self.options.runtime_path;
        quote! {
            use #runtime::rayon::prelude::*;

            let gradient = &mut Gradient::in_network(sums);
            let parameters = self;
            state.updates = state.updates.wrapping_add(1);
            let update_number = state.updates as f64;
            let batch_size = examples as f64;
            #constants
            #(#functions)*
            #updates
        }
    }

    /// A function that updates rows with several threads, each a part of them.
    fn update_in_parts(&self, kernel: &Kernel) -> TokenStream {
        let (update, together) = (super::identifier(&kernel.name), together(kernel));
        let scalar = if kernel.in_double { quote!(f64) } else { self.scalar.clone() };
        let (mut parameters, mut rows, mut names, mut passed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (at, argument) in call::arguments(kernel).enumerate() {
            let (name, tensor) = (format_ident!("argument_{at}"), self.plan.context.tensor(argument.tensor));
            passed.push(name.clone());
            if tile::row_of(&self.plan, argument.tensor).is_none() {
                let of_type = tensor_type(tensor, &scalar);
                let borrow = (!is_scalar(tensor)).then(|| quote!(&));
                parameters.push(quote!(#name: #borrow #of_type));
                continue;
            }
            let elements = Literal::usize_unsuffixed(UPDATED);
            if argument.is_written {
                parameters.push(quote!(#name: &mut [#scalar]));
                rows.push(quote!(#name.par_chunks_mut(#elements)));
            } else {
                parameters.push(quote!(#name: &[#scalar]));
                rows.push(quote!(#name.par_chunks(#elements)));
            }
            names.push(name);
        }
        let mut rows = rows.into_iter();
        let first = rows.next();
        let mut names = names.into_iter();
        let first_name = names.next();
        let pattern = names.fold(quote!(#first_name), |pattern, name| quote!((#pattern, #name)));
        quote! {
            fn #together(#(#parameters),*) {
                #first #(.zip(#rows))*.for_each(|#pattern| tile::vectorized(#update(#(#passed),*)));
            }
        }
    }

    /// What draws a seed for the noise of a block.
    fn block_seed(&self) -> TokenStream {
        if self.layout.noises.is_some() { quote!(state.noise_source.generator().seed()) } else { quote!(0) }
    }

    /// The blocks of a minibatch.
    pub(super) fn parallel(&self) -> TokenStream {
        if !self.has_training() {
            return TokenStream::new();
        }
        if let Some(in_rows) = self.parallel_in_rows() {
            return in_rows;
        }
        let (runtime, network, scratch) = (&self.options.runtime_path, &self.options.struct_name, self.type_name("Scratch"));
        let (input, target, state) = (self.input_type(), self.target_type(), self.type_name("State"));
        let examples = Literal::usize_unsuffixed(self.examples_of_a_block());
        let update = self.shared_update();
        let has_noise = self.layout.noises.is_some();
        let seed = self.block_seed();
        let generator = has_noise.then(|| quote!(let mut generator = random::Generator::new(seed);));
        let draw = has_noise.then(|| quote!(|noise| noise.draw(&mut generator),));
        let (fields, arguments, means) = match self.plan.batch {
            Some(_) => (quote!(batch,), quote!(#draw batch,), None),
            None => {
                let noise = self.noise_argument();
                let means = has_noise.then(|| quote!(noise.set_means();));
                (quote!(values, work, #noise), quote!(#noise #draw values, work,), means)
            }
        };
        let [_, _, vectors] = self.vectors();
        let variables = [
            ("parameters", quote!(#network)),
            ("inputs", quote!([#input])),
            ("targets", quote!([#target])),
            ("seed", quote!(u64)),
            ("gradient", quote!(mut #network)),
            ("scratch", quote!(mut #scratch)),
        ];
        let sum = quote! {
            let seed = *seed;
            let #scratch { #fields .. } = scratch;
            #generator
            let mean = accumulate(#vectors parameters, inputs, targets, #arguments &mut Gradient::in_network(gradient));
            #means
            mean as f64 * inputs.len() as f64
        };
        let sum = self.with_vectors(&variables, &quote!(f64), &sum);
        quote! {
            #runtime::__parallel! {
                blocks,
                #network,
                impl #runtime::__private::parallel::blocks::Split for #network {
                    const EXAMPLES: usize = #examples;

                    fn seed(state: &mut #state) -> u64 { #seed }

                    fn sum_block(
                        &self,
                        inputs: &[#input],
                        targets: &[#target],
                        seed: u64,
                        gradient: &mut Self,
                        scratch: &mut #scratch,
                    ) -> f64 {
                        let (parameters, seed) = (self, &seed);
                        #sum
                    }

                    fn update_together(&mut self, sums: &mut Self, state: &mut #state, examples: usize) {
                        #update
                    }
                }
            }
        }
    }
}
