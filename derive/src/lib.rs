//! The attribute macro of deltarule: reads a spec, calls the compiler, and hands back its tokens.
//!
//! Users name it through the crate `deltarule`, where it is documented.

mod arguments;
mod expand;
mod source;
mod stub;

use proc_macro::TokenStream;

/// Turns a struct without fields into a network: the spec's parameters, with `predict`, `forward`, `backward` and `train`.
///
/// See the documentation of the crate `deltarule`.
#[proc_macro_attribute]
pub fn derive_backprop(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(arguments.into(), item.into()).into()
}
