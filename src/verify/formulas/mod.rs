//! Rules in LaTeX, in the notations of the sheet, read back into the language of specs.
//!
//! Only the part of LaTeX that the sheet prints is read, and what people write in its place: fractions, roots, sums with ranges and
//! conditions, cases, brackets for conditions, scripts. Which symbol stands for which tensor is the sheet's own table.

mod build;
mod commands;
mod conditions;
mod elements;
mod indices;
mod latex;
mod ranges;
mod reader;
mod symbols;
mod tokens;

use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::syntax::tree::Expr;
use latex::tokens;
use reader::Reader;
pub(super) use symbols::Symbols;
use tokens::Kind;

/// Both sides of a rule that stands at `span`.
pub(super) fn read(text: &str, span: Span, symbols: &Symbols) -> Result<(Expr, Expr), Diagnostic> {
    let tokens = tokens(text, span)?;
    let mut depth = 0i32;
    let sign = tokens.iter().position(|token| {
        match token.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        let is_relation = match &token.kind {
            Kind::Sign('=') => true,
            Kind::Command(name) => name == "leftarrow" || name == "gets",
            _ => false,
        };
        depth == 0 && is_relation
    });
    let Some(sign) = sign else {
        return Err(Diagnostic::error(span, "a rule is an equation, and this has neither `=` nor `\\leftarrow`"));
    };
    let is_update = tokens[sign].kind != Kind::Sign('=');
    let end = Span { start: span.end, ..span };
    let mut left_side = Reader::new(symbols, &tokens[..sign], tokens[sign].span);
    let left = left_side.left(is_update)?;
    let mut right_side = Reader::new(symbols, &tokens[sign + 1..], end);
    right_side.adopt(&left_side, &left);
    let right = right_side.whole()?;
    Ok((left, right))
}
