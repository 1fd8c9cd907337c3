//! The one way a spec is laid out.
//!
//! Takes the text of a spec without mistakes in its syntax, gives the same tokens and comments in the same order with other blanks
//! between them: operators spaced, bodies indented, at most one empty line in a row. Lines end where their author ended
//! them. What has its place by design stays there: columns of keywords, `~`, `=` and `|>` over consecutive lines, and comments behind a line.
//!
//! Knows tokens only (`tokens.rs`), so that it has nothing to say about the meaning; `lines.rs` sets each line, `align.rs` the columns.

mod align;
mod lines;
mod tokens;

use crate::diagnostic::Diagnostics;
use crate::span::Sources;
use crate::syntax;

/// Lays out the text of a spec. Formatting what was formatted changes nothing.
///
/// The end of a line is written as the first one is, `\n` or `\r\n`. Files that the spec includes are not looked at.
///
/// # Errors
/// What is wrong with the syntax, under the name given; such a text has no layout.
pub fn format(name: &str, text: &str) -> Result<String, Diagnostics> {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let (_, messages) = syntax::parse(&sources, id);
    let diagnostics = Diagnostics { sources, messages };
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let (mark, text) = match text.strip_prefix('\u{feff}') {
        Some(rest) => ("\u{feff}", rest),
        None => ("", text),
    };
    let line_end =
        if text.split('\n').next().is_some_and(|line| line.len() < text.len() && line.ends_with('\r')) { "\r\n" } else { "\n" };
    let plain = with_plain_line_ends(text);
    let mut lines = lines::set(&tokens::split(&plain));
    align::align(&mut lines);
    Ok(mark.to_owned() + &lines::join(&lines).replace('\n', line_end))
}

/// Ends each line with `\n` alone.
fn with_plain_line_ends(text: &str) -> String {
    let mut lines = text.split('\n').peekable();
    let mut plain = String::with_capacity(text.len());
    while let Some(line) = lines.next() {
        if lines.peek().is_some() {
            plain += line.trim_end_matches('\r');
            plain.push('\n');
        } else {
            plain += line;
        }
    }
    plain
}

#[cfg(test)]
mod tests;
