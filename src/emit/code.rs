//! Code as text.

extern crate proc_macro;

use std::fmt::{self, Write};

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};

use super::tokens::doc_line;

/// Code that is written as text, and becomes tokens all at once.
///
/// A net has thousands of calls, fields and places, and one for each layer of most of them. A compiler reads their text far quicker than
/// a macro makes their tokens, where each stream of tokens is a call into the compiler.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Code(String);

impl Code {
    /// Empty, with room for so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Code {
        Code(String::with_capacity(bytes))
    }

    /// Appends text.
    pub(super) fn push(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// Appends what `format_args!` makes.
    pub(super) fn add(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        _ = self.0.write_fmt(text);
    }

    /// Appends a line of documentation.
    pub(super) fn add_line(&mut self, line: &str) {
        self.add(format_args!("#[doc = {:?}]\n", doc_line(line)));
    }

    /// Appends tokens that do not come from a user: their places are lost.
    pub(super) fn add_tokens(&mut self, tokens: &TokenStream) {
        self.add(format_args!(" {tokens} "));
    }

    /// Its text.
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// A number with its sign, which is no part of a literal.
pub(super) struct Signed {
    is_negative: bool,
    literal: Literal,
}

impl Signed {
    /// Of the type that is expected.
    pub(super) fn unsuffixed(number: f64) -> Signed {
        Signed { is_negative: number < 0.0, literal: Literal::f64_unsuffixed(number.abs()) }
    }

    /// Of the type `f64`.
    pub(super) fn suffixed(number: f64) -> Signed {
        Signed { is_negative: number < 0.0, literal: Literal::f64_suffixed(number.abs()) }
    }
}

impl fmt::Display for Signed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.is_negative { "-" } else { "" })?;
        self.literal.fmt(formatter)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl ToTokens for Code {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        if !self.0.is_empty() {
            // As one stream, not token by token.
            tokens.extend([self.to_token_stream()]);
        }
    }

    fn to_token_stream(&self) -> TokenStream {
        tokens(&self.0).unwrap_or_else(|| quote!(compile_error!("the text of emitted code has no tokens")))
    }
}

/// The tokens of a text. In a macro the compiler reads it, which is optimized even where all that a build runs is not; `proc_macro2` would read
/// it before, to see whether it can be read.
fn tokens(text: &str) -> Option<TokenStream> {
    if proc_macro::is_available() {
        return text.parse::<proc_macro::TokenStream>().ok().map(TokenStream::from);
    }
    text.parse().ok()
}
