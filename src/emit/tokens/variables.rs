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
use super::parallel::some_rows;
use crate::emit::names::{self, is_reserved};

impl Emitter<'_> {
    /// What makes all names that `block` may bind free for variables, inside the block.
    pub(super) fn free_names(&self, block: &TokenStream) -> TokenStream {
        let runtime = &self.options.runtime_path;
        let network = self.options.struct_name.to_string();
        let is_type = |name: &str| name.trim_start_matches('_').starts_with(&network);
        let kernels = self.plan.kernels.iter().enumerate().filter(|(at, kernel)| kernel.function == *at);
        let kernels = kernels.flat_map(|(_, kernel)| [names::ascii(&kernel.name), some_rows(kernel)]).collect();
        let names = variables(block, kernels).into_iter().filter(|name| !is_type(name));
        let names = names.map(|name| Ident::new(&name, Span::call_site()));
        quote! {
            /// What follows uses these names for variables, whatever they stand for outside.
            use #runtime::__private::{#(variable as #names),*};
        }
    }
}

/// The names in the tokens of items that may be those of variables, and maybe some more, but not the items' own names.
fn variables(items: &TokenStream, kernels: FxHashSet<String>) -> BTreeSet<String> {
    let mut search = Search { kernels, names: FxHashSet::default(), own: FxHashSet::default() };
    search.collect(items.clone(), true);
    let Search { names, own, .. } = search;
    names.into_iter().filter(|name| !own.contains(name) && !is_reserved(name)).collect()
}

/// The methods that are called once for each parameter, or for each kernel.
const WITHOUT_VARIABLES: [&str; 6] = ["as_flattened_mut", "fill", "uniform", "call", "run", "add"];

/// Looks for names.
struct Search {
    /// The functions whose calls bind nothing: nearly all tokens are what they are given.
    kernels: FxHashSet<String>,
    names: FxHashSet<String>,
    /// The items' own names.
    own: FxHashSet<String>,
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

impl Search {
    fn collect(&mut self, tokens: TokenStream, is_outermost: bool) {
        let mut tokens = tokens.into_iter().peekable();
        let (mut before, mut is_struct) = (Before::Other, false);
        while let Some(token) = tokens.next() {
            before = match token {
                TokenTree::Group(group) => {
                    // Fields bind nothing where they are declared.
                    if before != Before::Attribute && !is_struct {
                        self.collect(group.stream(), false);
                    }
                    is_struct &= before == Before::Attribute;
                    Before::Other
                }
                TokenTree::Punct(punct) => match punct.as_char() {
                    '#' => Before::Attribute,
                    '.' | '\'' => Before::Member,
                    ':' if before == Before::Colon => Before::Path,
                    ':' => Before::Colon,
                    _ => Before::Other,
                },
                TokenTree::Ident(method) if before == Before::Member => {
                    // What these are given binds nothing.
                    if matches!(tokens.peek(), Some(TokenTree::Group(_))) && WITHOUT_VARIABLES.contains(&&method.to_string()[..])
                    {
                        tokens.next();
                    }
                    Before::Other
                }
                TokenTree::Ident(_) if before == Before::Path => Before::Other,
                TokenTree::Ident(name) => {
                    let name = name.to_string();
                    let name_is_struct = name == "struct";
                    let is_item = name_is_struct || matches!(&name[..], "fn" | "static" | "const");
                    match before {
                        Before::Item if is_outermost => _ = self.own.insert(name),
                        Before::Item => {}
                        _ if names_something_else(tokens.peek()) => {
                            if self.kernels.contains(&name) {
                                tokens.next();
                            }
                        }
                        _ => _ = self.names.insert(name),
                    }
                    is_struct |= name_is_struct;
                    if is_item { Before::Item } else { Before::Other }
                }
                TokenTree::Literal(_) => Before::Other,
            };
        }
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
                kernel(x, W);
                other(|given| given)
            }
            impl Net { fn draw(&self, mut draw: impl FnMut()) {} }
        };
        let found: Vec<String> = variables(&items, FxHashSet::from_iter(["kernel".to_owned()])).into_iter().collect();
        for name in ["x", "W", "values", "first", "i", "value", "closure", "lane", "draw", "given"] {
            assert!(found.iter().any(|found| found == name), "{name} is not among {found:?}");
        }
        for name in ["kernel", "inline", "f32", "let", "exp", "other", "Scratch"] {
            assert!(found.iter().all(|found| found != name), "{name} is among {found:?}");
        }
    }
}
