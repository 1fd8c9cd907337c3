//! From text to tree: the grammar of `grammar/network.pest`, lowered by hand.
//!
//! Takes a text; gives a [`Spec`] and what is wrong with the text. Each statement is parsed by itself, so several mistakes
//! are found at once, and the tree holds the statements that could be read. No text makes it panic or run without bound.

mod complaints;
mod expressions;
mod grammar;
mod layout;
#[rustfmt::skip]
mod parser;
#[cfg(feature = "sheet")]
mod print;
mod statements;
pub mod tree;
mod vocabulary;

use crate::diagnostic::Diagnostic;
use crate::limits;
use crate::span::{SourceId, Sources, Span};

#[cfg(feature = "sheet")]
pub use print::{print, print_expression};
pub use tree::Spec;

/// The definitions that every spec starts with.
pub const PRELUDE: &str = include_str!("../../grammar/prelude.spec");

/// The letters a statement begins with.
fn first_word(statement: &str) -> &str {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '\'';
    &statement[..statement.find(|letter| !is_part(letter)).unwrap_or(statement.len())]
}

/// Whether a word at the beginning of a statement says which statement it is.
pub(crate) fn begins_statement(word: &str) -> bool {
    vocabulary::KEYWORDS.iter().any(|(keyword, _)| *keyword == word)
}

/// Reads the text of a spec.
///
/// The messages are in the order of the text. Where one is an error, the tree lacks the statement it speaks of.
pub fn parse(sources: &Sources, id: SourceId) -> (Spec, Vec<Diagnostic>) {
    let text = &sources.get(id).text;
    let mut diagnostics = Vec::new();
    if text.len() > limits::SOURCE_BYTES {
        let start = Span { source: id, start: 0, end: 0 };
        let message = format!("this file has {} bytes, and a spec may have {}", text.len(), limits::SOURCE_BYTES);
        return (Spec::default(), vec![Diagnostic::error(start, message)]);
    }
    let chunks = layout::split(text, id, &mut diagnostics);
    let mut lowering = statements::Lowering::new(text, id, diagnostics);
    lowering.file(&chunks);
    lowering.finish()
}

/// Reads a part of a text as one expression, such as a side of a rule.
///
/// # Errors
/// What is wrong with it.
pub fn parse_expression(sources: &Sources, id: SourceId, range: std::ops::Range<usize>) -> Result<tree::Expr, Vec<Diagnostic>> {
    let text = &sources.get(id).text;
    let mut diagnostics = Vec::new();
    if !layout::is_sound(text, range.clone(), id, &mut diagnostics) {
        return Err(diagnostics);
    }
    statements::side(&text[range.clone()], grammar::Place { source: id, offset: range.start }).map_err(|message| vec![*message])
}

/// Reads bytes as UTF-8, as every spec is.
///
/// # Errors
/// Where the first byte is that is not, by line and by count.
pub fn decode(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = bytes[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("not UTF-8: the byte 0x{:02X} on line {line}, at offset {valid} of the file, begins no character", bytes[valid])
    })
}
