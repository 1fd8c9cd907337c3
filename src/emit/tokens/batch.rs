//! Forward and backward for a whole minibatch.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::Emitter;
use super::tile::{is_tiled, row_of};
use crate::emit::access::Access;
use crate::emit::code::Code;
use crate::emit::plan::{Batch, BatchStep, EXAMPLES_FOR_COPY, Storage};
use crate::equation::TensorId;

impl Emitter<'_> {
    /// The struct with all examples of a minibatch.
    pub(super) fn batch_type(&self) -> TokenStream {
        let Some(batch) = &self.plan.batch else { return TokenStream::new() };
        let (visibility, name, examples) =
            (&self.options.visibility, self.hidden_type_name("Batch"), Literal::usize_unsuffixed(batch.examples));
        let (fields, representation) =
            (self.space_fields(&self.layout.batch), super::types::representation(self.layout.batch.scalars()));
        let noises = self.layout.noises.as_ref().map(|noises| {
            let of_type = &noises.type_name;
            quote!(noises: [#of_type; #examples],)
        });
        quote! {
            /// What is computed for several examples at once.
            #[doc(hidden)]
            #representation
            #[derive(Clone, Debug, PartialEq)]
            #visibility struct #name { #fields #noises }
        }
    }

    /// The same with all numbers 0.
    pub(super) fn batch_zero(&self) -> TokenStream {
        let Some(batch) = &self.plan.batch else { return TokenStream::new() };
        let (name, examples) = (self.hidden_type_name("Batch"), Literal::usize_unsuffixed(batch.examples));
        let fields = self.space_zeros(&self.layout.batch);
        let noises = self.layout.noises.as_ref().map(|noises| {
            let of_type = &noises.type_name;
            quote!(noises: [const { #of_type::MEAN }; #examples],)
        });
        quote!(batch: #name { #noises #fields },)
    }

    /// Forward and backward for so many examples, and what updates in the same sweep.
    pub(super) fn batch_passes(&self, batch: &Batch) -> TokenStream {
        let (network, batch_type) = (&self.options.struct_name, self.hidden_type_name("Batch"));
        let (input, target) = (self.input_type(), self.target_type());
        let mut steps = Code::default();
        self.write_steps(batch, &batch.steps, &mut steps);
        let loss = self.derivation.model.loss.and_then(|loss| self.layout.batch.place(loss));
        let total = loss.map(|loss| quote!(for loss in batch.#loss.iter().take(examples) { total += *loss as f64; }));
        let mut sums = Code::default();
        batch.gradients.iter().for_each(|tiles| self.write_sums(batch, &tiles.kernels, &mut sums));
        let accumulate = self.accumulate_batch(batch);
        let train = self.train_batch(batch);
        quote! {
            /// Forward and backward for at most as many examples as there is space for, but for gradients that are sums in tiles.
            /// The sum of the losses.
            #[inline(always)]
            fn pass<V: tile::Vectors>(
                vectors: V,
                parameters: &#network,
                inputs: &[#input],
                targets: &[#target],
                batch: &mut #batch_type,
                gradient: &mut Gradient<'_>,
            ) -> f64 {
                let (examples, is_first, mut total) = (inputs.len(), true, 0.0_f64);
                #steps
                #total
                total
            }

            /// Gradients that are sums in tiles.
            #[inline(always)]
            fn sums<V: tile::Vectors>(
                vectors: V,
                inputs: &[#input],
                batch: &mut #batch_type,
                gradient: &mut Gradient<'_>,
                is_first: bool,
            ) {
                let examples = inputs.len();
                #sums
            }

            #accumulate
            #train
        }
    }

    /// What adds to a gradient, or sets it for the first examples.
    fn write_sums(&self, batch: &Batch, kernels: &[usize], code: &mut Code) {
        for (at, &kernel) in kernels.iter().enumerate() {
            code.push(if at == 0 { "" } else { "{ let is_first = false; " });
            self.write_batch_call(batch, kernel, code);
            code.push(if at == 0 { "" } else { "}" });
        }
    }

    /// Sets to 0 what kernels add to that know nothing of a first example.
    pub(super) fn clear_rest(&self, batch: &Batch) -> Code {
        let mut code = Code::default();
        for &(parameter, gradient) in &self.plan.gradients {
            if batch.tiles_of(gradient).is_none() {
                let field = self.layout.field(gradient);
                self.write_fill(parameter, &format_args!("gradient.{field}"), true, &"0.0", &mut code);
            }
        }
        code
    }

    /// Whether updates run in the sweep that completes a gradient.
    pub(super) fn trains_in_tiles(&self) -> bool {
        self.has_training()
            && self.plan.batch.as_ref().is_some_and(|batch| batch.gradients.iter().any(|tiles| tiles.updating.is_some()))
    }

    /// A whole step of training.
    fn train_batch(&self, batch: &Batch) -> TokenStream {
        if !self.trains_in_tiles() {
            return TokenStream::new();
        }
        let (network, scalar, batch_type) = (&self.options.struct_name, &self.scalar, self.hidden_type_name("Batch"));
        let (input, target, state, examples) =
            (self.input_type(), self.target_type(), self.type_name("State"), Literal::usize_unsuffixed(batch.examples));
        let updating = batch.gradients.iter().filter_map(|tiles| tiles.updating);
        let constants = self.constants_for(&self.plan.update.iter().copied().chain(updating).collect::<Vec<_>>());
        let clear = self.clear_rest(batch);
        let draw = self.layout.noises.is_some().then(
            || quote!(batch.noises.iter_mut().take(inputs.len()).for_each(|noise| noise.draw(state.noise_source.generator()));),
        );
        let mut last = Code::default();
        for tiles in &batch.gradients {
            match tiles.updating {
                Some(kernel) => self.write_batch_call(batch, kernel, &mut last),
                None => self.write_sums(batch, &tiles.kernels, &mut last),
            }
        }
        let is_updated = |gradient| batch.tiles_of(gradient).is_some_and(|tiles| tiles.updating.is_some());
        let mut rest = Code::default();
        for &kernel in &self.plan.update {
            let mut reads = self.plan.kernels[kernel].reads.iter();
            if !reads.any(|&read| row_of(&self.plan, read).is_some_and(is_updated)) {
                self.write_batch_call(batch, kernel, &mut rest);
            }
        }
        quote! {
            /// Forward, backward and an update. The mean of the losses.
            #[inline(always)]
            fn train_batch<V: tile::Vectors>(
                vectors: V,
                parameters: &mut #network,
                inputs: &[#input],
                targets: &[#target],
                state: &mut #state,
                batch: &mut #batch_type,
                gradient: &mut Gradient<'_>,
            ) -> #scalar {
                let count = inputs.len().min(targets.len());
                let (inputs, targets) = (inputs.get(..count).unwrap_or(&[]), targets.get(..count).unwrap_or(&[]));
                state.updates = state.updates.wrapping_add(1);
                let update_number = state.updates as f64;
                let batch_size = count as f64;
                #constants
                #clear
                let (mut total, mut done) = (0.0_f64, 0_usize);
                for (inputs, targets) in inputs.chunks(#examples).zip(targets.chunks(#examples)) {
                    #draw
                    total += pass(vectors, parameters, inputs, targets, batch, gradient);
                    let (examples, is_first) = (inputs.len(), done == 0);
                    done += examples;
                    if done < count {
                        sums(vectors, inputs, batch, gradient, is_first);
                    } else {
                        #last
                    }
                }
                #rest
                (total / count as f64) as #scalar
            }
        }
    }

    fn write_steps(&self, batch: &Batch, steps: &[BatchStep], code: &mut Code) {
        let mut each = Vec::new();
        for step in steps {
            if let BatchStep::Each(kernel) = step {
                each.push(*kernel);
                continue;
            }
            self.write_each(batch, &std::mem::take(&mut each), code);
            match step {
                BatchStep::Each(_) => {}
                BatchStep::Abreast(step) => code.add_tokens(&self.abreast_step(batch, step)),
                BatchStep::Tiled(kernel) | BatchStep::Once(kernel) => self.write_batch_call(batch, *kernel, code),
                BatchStep::Either(many, few) => {
                    code.add(format_args!("if examples >= {EXAMPLES_FOR_COPY} {{ "));
                    self.write_steps(batch, many, code);
                    code.push("} else { ");
                    self.write_batch_call(batch, *few, code);
                    code.push("}\n");
                }
            }
        }
        self.write_each(batch, &each, code);
    }

    /// Writes kernels for one example after the other.
    fn write_each(&self, batch: &Batch, kernels: &[usize], code: &mut Code) {
        if kernels.is_empty() {
            return;
        }
        let most = batch.examples;
        let reads = kernels.iter().flat_map(|&kernel| &self.plan.kernels[kernel].reads);
        let mut reads = reads.map(|&tensor| self.plan.storage(tensor));
        if reads.any(|storage| matches!(storage, Storage::Input | Storage::Target)) {
            code.push("for (example, (input, target)) in inputs.iter().zip(targets).enumerate() { ");
            code.add(format_args!("if example >= {most} {{ break; }} "));
        } else {
            code.add(format_args!("for example in 0..examples.min({most}) {{ "));
        }
        kernels.iter().for_each(|&kernel| self.write_batch_call(batch, kernel, code));
        code.push("}\n");
    }

    fn write_batch_call(&self, batch: &Batch, kernel: usize, code: &mut Code) {
        let tiled = is_tiled(&self.plan.kernels[kernel]);
        self.write_call(kernel, |tensor| self.batch_place(batch, tensor, tiled), code);
    }

    /// Where a tensor is found; for a kernel that is not in tiles, that of one example.
    pub(super) fn batch_place(&self, batch: &Batch, tensor: TensorId, is_tiled: bool) -> Access {
        if let Some(one) = batch.tensors.first_of(tensor) {
            return match self.layout.batch.place(one) {
                stored @ Some(_) => Access::variable("batch").stored(stored),
                None => Access::reference("inputs"),
            };
        }
        if let Some(stored) = self.layout.batch.place(tensor) {
            let all = Access::variable("batch").stored(Some(stored));
            return if stored.is_of_examples && !is_tiled { all.element("example") } else { all };
        }
        if self.plan.storage(tensor) == Storage::Noise {
            let noises = Access::variable("batch").field("noises").element("example");
            return noises.fields(self.layout.path(tensor));
        }
        self.layout.place(&self.plan, tensor)
    }

    /// Losses and gradients of a minibatch.
    fn accumulate_batch(&self, batch: &Batch) -> TokenStream {
        let (network, scalar, batch_type) = (&self.options.struct_name, &self.scalar, self.hidden_type_name("Batch"));
        let (input, target, examples) = (self.input_type(), self.target_type(), Literal::usize_unsuffixed(batch.examples));
        let clear = self.clear_rest(batch);
        let draws = self.layout.noises.is_some().then(|| quote!(batch.noises.iter_mut().take(inputs.len()).for_each(&mut draw);));
        let parameter = self.layout.noises.as_ref().map(|noises| {
            let of_type = &noises.type_name;
            quote!(mut draw: impl FnMut(&mut #of_type),)
        });
        quote! {
            /// Forward and backward. The mean of the losses of a minibatch; the sum of the parameters' adjoints is in `gradient`.
            #[inline(always)]
            fn accumulate<V: tile::Vectors>(
                vectors: V,
                parameters: &#network,
                inputs: &[#input],
                targets: &[#target],
                #parameter
                batch: &mut #batch_type,
                gradient: &mut Gradient<'_>,
            ) -> #scalar {
                let count = inputs.len().min(targets.len());
                let (inputs, targets) = (inputs.get(..count).unwrap_or(&[]), targets.get(..count).unwrap_or(&[]));
                #clear
                let (mut total, mut is_first) = (0.0_f64, true);
                for (inputs, targets) in inputs.chunks(#examples).zip(targets.chunks(#examples)) {
                    #draws
                    total += pass(vectors, parameters, inputs, targets, batch, gradient);
                    sums(vectors, inputs, batch, gradient, is_first);
                    is_first = false;
                }
                (total / count as f64) as #scalar
            }
        }
    }
}
