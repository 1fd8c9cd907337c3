//! Names of variables, which constants of the user's must not take over.
//!
//! A pattern that is a name binds a variable, unless a constant of that name is in scope, a `const W` or a unit struct beside the network, say:
//! then it compares. No span helps, for macros see all items where they are called. But a function may be hidden by a variable.
//! So each name that generated code may bind is imported as one, nearer than what the user has.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Ident, Spacing, Span, TokenStream, TokenTree};
use quote::quote;
use rustc_hash::FxHashSet;

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
    let (mut names, mut own) = (FxHashSet::default(), FxHashSet::default());
    collect(items.clone(), &mut names, Some(&mut own));
    names.into_iter().filter(|name| !own.contains(name) && !is_reserved(name)).collect()
}

/// What stands before a token.
#[derive(PartialEq)]
enum Before {
    /// `#`, before an attribute.
    Attribute,
    /// `.` or `'`.
    Member,
    Colon,
    /// `::`
    Path,
    /// `fn` and the like, before the name of an item.
    Item,
    Other,
}

fn collect(tokens: TokenStream, names: &mut FxHashSet<String>, mut own: Option<&mut FxHashSet<String>>) {
    let mut tokens = tokens.into_iter().peekable();
    let mut before = Before::Other;
    while let Some(token) = tokens.next() {
        before = match token {
            TokenTree::Group(group) => {
                if before != Before::Attribute {
                    collect(group.stream(), names, None);
                }
                Before::Other
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                '#' => Before::Attribute,
                '.' | '\'' => Before::Member,
                ':' if before == Before::Colon => Before::Path,
                ':' => Before::Colon,
                _ => Before::Other,
            },
            TokenTree::Ident(_) if matches!(before, Before::Member | Before::Path) => Before::Other,
            TokenTree::Ident(name) => {
                let name = name.to_string();
                let is_item = matches!(&name[..], "fn" | "struct" | "static" | "const");
                match (&before, &mut own) {
                    (Before::Item, Some(own)) => _ = own.insert(name),
                    (Before::Item, None) => {}
                    _ if names_something_else(tokens.peek()) => {}
                    _ => _ = names.insert(name),
                }
                if is_item { Before::Item } else { Before::Other }
            }
            TokenTree::Literal(_) => Before::Other,
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
