//! The fields of structs in which tensors are computed, and where each tensor is found in them.

use rustc_hash::FxHashMap;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, quote};

use super::layout::tensor_type;
use super::names::Scope;
use super::plan::{Buffer, Plan};
use crate::equation::TensorId;

/// A struct of buffers.
#[derive(Debug, Default)]
pub(super) struct Space {
    /// Its fields.
    pub(super) fields: Vec<(Ident, Buffer)>,
    places: FxHashMap<TensorId, Stored>,
}

/// Where a tensor is found in a [`Space`]: a place expression after `values.` or the like.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    field: Ident,
    /// As what a shared field is used.
    view: Option<TokenStream>,
    /// Whether there is a place for each of several examples.
    pub(super) is_of_examples: bool,
}

impl ToTokens for Stored {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let field = &self.field;
        tokens.extend(match &self.view {
            Some(of_type) => quote!(#field[memory::view::<#of_type>()]),
            None => quote!(#field),
        });
    }
}

impl Space {
    /// A buffer of one tensor has that tensor's name.
    pub(super) fn new(mut buffers: Vec<Buffer>, plan: &Plan, scalar: &TokenStream, mut scope: Scope) -> Space {
        let mut space = Space::default();
        buffers.sort_by_key(|buffer| !fills_lines(buffer.size));
        for buffer in buffers {
            let is_shared = buffer.is_shared();
            let name = match buffer.tensors.first() {
                Some(first) if !is_shared => plan.context.tensor(*first).name.as_str(),
                _ => "shared",
            };
            let field = scope.identifier(name);
            for &tensor in &buffer.tensors {
                let view = is_shared.then(|| stored_type(plan, &buffer, tensor, scalar));
                let is_of_examples = buffer.examples.contains_key(&tensor);
                space.places.insert(tensor, Stored { field: field.clone(), view, is_of_examples });
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
        self.places.get(&tensor)
    }
}

/// Whether what comes after so many scalars in memory starts where a cache line does, if they do. Such arrays come first in a struct.
pub(super) fn fills_lines(scalars: usize) -> bool {
    scalars.is_multiple_of(16)
}

/// The type of a tensor in its buffer.
pub(super) fn stored_type(plan: &Plan, buffer: &Buffer, tensor: TensorId, scalar: &TokenStream) -> TokenStream {
    let of_type = tensor_type(plan.context.tensor(tensor), scalar);
    match buffer.examples.get(&tensor) {
        Some(&examples) => {
            let examples = Literal::usize_unsuffixed(examples);
            quote!([#of_type; #examples])
        }
        None => of_type,
    }
}
