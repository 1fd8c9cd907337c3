//! Expressions by which passes reach tensors.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};

use super::space::Stored;

/// A place, such as `parameters.dense1.w` or `*gradient.dense1_w`.
///
/// It is kept as single tokens: a net has thousands of them, and each stream of tokens costs a macro a call into the compiler.
#[derive(Clone, Debug)]
pub(super) struct Access {
    /// Whether the tokens are a reference, which is to be followed.
    is_reference: bool,
    tokens: Vec<TokenTree>,
}

impl Access {
    /// A local variable.
    pub(super) fn local(name: Ident) -> Access {
        Access { is_reference: false, tokens: vec![name.into()] }
    }

    /// A local variable of that name.
    pub(super) fn variable(name: &str) -> Access {
        Access::local(Ident::new(name, Span::call_site()))
    }

    /// What a local variable refers to; with fields, what they refer to.
    pub(super) fn reference(name: &str) -> Access {
        Access { is_reference: true, ..Access::variable(name) }
    }

    pub(super) fn field(mut self, name: Ident) -> Access {
        self.tokens.extend([TokenTree::from(Punct::new('.', Spacing::Alone)), name.into()]);
        self
    }

    pub(super) fn fields(self, names: &[Ident]) -> Access {
        names.iter().cloned().fold(self, Access::field)
    }

    /// Where a struct of buffers holds a tensor.
    pub(super) fn stored(mut self, stored: Option<&Stored>) -> Access {
        self.tokens.push(Punct::new('.', Spacing::Alone).into());
        self.tokens.extend(stored.into_iter().flat_map(Stored::trees));
        self
    }

    /// An element, by the name of its index.
    pub(super) fn element(mut self, index: &str) -> Access {
        let index = Ident::new(index, Span::call_site());
        self.tokens.push(Group::new(Delimiter::Bracket, index.into_token_stream()).into());
        self
    }

    /// `&place`, or just the reference that leads to it.
    pub(super) fn borrow(self, is_mutable: bool, tokens: &mut TokenStream) {
        if !self.is_reference {
            tokens.append(Punct::new('&', Spacing::Alone));
            if is_mutable {
                tokens.append(Ident::new("mut", Span::call_site()));
            }
        }
        tokens.extend(self.tokens);
    }
}

impl ToTokens for Access {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        if self.is_reference {
            tokens.append(Punct::new('*', Spacing::Alone));
        }
        tokens.append_all(&self.tokens);
    }
}
