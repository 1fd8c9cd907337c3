//! The fields of structs in which tensors are computed, and where each tensor is found in them.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;

use super::ScalarType;
use super::code::Code;
use super::layout::write_type;
use super::names::Scope;
use super::plan::{Buffer, Plan};
use crate::equation::{Table, TensorId};

/// A struct of buffers.
#[derive(Debug, Default)]
pub(super) struct Space {
    /// Its fields.
    pub(super) fields: Vec<(Ident, Buffer)>,
    places: Table<TensorId, Stored>,
    /// As what its shared fields are used: names, and the types of arrays.
    pub(super) views: BTreeMap<String, Code>,
}

/// Where a tensor is found in a [`Space`]: a place expression after `values.` or the like.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    field: String,
    /// As what a shared field is used, by its name in [`Space::views`].
    view: Option<String>,
    /// Whether there is a place for each of several examples.
    pub(super) is_of_examples: bool,
}

impl Stored {
    /// Writes it.
    pub(super) fn write(&self, code: &mut Code) {
        code.push(&self.field);
        if let Some(view) = &self.view {
            code.push("[");
            code.push(view);
            code.push("]");
        }
    }
}

impl ToTokens for Stored {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let mut code = Code::default();
        self.write(&mut code);
        code.to_tokens(tokens);
    }
}

impl Space {
    /// A buffer of one tensor has that tensor's name.
    pub(super) fn new(mut buffers: Vec<Buffer>, plan: &Plan, scalar: ScalarType, mut scope: Scope) -> Space {
        let mut space = Space::default();
        buffers.sort_by_key(|buffer| !fills_lines(buffer.size));
        for buffer in buffers {
            let is_shared = buffer.is_shared();
            let name = match buffer.tensors.first() {
                Some(first) if !is_shared => plan.context.tensor(*first).name.as_str(),
                _ => "shared",
            };
            let field = scope.identifier(name);
            let field_name = field.to_string();
            for &tensor in &buffer.tensors {
                let view = is_shared.then(|| {
                    let name = view_name(plan, &buffer, tensor);
                    let view = name.clone();
                    space.views.entry(name).or_insert_with(|| {
                        let mut code = Code::default();
                        write_stored_type(plan, &buffer, tensor, scalar, &mut code);
                        code
                    });
                    view
                });
                let is_of_examples = buffer.examples.contains_key(&tensor);
                space.places.insert(tensor, Stored { field: field_name.clone(), view, is_of_examples });
            }
            space.fields.push((field, buffer));
        }
        space
    }

    /// How many scalars it holds.
    pub(super) fn scalars(&self) -> usize {
        self.fields.iter().map(|(_, buffer)| buffer.size).sum()
    }

    /// Where a tensor is found, if it is there.
    pub(super) fn place(&self, tensor: TensorId) -> Option<&Stored> {
        self.places.get(tensor)
    }
}

/// Whether what comes after so many scalars in memory starts where a cache line does, if they do. Such arrays come first in a struct.
pub(super) fn fills_lines(scalars: usize) -> bool {
    scalars.is_multiple_of(16)
}

/// How code calls the type of a tensor in its buffer, by its extents.
fn view_name(plan: &Plan, buffer: &Buffer, tensor: TensorId) -> String {
    let shape = &plan.context.tensor(tensor).shape;
    let extents: Vec<String> = buffer.examples.get(&tensor).into_iter().chain(shape).map(usize::to_string).collect();
    if extents.is_empty() { "AS_SCALAR".to_owned() } else { format!("AS_{}", extents.join("X")) }
}

/// Writes the type of a tensor in its buffer.
pub(super) fn write_stored_type(plan: &Plan, buffer: &Buffer, tensor: TensorId, scalar: ScalarType, code: &mut Code) {
    let examples = buffer.examples.get(&tensor);
    code.push(if examples.is_some() { "[" } else { "" });
    write_type(plan.context.tensor(tensor), &scalar.name(), code);
    if let Some(examples) = examples {
        code.add(format_args!("; {examples}]"));
    }
}
