//! The emitted types: parameters, values, scratch space, optimizer state, and examples.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{Emitter, doc_line};
use crate::emit::code::{Code, Signed};
use crate::emit::layout::{Group, Member, write_array, write_type};
use crate::emit::space::fills_lines;
use crate::equation::{Role, Tensor, TensorId};

/// Less than a cache line after so many scalars is not much.
const LARGE: usize = 128;

impl Emitter<'_> {
    pub(super) fn types(&self) -> TokenStream {
        let parameters = self.parameter_types();
        let noises = self.noise_types();
        let examples = self.example_types();
        let buffers = self.buffer_types();
        quote!(#parameters #noises #examples #buffers)
    }

    fn parameter_types(&self) -> TokenStream {
        let mut groups = Vec::new();
        collect_groups(&self.layout.parameters, &mut groups);
        groups.iter().map(|group| self.parameter_type(group)).collect()
    }

    fn parameter_type(&self, group: &Group) -> TokenStream {
        let name = &group.type_name;
        let visibility = &self.options.visibility;
        let attributes = &self.options.attributes;
        let attributes = if group.prefix.is_empty() {
            quote!(#attributes)
        } else {
            let line = doc_line(&format!("The parameters of `{}`.", group.prefix));
            quote!(#[doc = #line])
        };
        let missing = group.prefix.is_empty() && !self.options.is_documented;
        let line = missing.then(|| doc_line(&format!("The network `{}`: its parameters.", self.derivation.model.name)));
        let line = line.map(|line| quote!(#[doc = #line]));
        let fields = self.group_fields(group, "parameters");
        let sizes =
            self.plan.context.tensors().filter(|(_, tensor)| tensor.role == Role::Parameter).map(|(_, tensor)| tensor.size());
        let representation = representation(if group.prefix.is_empty() { sizes.sum() } else { 0 });
        quote! {
            #line
            #attributes
            #representation
            #[derive(Clone, Debug, PartialEq)]
            #visibility struct #name { #fields }
        }
    }

    fn group_fields(&self, group: &Group, what: &str) -> Code {
        let mut code = Code::default();
        for (field, member) in &group.members {
            match member {
                Member::Tensor(tensor) => self.write_field(field, *tensor, &mut code),
                Member::Group(group) => {
                    code.add_line(&format!("The {what} of `{}`.", group.prefix));
                    code.add(format_args!("pub {field}: {},\n", group.type_name));
                }
            }
        }
        code
    }

    /// Structs of what is drawn for each example.
    fn noise_types(&self) -> TokenStream {
        let Some(noises) = &self.layout.noises else { return TokenStream::new() };
        let mut groups = Vec::new();
        collect_groups(noises, &mut groups);
        let types = groups.into_iter().map(|group| {
            let (visibility, name, fields) = (&self.options.visibility, &group.type_name, self.group_fields(group, "noise"));
            let line = doc_line(&match &group.prefix[..] {
                "" => "What is drawn for each example in training.".to_owned(),
                prefix => format!("The noise of `{prefix}`."),
            });
            quote! {
                #[doc = #line]
                #[derive(Clone, Debug, PartialEq)]
                #visibility struct #name { #fields }
            }
        });
        quote!(#(#types)*)
    }

    /// Writes the value of a group of tensors, each with all elements the same.
    pub(super) fn write_group_value(&self, group: &Group, value: &dyn Fn(TensorId) -> f64, code: &mut Code) {
        code.add(format_args!("{} {{", group.type_name));
        for (at, (field, member)) in group.members.iter().enumerate() {
            code.add(format_args!("{}{field}: ", if at == 0 { "" } else { ", " }));
            match member {
                Member::Tensor(tensor) => self.write_filled(*tensor, value(*tensor), code),
                Member::Group(group) => self.write_group_value(group, value, code),
            }
        }
        code.push("}");
    }

    /// Writes a tensor with all elements the same.
    pub(super) fn write_filled(&self, tensor: TensorId, value: f64, code: &mut Code) {
        write_array(&Signed::unsuffixed(value), &self.plan.context.tensor(tensor).shape, code);
    }

    /// Writes fields with all elements the same.
    pub(super) fn write_filled_fields(&self, fields: &mut dyn Iterator<Item = (Ident, TensorId, f64)>, code: &mut Code) {
        for (at, (field, tensor, value)) in fields.enumerate() {
            code.add(format_args!("{}{field}: ", if at == 0 { "" } else { ", " }));
            self.write_filled(tensor, value, code);
        }
    }

    fn write_field(&self, field: &Ident, tensor: TensorId, code: &mut Code) {
        code.add_line(&self.described(tensor));
        code.add(format_args!("pub {field}: "));
        write_type(self.plan.context.tensor(tensor), &self.scalar, code);
        code.push(",\n");
    }

    /// A tensor's name and shape, and how equations write it, in a line.
    pub(super) fn described(&self, tensor: TensorId) -> String {
        let line = describe(self.plan.context.tensor(tensor));
        match self.lines.symbols.get(&tensor) {
            Some(symbol) => format!("{line} In the equations: `{symbol}`."),
            None => line,
        }
    }

    fn fields(&self, tensors: &[TensorId]) -> Code {
        let mut code = Code::default();
        tensors.iter().for_each(|&tensor| self.write_field(&self.layout.field(tensor), tensor, &mut code));
        code
    }

    /// Structs of inputs, targets and outputs, where there are several.
    fn example_types(&self) -> TokenStream {
        let (layout, visibility) = (&self.layout, &self.options.visibility);
        let several =
            [("Input", &layout.inputs, "The inputs of one example."), ("Target", &layout.targets, "The targets of one example.")];
        let mut tokens = TokenStream::new();
        for (suffix, tensors, line) in several.into_iter().filter(|(_, tensors, _)| tensors.len() > 1) {
            let (name, fields, line) = (self.type_name(suffix), self.fields(tensors), doc_line(line));
            tokens.extend(quote! {
                #[doc = #line]
                #[derive(Clone, Debug, PartialEq)]
                #visibility struct #name { #fields }
            });
        }
        if layout.outputs.len() > 1 {
            let (name, fields) = (self.type_name("Output"), self.fields(&layout.outputs));
            tokens.extend(quote! {
                /// What the network makes of one example.
                #[derive(Clone, Debug, PartialEq)]
                #visibility struct #name { #fields }
            });
        }
        if let Some(objective) = &self.derivation.model.objective {
            let name = self.type_name("Gradient");
            let line =
                doc_line(&format!("The derivative of `{}`, field by field.", self.plan.context.tensor(objective.value).name));
            let mut fields = Code::default();
            objective.by.iter().for_each(|&tensor| self.write_field(&self.derivative_field(tensor), tensor, &mut fields));
            tokens.extend(quote! {
                #[doc = #line]
                #[derive(Clone, Debug, PartialEq)]
                #visibility struct #name { #fields }
            });
        }
        tokens
    }

    /// The field of a derivative of an objective: the full name of the tensor.
    pub(in crate::emit) fn derivative_field(&self, tensor: TensorId) -> Ident {
        super::identifier(&self.plan.context.tensor(tensor).name)
    }

    /// Structs of what is computed and remembered.
    fn buffer_types(&self) -> TokenStream {
        let visibility = &self.options.visibility;
        let (values, scratch) = (self.type_name("Values"), self.type_name("Scratch"));
        let (work, gradient) = (self.hidden_type_name("Work"), self.hidden_type_name("Gradient"));
        let (value_fields, work_fields) = (self.space_fields(&self.layout.values), self.space_fields(&self.layout.work));
        let mut gradients: Vec<_> = self.plan.gradients.iter().map(|(_, gradient)| *gradient).collect();
        gradients.sort_by_key(|&gradient| !fills_lines(self.plan.size(gradient)));
        let [of_values, of_work] = [&self.layout.values, &self.layout.work].map(|space| representation(space.scalars()));
        let of_gradient = representation(gradients.iter().map(|&gradient| self.plan.size(gradient)).sum());
        let gradient_fields = self.fields(&gradients);
        let state = self.state_type();
        let batch_type = self.batch_type();
        let batch = self.plan.batch.as_ref().map(|_| {
            let name = self.hidden_type_name("Batch");
            quote!(batch: #name,)
        });
        let noise = self.layout.noises.as_ref().map(|noises| {
            let of_type = &noises.type_name;
            quote! {
                /// What was drawn for the example that comes next. Training draws it anew for each example, and puts back the means.
                pub noise: #of_type,
            }
        });
        quote! {
            /// What `predict` computes on the way to its result.
            #of_values
            #[derive(Clone, Debug, PartialEq)]
            #visibility struct #values { #value_fields }

            /// What is computed for one example in training besides, and the adjoints.
            #[doc(hidden)]
            #of_work
            #[derive(Clone, Debug, PartialEq)]
            #visibility struct #work { #work_fields }

            /// The gradient of a minibatch, for the parameters that are trained.
            #[doc(hidden)]
            #of_gradient
            #[derive(Clone, Debug, PartialEq)]
            #visibility struct #gradient { #gradient_fields }

            /// The space in which losses and gradients are computed. Holds nothing that must be kept.
            #[derive(Clone, Debug, PartialEq)]
            #visibility struct #scratch {
                /// The values of the latest example.
                pub values: #values,
                #noise
                work: #work,
                #batch
                gradient: #gradient,
            }

            #batch_type

            #state
        }
    }

    pub(super) fn has_training(&self) -> bool {
        !self.derivation.model.optimizers.is_empty() && self.derivation.model.loss.is_some()
    }

    fn state_type(&self) -> TokenStream {
        if !self.has_training() {
            return TokenStream::new();
        }
        let (visibility, name) = (&self.options.visibility, self.type_name("State"));
        let kept: Vec<_> = self.states().map(|(tensor, _)| tensor).collect();
        let fields = self.fields(&kept);
        let runtime = &self.options.runtime_path;
        let noise = self.layout.noises.is_some().then(|| quote!(noise_source: #runtime::__private::random::NoiseSource,));
        quote! {
            /// What the optimizer remembers between updates.
            #[derive(Clone, Debug, PartialEq)]
            #visibility struct #name {
                /// The number of updates so far.
                pub updates: u64,
                #noise
                #fields
            }
        }
    }

    /// The tensors of the optimizers' states with their first values.
    pub(super) fn states(&self) -> impl Iterator<Item = (TensorId, f64)> {
        self.derivation.model.optimizers.iter().flat_map(|optimizer| &optimizer.states).map(|state| (state.tensor, state.initial))
    }
}

/// How a struct of so many scalars lies in memory: in the order of its fields. A large one starts with a cache line on machines with vectors, for
/// a vector that lies across two lines takes twice as long to load.
pub(super) fn representation(scalars: usize) -> TokenStream {
    let aligned = (scalars >= LARGE)
        .then(|| quote!(#[cfg_attr(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64"), repr(align(64)))]));
    quote!(#[repr(C)] #aligned)
}

fn collect_groups<'a>(group: &'a Group, groups: &mut Vec<&'a Group>) {
    groups.push(group);
    for (_, member) in &group.members {
        if let Member::Group(inner) = member {
            collect_groups(inner, groups);
        }
    }
}

/// A tensor's name and shape, in a line.
fn describe(tensor: &Tensor) -> String {
    let extents: Vec<String> = tensor.shape.iter().map(usize::to_string).collect();
    match (&extents[..], tensor.label) {
        ([classes], true) => format!("`{}`, a label below {classes}.", tensor.name),
        ([leading @ .., classes], true) => {
            format!("`{}`, labels below {classes}, of shape {}.", tensor.name, leading.join(" × "))
        }
        ([], _) => format!("`{}`, a scalar.", tensor.name),
        _ => format!("`{}`, of shape {}.", tensor.name, extents.join(" × ")),
    }
}
