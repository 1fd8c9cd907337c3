//! The passes: which kernels run, in which order, for an example, a minibatch, an update.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::quote;

use super::{Emitter, call};
use crate::emit::access::Access;
use crate::emit::code::Code;
use crate::emit::layout::write_type;
use crate::equation::TensorId;

/// So many numbers may be in a vector.
const VECTOR: usize = 16;

impl Emitter<'_> {
    pub(super) fn passes(&self) -> TokenStream {
        let network = &self.options.struct_name;
        let (values, work) = (self.type_name("Values"), self.hidden_type_name("Work"));
        let (input, target) = (self.input_type(), self.target_type());
        let predict = self.calls(&self.plan.predict);
        let loss = self.calls(&self.plan.loss);
        let backward = self.plan.computes_single_examples(self.derivation).then(|| self.backward_example());
        let gradient = self.gradient_references();
        let accumulate = self.accumulate();
        let finish = self.finish_gradient();
        let update = self.update();
        let train_one = self.train_one();
        let noise = self.noise_parameter();
        let inline = self.is_vectorized().then(|| quote!(#[inline(always)]));
        let one = self.is_vectorized().then(|| quote!(let (examples, is_first) = (1_usize, true);));
        let [generic, vectors, _] = self.vectors();
        quote! {
            /// The forward equations on which the outputs depend.
            #inline
            fn forward_outputs #generic(#vectors parameters: &#network, input: &#input, #noise values: &mut #values) {
                #one
                #predict
            }

            /// The other forward equations, the loss among them.
            #inline
            fn forward_loss #generic(
                #vectors
                parameters: &#network,
                input: &#input,
                target: &#target,
                #noise
                values: &mut #values,
                work: &mut #work,
            ) {
                #one
                #loss
            }

            #gradient

            #backward

            #accumulate
            #finish
            #update
            #train_one
        }
    }

    /// The backward pass of one example.
    fn backward_example(&self) -> TokenStream {
        let network = &self.options.struct_name;
        let (values, work) = (self.type_name("Values"), self.hidden_type_name("Work"));
        let (input, target) = (self.input_type(), self.target_type());
        let noise = self.noise_parameter();
        let backward = self.calls(&self.plan.backward);
        let [generic, vectors, _] = self.vectors();
        let inline = self.is_vectorized().then(|| quote!(#[inline(always)]));
        quote! {
            /// The adjoints of one example, those of the parameters added to the gradient.
            #inline
            fn backward_example #generic(
                #vectors
                parameters: &#network,
                input: &#input,
                target: &#target,
                #noise
                values: &mut #values,
                work: &mut #work,
                gradient: &mut Gradient<'_>,
            ) {
                #backward
            }
        }
    }

    /// Whether passes are compiled for each set of instructions.
    pub(super) fn is_vectorized(&self) -> bool {
        self.options.examples > 1
    }

    /// What makes a pass generic over instructions, the parameter, and the argument.
    pub(super) fn vectors(&self) -> [TokenStream; 3] {
        if self.is_vectorized() {
            [quote!(<V: tile::Vectors>), quote!(vectors: V,), quote!(vectors,)]
        } else {
            Default::default()
        }
    }

    /// Runs tokens with the best instructions. What they read are the variables that are given, with their types.
    pub(super) fn with_vectors(
        &self,
        variables: &[(&str, TokenStream)],
        output: &TokenStream,
        body: &TokenStream,
    ) -> TokenStream {
        if !self.is_vectorized() {
            return quote!({ #body });
        }
        let names: Vec<_> = variables.iter().map(|(name, _)| super::identifier(name)).collect();
        let types = variables.iter().map(|(_, of_type)| of_type);
        quote! {
            {
                struct Task<'a> { #(#names: &'a #types),* }

                impl tile::Run for Task<'_> {
                    type Output = #output;

                    #[inline(always)]
                    fn run<V: tile::Vectors>(self, vectors: V) -> #output {
                        let Self { #(#names),* } = self;
                        #body
                    }
                }

                tile::vectorized(Task { #(#names),* })
            }
        }
    }

    /// Calls of kernels, one after the other.
    pub(super) fn calls(&self, kernels: &[usize]) -> Code {
        let mut code = Code::default();
        for &kernel in kernels {
            self.write_call(kernel, |tensor| self.layout.place(&self.plan, tensor), &mut code);
        }
        code
    }

    /// A statement that calls a kernel.
    pub(super) fn write_call(&self, kernel: usize, place: impl Fn(TensorId) -> Access, code: &mut Code) {
        call::call(&self.plan, &self.plan.kernels[kernel], self.options.scalar, place, code);
        code.push(";\n");
    }

    /// Computes the scalars that kernels need, each once.
    pub(super) fn constants_for(&self, kernels: &[usize]) -> Code {
        let mut code = Code::default();
        for (tensor, kernel) in self.plan.constants_for(kernels) {
            code.add(format_args!("let {} = ", self.layout.field(tensor)));
            let place = |tensor| self.layout.place(&self.plan, tensor);
            let kernel = &self.plan.kernels[kernel];
            call::call(&self.plan, kernel, self.options.scalar, place, &mut code);
            code.push(if kernel.in_double { ";\n" } else { " as f64;\n" });
        }
        code
    }

    /// Mutable references to where the gradient of each trained parameter is summed up: in the scratch space, or in a network.
    fn gradient_references(&self) -> TokenStream {
        let network = &self.options.struct_name;
        let sums = self.hidden_type_name("Gradient");
        let (mut fields, mut of_network, mut of_scratch, mut clear) = <[Code; 4]>::default().into();
        for (parameter, gradient) in &self.plan.gradients {
            let field = self.layout.field(*gradient);
            fields.add(format_args!("{field}: &'a mut "));
            write_type(self.plan.context.tensor(*parameter), &self.scalar, &mut fields);
            fields.push(",\n");
            of_network.add(format_args!("{field}: "));
            Access::variable("network").fields(self.layout.path(*parameter)).borrow(true, &mut of_network);
            of_network.push(",\n");
            of_scratch.add(format_args!("{field}: &mut sums.{field},\n"));
            self.write_fill(*parameter, &format_args!("self.{field}"), true, &"0.0", &mut clear);
        }
        quote! {
            /// Where the gradient of each trained parameter is summed up.
            struct Gradient<'a> { #fields lifetime: core::marker::PhantomData<&'a ()> }

            impl<'a> Gradient<'a> {
                fn in_network(network: &'a mut #network) -> Self {
                    Self { #of_network lifetime: core::marker::PhantomData }
                }

                fn in_scratch(sums: &'a mut #sums) -> Self {
                    Self { #of_scratch lifetime: core::marker::PhantomData }
                }

                fn clear(&mut self) { #clear }
            }
        }
    }

    /// Writes all elements of a tensor as a mutable slice; `is_reference` where the place is a `&mut` already.
    pub(super) fn write_elements(&self, tensor: TensorId, place: &dyn Display, is_reference: bool, code: &mut Code) {
        match self.plan.context.tensor(tensor).shape.len() {
            0 if is_reference => code.add(format_args!("core::slice::from_mut({place})")),
            0 => code.add(format_args!("core::slice::from_mut(&mut {place})")),
            rank => {
                code.add(format_args!("{place}"));
                for _ in 1..rank {
                    code.push(".as_flattened_mut()");
                }
            }
        }
    }

    /// Writes what sets all elements of a tensor.
    pub(super) fn write_fill(
        &self,
        tensor: TensorId,
        place: &dyn Display,
        is_reference: bool,
        value: &dyn Display,
        code: &mut Code,
    ) {
        self.write_elements(tensor, place, is_reference, code);
        code.add(format_args!(".fill({value});\n"));
    }

    /// The sum over the examples of a minibatch.
    fn accumulate(&self) -> TokenStream {
        let Some(loss) = self.derivation.model.loss else { return TokenStream::new() };
        let network = &self.options.struct_name;
        let scalar = &self.scalar;
        let (values, work) = (self.type_name("Values"), self.hidden_type_name("Work"));
        let (input, target) = (self.input_type(), self.target_type());
        if let Some(batch) = &self.plan.batch {
            return self.batch_passes(batch);
        }
        let loss = self.layout.place(&self.plan, loss);
        let noise = self.noise_argument();
        let drawn = self.layout.noises.as_ref().map(|noises| {
            let of_type = &noises.type_name;
            quote!(noise: &mut #of_type, mut draw: impl FnMut(&mut #of_type),)
        });
        let draw = noise.is_some().then(|| quote!(draw(noise);));
        let inline = self.is_vectorized().then(|| quote!(#[inline(always)]));
        let [generic, vectors, given] = self.vectors();
        quote! {
            /// Forward and backward for each example. The mean of their losses; the sum of the parameters' adjoints is in `gradient`.
            #inline
            fn accumulate #generic(
                #vectors
                parameters: &#network,
                inputs: &[#input],
                targets: &[#target],
                #drawn
                values: &mut #values,
                work: &mut #work,
                gradient: &mut Gradient<'_>,
            ) -> #scalar {
                gradient.clear();
                let mut total = 0.0_f64;
                let mut examples = 0_usize;
                for (input, target) in inputs.iter().zip(targets) {
                    #draw
                    forward_outputs(#given parameters, input, #noise values);
                    forward_loss(#given parameters, input, target, #noise values, work);
                    backward_example(#given parameters, input, target, #noise values, work, gradient);
                    total += #loss as f64;
                    examples += 1;
                }
                (total / examples as f64) as #scalar
            }
        }
    }

    /// From the sum over the examples to the gradient of the objective.
    fn finish_gradient(&self) -> TokenStream {
        if self.derivation.model.loss.is_none() {
            return TokenStream::new();
        }
        let network = &self.options.struct_name;
        let (constants, calls) = (self.constants_for(&self.plan.gradient), self.calls(&self.plan.gradient));
        let [generic, vectors, _] = self.vectors();
        let inline = self.is_vectorized().then(|| quote!(#[inline(always)]));
        quote! {
            /// The gradient of the objective, regularizers included, in place of the sum over the examples.
            #inline
            fn finish_gradient #generic(#vectors parameters: &#network, gradient: &mut Gradient<'_>, examples: usize) {
                let batch_size = examples as f64;
                #constants
                #calls
            }
        }
    }

    fn update(&self) -> TokenStream {
        if !self.has_training() {
            return TokenStream::new();
        }
        let (network, state) = (&self.options.struct_name, self.type_name("State"));
        let (constants, calls) = (self.constants_for(&self.plan.update), self.calls(&self.plan.update));
        let [generic, vectors, given] = self.vectors();
        let finish = (!self.plan.update_is_fused).then(|| quote!(finish_gradient(#given parameters, gradient, examples);));
        let inline = self.is_vectorized().then(|| quote!(#[inline(always)]));
        quote! {
            /// One update of all trained parameters from the sum over the examples.
            #inline
            fn update #generic(#vectors parameters: &mut #network, gradient: &mut Gradient<'_>, state: &mut #state, examples: usize) {
                #finish
                state.updates = state.updates.wrapping_add(1);
                let update_number = state.updates as f64;
                let batch_size = examples as f64;
                #constants
                #calls
            }
        }
    }

    /// Whether a kernel updates a parameter that a compiler would write together with the one beside it, both being shorter than a vector.
    ///
    /// What is there early would then wait for the last, and the next step for all of it; longer still, where it reads across two writes.
    /// A fence for what is written, which is no instruction, keeps updates apart; it can still be taken from registers.
    fn is_beside_short_one(&self, kernel: usize) -> bool {
        let is_short = |tensor| self.plan.context.tensor(tensor).size() < VECTOR;
        let written = &self.plan.kernels[kernel].writes;
        let mut pairs = self.derivation.model.parameters.windows(2).map(|pair| [pair[0].tensor, pair[1].tensor]);
        let writes_short = written.iter().any(|&tensor| is_short(tensor));
        self.is_vectorized()
            && writes_short
            && pairs.any(|pair| pair.into_iter().all(is_short) && pair.iter().any(|one| written.contains(one)))
    }

    /// A step of training with one example.
    fn train_one(&self) -> TokenStream {
        let (Some(single), Some(loss)) = (&self.plan.single, self.derivation.model.loss) else { return TokenStream::new() };
        let (network, state, scratch, scalar) =
            (&self.options.struct_name, self.type_name("State"), self.type_name("Scratch"), &self.scalar);
        let (input, target) = (self.input_type(), self.target_type());
        let place = |tensor| match self.layout.work.place(tensor) {
            stored @ Some(_) if self.plan.single_has_values() => Access::variable("work").stored(stored),
            _ => self.layout.place(&self.plan, tensor),
        };
        let mut calls = Code::default();
        for &kernel in &single.kernels {
            if self.is_beside_short_one(kernel) && single.updates.contains(&kernel) {
                calls.push("core::sync::atomic::compiler_fence(core::sync::atomic::Ordering::Release);\n");
            }
            self.write_call(kernel, place, &mut calls);
        }
        let loss = place(loss);
        let noise = self.noise_argument();
        let draw = noise.is_some().then(|| quote!(noise.draw(state.noise_source.generator());));
        let means = noise.is_some().then(|| quote!(noise.set_means();));
        let cleared = self.plan.gradients.iter().filter(|(_, gradient)| single.gradients.contains(gradient));
        let mut clear = Code::default();
        for (parameter, gradient) in cleared {
            let field = self.layout.field(*gradient);
            self.write_fill(*parameter, &format_args!("gradient.{field}"), true, &"0.0", &mut clear);
        }
        let inline = self.is_vectorized().then(|| quote!(#[inline(always)]));
        let [generic, vectors, _] = self.vectors();
        let constants = self.constants_for(&single.updates);
        quote! {
            /// Forward, backward and an update with one example. The loss before.
            #inline
            fn train_one #generic(
                #vectors
                parameters: &mut #network,
                input: &#input,
                target: &#target,
                state: &mut #state,
                scratch: &mut #scratch,
            ) -> #scalar {
                let #scratch { values, work, gradient, #noise .. } = scratch;
                let gradient = &mut Gradient::in_scratch(gradient);
                let (examples, is_first, batch_size) = (1_usize, true, 1.0_f64);
                state.updates = state.updates.wrapping_add(1);
                let update_number = state.updates as f64;
                #constants
                #draw
                #clear
                #calls
                #means
                #loss
            }
        }
    }
}
