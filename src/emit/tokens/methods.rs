//! The methods of a network, and the runtime's traits over them.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::{Emitter, doc_line};
use crate::emit::layout::{Group, Member, tensor_type};
use crate::equation::TensorId;
use crate::identity;
use crate::model::Distribution;

impl Emitter<'_> {
    /// The type of an example's inputs.
    pub(in crate::emit) fn input_type(&self) -> TokenStream {
        self.example_type(&self.layout.inputs, "Input")
    }

    /// The type of an example's targets.
    pub(in crate::emit) fn target_type(&self) -> TokenStream {
        self.example_type(&self.layout.targets, "Target")
    }

    pub(in crate::emit) fn output_type(&self) -> TokenStream {
        self.example_type(&self.layout.outputs, "Output")
    }

    fn example_type(&self, tensors: &[TensorId], suffix: &str) -> TokenStream {
        match tensors {
            [] => quote!(()),
            [single] => tensor_type(self.plan.context.tensor(*single), &self.scalar),
            _ => {
                let name = self.type_name(suffix);
                quote!(#name)
            }
        }
    }

    pub(super) fn methods(&self) -> TokenStream {
        let network = self.network_methods();
        let predict = self.predict_methods();
        let buffers = self.buffer_methods();
        let traits = self.traits();
        let learning = if self.derivation.model.loss.is_some() { self.learning_methods() } else { TokenStream::new() };
        let training = if self.has_training() { self.training_methods() } else { TokenStream::new() };
        let halves = if self.has_training() { self.half_methods() } else { TokenStream::new() };
        let objective = self.objective_methods();
        quote!(#network #predict #learning #training #halves #objective #buffers #traits)
    }

    fn network_methods(&self) -> TokenStream {
        let (runtime, network, scalar) = (&self.options.runtime_path, &self.options.struct_name, &self.scalar);
        let zero = self.group_value(&self.layout.parameters, &|_| 0.0);
        let mut table = Vec::new();
        let mut count = 0;
        self.table(&self.layout.parameters, &mut count, &mut table);
        let parameter_count = Literal::usize_unsuffixed(count);
        let model = &self.derivation.model;
        let [net, spec] = [identity::hash(model), identity::hash_of_meaning(model)].map(Literal::u64_unsuffixed);
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

    fn initialize(&self) -> TokenStream {
        let parameters = &self.derivation.model.parameters;
        self.draws(&mut parameters.iter().map(|parameter| (parameter.tensor, parameter.initial)))
    }

    /// Draws tensors that are fields of `self` from their distributions, in order.
    pub(super) fn draws(&self, tensors: &mut dyn Iterator<Item = (TensorId, Distribution)>) -> TokenStream {
        let number = |value: f64| {
            let literal = Literal::f64_suffixed(value.abs());
            if value < 0.0 { quote!(-#literal) } else { quote!(#literal) }
        };
        let draws = tensors.map(|(tensor, distribution)| {
            let path = self.layout.path(tensor);
            let elements = self.all_elements(tensor, &quote!(self.#path), false);
            let rank = self.plan.context.tensor(tensor).shape.len();
            let slice = if rank == 1 { quote!(&mut #elements) } else { elements.clone() };
            match distribution {
                Distribution::Constant(value) => {
                    let (value, scalar) = (number(value), &self.scalar);
                    quote!(#elements.fill(#value as #scalar);)
                }
                Distribution::Bernoulli(probability) => {
                    let probability = number(probability);
                    quote!(generator.bernoulli(#slice, #probability);)
                }
                Distribution::Uniform { low, high } => {
                    let (low, high) = (number(low), number(high));
                    quote!(generator.uniform(#slice, #low, #high);)
                }
                Distribution::Normal { mean, deviation } => {
                    let (mean, deviation) = (number(mean), number(deviation));
                    quote!(generator.normal(#slice, #mean, #deviation);)
                }
            }
        });
        quote!(#(#draws)*)
    }

    /// The numbered equations of kernels, for a method's documentation.
    fn equations(&self, kernels: &[usize]) -> Vec<String> {
        let mut lines = Vec::new();
        for line in kernels.iter().flat_map(|&kernel| &self.plan.kernels[kernel].equations) {
            lines.push(doc_line(&format!("- {line}")));
        }
        lines
    }

    fn predict_methods(&self) -> TokenStream {
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

    fn learning_methods(&self) -> TokenStream {
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
            let call = super::kernel::call(&self.plan, &self.plan.kernels[kernel], scalar, |tensor| {
                self.layout.place(&self.plan, tensor)
            });
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

    fn training_methods(&self) -> TokenStream {
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

    /// The methods of a spec with `objective … by …`.
    fn objective_methods(&self) -> TokenStream {
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
            let from = adjoint.map(|adjoint| self.layout.place(&self.plan, adjoint.equation.target));
            let from = from.unwrap_or_else(|| self.filled(tensor, 0.0));
            quote!(gradient.#field.clone_from(&#from);)
        });
        let zero_fields = objective.by.iter().map(|&tensor| {
            let (field, zero) = (self.derivative_field(tensor), self.filled(tensor, 0.0));
            quote!(#field: #zero)
        });
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
                pub const ZERO: Self = Self { #(#zero_fields),* };
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

    /// Constants of the structs of values, scratch space and state, and what builds them in place.
    fn buffer_methods(&self) -> TokenStream {
        let (network, values, scratch) = (&self.options.struct_name, self.type_name("Values"), self.type_name("Scratch"));
        let (work, gradient) = (self.hidden_type_name("Work"), self.hidden_type_name("Gradient"));
        let gradients: Vec<_> = self.plan.gradients.iter().map(|(_, gradient)| *gradient).collect();
        let (value_zeros, work_zeros) = (self.space_zeros(&self.layout.values), self.space_zeros(&self.layout.work));
        let gradient_zeros = self.zeros(&gradients);
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

    fn zeros(&self, tensors: &[TensorId]) -> TokenStream {
        let fields = tensors.iter().map(|&tensor| {
            let (field, zero) = (self.layout.field(tensor), self.filled(tensor, 0.0));
            quote!(#field: #zero)
        });
        quote!(#(#fields),*)
    }

    fn state_methods(&self) -> TokenStream {
        if !self.has_training() {
            return TokenStream::new();
        }
        let (runtime, network, state) = (&self.options.runtime_path, &self.options.struct_name, self.type_name("State"));
        let starts = self.states().map(|(tensor, initial)| {
            let (field, start) = (self.layout.field(tensor), self.filled(tensor, initial));
            quote!(#field: #start)
        });
        let resets = self.states().map(|(tensor, initial)| {
            let field = self.layout.field(tensor);
            let elements = self.all_elements(tensor, &quote!(self.#field), false);
            let literal = Literal::f64_unsuffixed(initial.abs());
            if initial < 0.0 { quote!(#elements.fill(-#literal);) } else { quote!(#elements.fill(#literal);) }
        });
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
                pub const ZERO: Self = Self { updates: 0, #source #(#starts),* };

                /// Forgets all updates.
                pub fn reset(&mut self) {
                    self.updates = 0;
                    #reset_source
                    #(#resets)*
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

    fn traits(&self) -> TokenStream {
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

    /// An objective is a function of inputs and parameters; where its spec declares targets all the same, they are 0.
    fn no_target(&self) -> TokenStream {
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
            return self.filled(tensor, 0.0);
        }
        let leading = &described.shape[..described.shape.len().saturating_sub(1)];
        leading.iter().rev().fold(quote!(0), |inner, &extent| {
            let extent = Literal::usize_unsuffixed(extent);
            quote!([#inner; #extent])
        })
    }
}
