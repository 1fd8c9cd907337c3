//! Where each tensor lives in the emitted types, and under which name.

use std::fmt::Display;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident};
use rustc_hash::FxHashMap;

use super::EmitOptions;
use super::access::Access;
use super::code::Code;
use super::names::{Scope, camel_case};
use super::plan::{Memory, Plan, Storage};
use super::space::Space;
use crate::derivation::Derivation;
use crate::equation::{Table, Tensor, TensorId};

/// The fields of the emitted types.
#[derive(Debug)]
pub(super) struct Layout {
    /// The parameters, nested as their names are.
    pub(super) parameters: Group,
    /// What is drawn for each example, nested as its names are; none where nothing is.
    pub(super) noises: Option<Group>,
    /// The path of each parameter and of all noise in its struct.
    paths: Table<TensorId, Vec<Ident>>,
    /// The field of every other tensor in its struct, or the local variable of a scalar.
    fields: Table<TensorId, Ident>,
    /// What `predict` computes.
    pub(super) values: Space,
    /// What is computed for one example besides.
    pub(super) work: Space,
    /// What is computed for several examples at once.
    pub(super) batch: Space,
    pub(super) inputs: Vec<TensorId>,
    pub(super) targets: Vec<TensorId>,
    pub(super) outputs: Vec<TensorId>,
}

/// A struct of tensors and of structs of tensors: parameters, or noise.
#[derive(Debug)]
pub(super) struct Group {
    /// The type's name.
    pub(super) type_name: Ident,
    /// The part of the spec's names that its tensors share, such as `dense1`; empty for the network.
    pub(super) prefix: String,
    /// The fields in order.
    pub(super) members: Vec<(Ident, Member)>,
}

/// A field of a [`Group`].
#[derive(Debug)]
pub(super) enum Member {
    /// A tensor.
    Tensor(TensorId),
    /// The tensors of a layer.
    Group(Group),
}

impl Layout {
    pub(super) fn new(derivation: &Derivation, plan: &Plan, options: &EmitOptions) -> Layout {
        let model = &derivation.model;
        let with_name = |tensor: TensorId| (plan.context.tensor(tensor).name.split('.').collect::<Vec<_>>(), tensor);
        let named: Vec<_> = model.parameters.iter().map(|parameter| with_name(parameter.tensor)).collect();
        let noises: Vec<_> = model.noises.iter().map(|noise| with_name(noise.tensor)).collect();
        let mut paths = Table::default();
        let mut type_names = Scope::default();
        let mut parameters = group(&options.struct_name.to_string(), String::new(), &named, 0, &mut type_names, &mut paths, &[]);
        parameters.type_name = options.struct_name.clone();
        let noise_name = format!("{}Noise", options.struct_name);
        let noises =
            (!noises.is_empty()).then(|| group(&noise_name, String::new(), &noises, 0, &mut type_names, &mut paths, &[]));
        let mut fields = Table::default();
        let name_of = |tensor: &TensorId| plan.context.tensor(*tensor).name.clone();
        let mut add = |tensors: &[TensorId], scope: &mut Scope| {
            for tensor in tensors {
                fields.insert(*tensor, scope.identifier(&name_of(tensor)));
            }
        };
        add(&model.inputs, &mut Scope::default());
        add(&model.targets, &mut Scope::default());
        add(&model.outputs, &mut Scope::default());
        let constants: Vec<_> = plan.constants.iter().map(|(tensor, _)| *tensor).collect();
        let mut pass = Scope::default();
        for name in PASS_VARIABLES {
            pass.identifier(name);
        }
        add(&constants, &mut pass);
        let mut state = Scope::default();
        state.identifier("updates");
        state.identifier("noise_source");
        for optimizer in &model.optimizers {
            for kept in &optimizer.states {
                let (kept_name, of) = (name_of(&kept.tensor), name_of(&optimizer.parameter));
                let name = if kept_name.contains(&of) { kept_name } else { format!("{of}.{kept_name}") };
                fields.insert(kept.tensor, state.identifier(&name));
            }
        }
        fields.insert(model.batch_size, format_ident!("batch_size"));
        fields.insert(model.update_number, format_ident!("update_number"));
        if let Some(mean_loss) = plan.mean_loss {
            fields.insert(mean_loss, format_ident!("mean_loss"));
        }
        let mut gradients = Scope::default();
        for (parameter, gradient) in &plan.gradients {
            fields.insert(*gradient, gradients.identifier(&name_of(parameter)));
        }
        let memory = Memory::new(plan, derivation);
        let space = |buffers, scope| Space::new(buffers, plan, options.scalar, scope);
        let mut batch_scope = Scope::default();
        batch_scope.identifier("noises");
        Layout {
            parameters,
            noises,
            paths,
            fields,
            values: space(memory.values, Scope::default()),
            work: space(memory.work, Scope::default()),
            batch: space(memory.batch, batch_scope),
            inputs: model.inputs.clone(),
            targets: model.targets.clone(),
            outputs: model.outputs.clone(),
        }
    }

    /// The field or local variable of a tensor that is not a parameter.
    pub(super) fn field(&self, tensor: TensorId) -> Ident {
        self.fields.get(tensor).cloned().unwrap_or_else(|| Ident::new("absent", Span::call_site()))
    }

    /// A parameter in a network, as `dense1.w`, or noise in what is drawn: the fields that lead to it.
    pub(super) fn path(&self, tensor: TensorId) -> &[Ident] {
        self.paths.get(tensor).map_or(&[], Vec::as_slice)
    }

    /// Where a pass finds a tensor: a place expression, or a value for what is passed by value.
    pub(super) fn place(&self, plan: &Plan, tensor: TensorId) -> Access {
        let field = || self.field(tensor);
        match plan.storage(tensor) {
            Storage::Parameter => Access::variable("parameters").fields(self.path(tensor)),
            Storage::Noise => Access::variable("noise").fields(self.path(tensor)),
            Storage::Input if self.inputs.len() == 1 => Access::reference("input"),
            Storage::Input => Access::variable("input").field(field()),
            Storage::Target if self.targets.len() == 1 => Access::reference("target"),
            Storage::Target => Access::variable("target").field(field()),
            Storage::Values => Access::variable("values").stored(self.values.place(tensor)),
            Storage::Scratch => Access::variable("work").stored(self.work.place(tensor)),
            Storage::Gradient(_) => Access::reference("gradient").field(field()),
            Storage::State => Access::variable("state").field(field()),
            Storage::Scalar => Access::variable(&field().to_string()),
        }
    }
}

/// What the passes call their own variables; scalars must not hide them.
const PASS_VARIABLES: &[&str] = &[
    "parameters",
    "input",
    "inputs",
    "target",
    "targets",
    "output",
    "outputs",
    "noise",
    "values",
    "work",
    "gradient",
    "state",
    "scratch",
    "batch_size",
    "update_number",
    "mean_loss",
    "examples",
    "loss",
];

fn group(
    type_name: &str,
    prefix: String,
    named: &[(Vec<&str>, TensorId)],
    depth: usize,
    type_names: &mut Scope,
    paths: &mut Table<TensorId, Vec<Ident>>,
    path: &[Ident],
) -> Group {
    let mut scope = Scope::default();
    let mut members = Vec::new();
    // What is in each group, taken out where the group stands first.
    let mut groups: FxHashMap<&str, Vec<(Vec<&str>, TensorId)>> = FxHashMap::default();
    for one in named.iter().filter(|(parts, _)| parts.len() > depth + 1) {
        groups.entry(one.0[depth]).or_default().push(one.clone());
    }
    for (parts, tensor) in named {
        let part = parts[depth];
        let is_leaf = parts.len() == depth + 1;
        let inside = if is_leaf { None } else { groups.remove(part) };
        if !is_leaf && inside.is_none() {
            continue;
        }
        let field = scope.identifier(part);
        let path: Vec<Ident> = path.iter().cloned().chain([field.clone()]).collect();
        let Some(inside) = inside else {
            paths.insert(*tensor, path);
            members.push((field, Member::Tensor(*tensor)));
            continue;
        };
        let type_name = format!("{type_name}{}", camel_case(part));
        let prefix = if prefix.is_empty() { part.to_owned() } else { format!("{prefix}.{part}") };
        let inner = group(&type_name, prefix, &inside, depth + 1, type_names, paths, &path);
        members.push((field, Member::Group(inner)));
    }
    Group { type_name: type_names.identifier(type_name), prefix, members }
}

/// The type of a tensor: an array of arrays of scalars. A label has no axis for its classes.
pub(super) fn tensor_type(tensor: &Tensor, scalar: &TokenStream) -> TokenStream {
    let mut code = Code::default();
    write_type(tensor, scalar, &mut code);
    code.to_token_stream()
}

/// Writes the type of a tensor, as [`tensor_type`] gives it.
pub(super) fn write_type(tensor: &Tensor, scalar: &dyn Display, code: &mut Code) {
    match tensor.shape.split_last() {
        Some((_, leading)) if tensor.label => write_array(&"usize", leading, code),
        _ => write_array(scalar, &tensor.shape, code),
    }
}

/// Writes arrays of arrays of an element, or their type: `[[0.0; 3]; 2]`, where the shape is `[2, 3]`.
pub(super) fn write_array(element: &dyn Display, shape: &[usize], code: &mut Code) {
    shape.iter().for_each(|_| code.push("["));
    code.add(format_args!("{element}"));
    shape.iter().rev().for_each(|extent| code.add(format_args!("; {extent}]")));
}

/// Whether a tensor is passed by value where it is only read.
pub(super) fn is_scalar(tensor: &Tensor) -> bool {
    tensor.shape.len() == usize::from(tensor.label)
}
