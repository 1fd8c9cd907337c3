//! What stands in for a network whose spec has errors, so that only those errors are reported.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::DeriveInput;

/// What a network's types are called behind its own name.
const SUFFIXES: [&str; 8] = ["Values", "Scratch", "State", "Input", "Target", "Output", "Noise", "Gradient"];

/// The names that a network may have, all for a type that takes an error where a number stands. The compiler reports that error, and
/// is silent about whatever is done with such a type: which methods, fields and traits it has is not known.
pub(crate) fn stub(structure: &DeriveInput, error: &TokenStream) -> TokenStream {
    let (name, visibility) = (&structure.ident, &structure.vis);
    let unknown = format_ident!("__{name}WithErrors");
    let others = SUFFIXES.map(|suffix| format_ident!("{name}{suffix}"));
    quote! {
        #[doc(hidden)]
        #[allow(dead_code)]
        #visibility struct #unknown<const ERROR: usize>;
        #[allow(missing_docs, dead_code)]
        #visibility type #name = #unknown<{ #error }>;
        #(
            #[allow(missing_docs, dead_code)]
            #visibility type #others = #name;
        )*
    }
}
