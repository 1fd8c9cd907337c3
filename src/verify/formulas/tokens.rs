//! Tokens of formulas, whatever they are written in.

use crate::span::Span;

/// A token of a formula.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A letter, or a word set upright: a part of a name.
    Word(String),
    /// A number without a sign.
    Number(f64),
    /// A function or another command, without its backslash.
    Command(String),
    /// A sign.
    Sign(char),
    /// The end of a row.
    NewRow,
}

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
}
