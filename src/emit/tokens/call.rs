//! A call of a kernel.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::emit::layout::is_scalar;
use crate::emit::plan::{Kernel, Plan, Storage};
use crate::equation::TensorId;

/// A function that computes more kernels than this is called by each, not copied into the pass.
pub(super) const INLINED: usize = 16;

/// A call of a kernel, given how a pass reaches a tensor.
pub(super) fn call(plan: &Plan, kernel: &Kernel, scalar: &TokenStream, place: impl Fn(TensorId) -> TokenStream) -> TokenStream {
    let name = super::identifier(&plan.function_of(kernel).name);
    let arguments = arguments(plan, kernel, scalar, place);
    if super::tile::is_tiled(kernel) {
        quote!(#name(vectors, examples, is_first, #(#arguments),*))
    } else if is_task(plan, kernel) {
        let run = if kernel.alike > INLINED { quote!(call) } else { quote!(run) };
        quote!(vectors.#run(#name(#(#arguments),*)))
    } else if takes_vectors(plan, kernel) {
        quote!(#name(vectors, #(#arguments),*))
    } else {
        quote!(#name(#(#arguments),*))
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

/// The arguments of a call of a kernel, given how a pass reaches a tensor; in the order of the function's parameters.
pub(super) fn arguments(
    plan: &Plan,
    kernel: &Kernel,
    scalar: &TokenStream,
    place: impl Fn(TensorId) -> TokenStream,
) -> Vec<TokenStream> {
    let is_double = kernel.in_double || scalar.to_string() == "f64";
    let reads = kernel.reads.iter().map(|&tensor| {
        if let Some(of) = super::tile::row_of(plan, tensor) {
            return in_a_row(plan, of, &super::tile::of_examples(plan, of, place(of), false), false);
        }
        let place = place(tensor);
        if plan.storage(tensor) == Storage::Scalar {
            if is_double { place } else { quote!(#place as #scalar) }
        } else if is_scalar(plan.context.tensor(tensor)) {
            place
        } else {
            reborrow(&place, &quote!(&))
        }
    });
    let writes = kernel.writes.iter().map(|&tensor| match super::tile::row_of(plan, tensor) {
        Some(of) => in_a_row(plan, of, &super::tile::of_examples(plan, of, place(of), true), true),
        None => reborrow(&place(tensor), &quote!(&mut)),
    });
    reads.chain(writes).collect()
}

/// All elements of a tensor as a slice.
fn in_a_row(plan: &Plan, tensor: TensorId, place: &TokenStream, is_written: bool) -> TokenStream {
    let borrow = if is_written { quote!(&mut) } else { quote!(&) };
    let (from, flatten) = if is_written { ("from_mut", "as_flattened_mut") } else { ("from_ref", "as_flattened") };
    let (from, flatten) = (Ident::new(from, Span::call_site()), Ident::new(flatten, Span::call_site()));
    match plan.context.tensor(tensor).shape.len() {
        0 => {
            let reference = reborrow(place, &borrow);
            quote!(core::slice::#from(#reference))
        }
        1 => quote!(#borrow (#place)[..]),
        rank => {
            let flattened = (1..rank).map(|_| quote!(.#flatten()));
            quote!((#place) #(#flattened)*)
        }
    }
}

/// `&place`, or just `reference` where the place is `*reference`.
fn reborrow(place: &TokenStream, borrow: &TokenStream) -> TokenStream {
    let mut tokens = place.clone().into_iter();
    match tokens.next() {
        Some(proc_macro2::TokenTree::Punct(star)) if star.as_char() == '*' => tokens.collect(),
        _ => quote!(#borrow #place),
    }
}
