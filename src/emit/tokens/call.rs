//! A call of a kernel.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream};
use quote::{ToTokens, TokenStreamExt, quote};

use crate::emit::ScalarType;
use crate::emit::access::Access;
use crate::emit::layout::is_scalar;
use crate::emit::plan::{Kernel, Plan, Storage};
use crate::equation::TensorId;

/// A function that computes more kernels than this is called by each, not copied into the pass.
pub(super) const INLINED: usize = 16;

/// Writes a call of a kernel, given how a pass reaches a tensor.
pub(super) fn call(
    plan: &Plan,
    kernel: &Kernel,
    scalar: ScalarType,
    place: impl Fn(TensorId) -> Access,
    tokens: &mut TokenStream,
) {
    let name = super::identifier(&plan.function_of(kernel).name);
    let (is_tiled, is_task) = (super::tile::is_tiled(kernel), is_task(plan, kernel));
    let mut given = TokenStream::new();
    if is_tiled {
        given.extend(quote!(vectors, examples, is_first,));
    } else if !is_task && takes_vectors(plan, kernel) {
        given.extend(quote!(vectors,));
    }
    for argument in arguments(kernel) {
        argument.write(plan, kernel, scalar, &place, &mut given);
        given.append(Punct::new(',', Spacing::Alone));
    }
    let given = Group::new(Delimiter::Parenthesis, given);
    if is_task {
        let run = if kernel.alike > INLINED { quote!(vectors.call) } else { quote!(vectors.run) };
        tokens.extend(run);
        tokens.append(Group::new(Delimiter::Parenthesis, quote!(#name #given)));
    } else {
        tokens.append(name);
        tokens.append(given);
    }
}

/// Whether a kernel computes with the instructions of the pass. What has a result of its own is for all passes.
pub(super) fn takes_vectors(plan: &Plan, kernel: &Kernel) -> bool {
    plan.is_vectorized && kernel.result.is_none()
}

/// Whether a kernel runs as a function of its own with the instructions of the pass.
pub(super) fn is_task(plan: &Plan, kernel: &Kernel) -> bool {
    let is_over_rows = || kernel.reads.iter().chain(&kernel.writes).any(|&tensor| super::tile::row_of(plan, tensor).is_some());
    let is_called_often = takes_vectors(plan, kernel) && kernel.alike > INLINED;
    !super::tile::is_tiled(kernel) && (is_called_often || is_over_rows())
}

/// An argument of a call of a kernel.
#[derive(Clone, Copy)]
pub(super) struct Argument {
    pub(super) tensor: TensorId,
    pub(super) is_written: bool,
}

/// The arguments of a call of a kernel, in the order of the function's parameters.
pub(super) fn arguments(kernel: &Kernel) -> impl Iterator<Item = Argument> {
    let reads = kernel.reads.iter().map(|&tensor| Argument { tensor, is_written: false });
    reads.chain(kernel.writes.iter().map(|&tensor| Argument { tensor, is_written: true }))
}

impl Argument {
    /// Writes the argument, given how a pass reaches a tensor.
    pub(super) fn write(
        self,
        plan: &Plan,
        kernel: &Kernel,
        scalar: ScalarType,
        place: impl Fn(TensorId) -> Access,
        tokens: &mut TokenStream,
    ) {
        let Argument { tensor, is_written } = self;
        if let Some(of) = super::tile::row_of(plan, tensor) {
            return in_a_row(plan, of, place(of), is_written, tokens);
        }
        let place = place(tensor);
        if !is_written && plan.storage(tensor) == Storage::Scalar {
            place.to_tokens(tokens);
            if !kernel.in_double && scalar == ScalarType::F32 {
                tokens.append(Ident::new("as", Span::call_site()));
                tokens.append(super::identifier(scalar.name()));
            }
        } else if !is_written && is_scalar(plan.context.tensor(tensor)) {
            place.to_tokens(tokens);
        } else {
            place.borrow(is_written, tokens);
        }
    }
}

/// Writes all elements of a tensor as a slice; of all examples there are, if it holds examples.
fn in_a_row(plan: &Plan, tensor: TensorId, place: Access, is_written: bool, tokens: &mut TokenStream) {
    let holds_examples = super::tile::holds_all_examples(plan, tensor);
    let function = match (holds_examples, is_written) {
        (false, false) => "row",
        (false, true) => "row_mut",
        (true, false) => "first_rows",
        (true, true) => "first_rows_mut",
    };
    let mut given = TokenStream::new();
    place.borrow(is_written, &mut given);
    if holds_examples {
        given.append(Punct::new(',', Spacing::Alone));
        given.append(Ident::new("examples", Span::call_site()));
    }
    tokens.append(Ident::new("memory", Span::call_site()));
    tokens.append(Punct::new(':', Spacing::Joint));
    tokens.append(Punct::new(':', Spacing::Alone));
    tokens.append(Ident::new(function, Span::call_site()));
    tokens.append(Group::new(Delimiter::Parenthesis, given));
}
