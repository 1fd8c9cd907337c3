//! Names of variables, which constants of the user's must not take over.
//!
//! A pattern that is a name binds a variable, unless a constant of that name is in scope, a `const W` or a unit struct beside the network, say:
//! then it compares. No span helps, for macros see all items where they are called. But a function may be hidden by a variable.
//! So each name that generated code may bind is imported as one, nearer than what the user has.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Ident, Spacing, Span, TokenStream, TokenTree};
use quote::quote;

use super::Emitter;
use crate::emit::names::is_reserved;

impl Emitter<'_> {
    /// What makes all names that `block` may bind free for variables, inside the block.
    pub(super) fn free_names(&self, block: &TokenStream) -> TokenStream {
        let runtime = &self.options.runtime_path;
        let network = self.options.struct_name.to_string();
        let is_type = |name: &str| name.trim_start_matches('_').starts_with(&network);
        let names = variables(block).into_iter().filter(|name| !is_type(name));
        let names = names.map(|name| Ident::new(&name, Span::call_site()));
        quote! {
            /// What follows uses these names for variables, whatever they stand for outside.
            use #runtime::__private::{#(variable as #names),*};
        }
    }
}

/// The names in the tokens of items that may be those of variables, and maybe some more, but not the items' own names.
fn variables(items: &TokenStream) -> BTreeSet<String> {
    let (mut names, mut own) = (BTreeSet::new(), BTreeSet::new());
    collect(items, &mut names, Some(&mut own));
    names.retain(|name| !own.contains(name) && !is_reserved(name));
    names
}

fn collect(tokens: &TokenStream, names: &mut BTreeSet<String>, mut own: Option<&mut BTreeSet<String>>) {
    let mut tokens = tokens.clone().into_iter().peekable();
    let (mut before, mut is_path) = (String::new(), false);
    while let Some(token) = tokens.next() {
        match &token {
            TokenTree::Group(group) if before != "#" => collect(&group.stream(), names, None),
            TokenTree::Ident(name) => {
                let name = name.to_string();
                if matches!(&before[..], "fn" | "struct" | "static" | "const") {
                    if let Some(own) = &mut own {
                        own.insert(name.clone());
                    }
                } else if !is_path && !matches!(&before[..], "." | "'") && !names_something_else(tokens.peek()) {
                    names.insert(name);
                }
            }
            _ => {}
        }
        is_path = before == ":" && token.to_string() == ":";
        before = match token {
            TokenTree::Group(_) => String::new(),
            other => other.to_string(),
        };
    }
}

/// Whether the token after a name shows that it is no variable that is bound here: a path, a call, a struct, a macro.
fn names_something_else(next: Option<&TokenTree>) -> bool {
    match next {
        Some(TokenTree::Punct(punct)) => punct.as_char() == '!' || punct.as_char() == ':' && punct.spacing() == Spacing::Joint,
        Some(TokenTree::Group(group)) => matches!(group.delimiter(), Delimiter::Parenthesis | Delimiter::Brace),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bound_names_are_found_and_items_are_not() {
        let items = quote! {
            #[inline]
            fn kernel(x: &[f32; 4], W: &mut f32) -> f32 {
                let Scratch { values, work: [first, ..], .. } = scratch();
                for (i, value) in x.iter().enumerate() { *W += math::exp(*value) * 'a'; }
                let closure = |lane: usize| lane + 1;
                other!(closure);
                kernel(x, W)
            }
            impl Net { fn draw(&self, mut draw: impl FnMut()) {} }
        };
        let found: Vec<String> = variables(&items).into_iter().collect();
        for name in ["x", "W", "values", "first", "i", "value", "closure", "lane", "draw"] {
            assert!(found.iter().any(|found| found == name), "{name} is not among {found:?}");
        }
        for name in ["kernel", "inline", "f32", "let", "exp", "other", "Scratch"] {
            assert!(found.iter().all(|found| found != name), "{name} is among {found:?}");
        }
    }
}
