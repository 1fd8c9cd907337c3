//! From a text to rules: one a line, two sides with `=` between them.

use super::formulas::{self, Symbols};
use super::subject::Subject;
use crate::diagnostic::Diagnostic;
use crate::limits;
use crate::model::rule::Meaning;
use crate::span::{SourceId, Sources, Span};
use crate::syntax::parse_expression;
use crate::syntax::tree::Expr;

/// A rule as it was written.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// The whole of it, without comments.
    pub(super) text: String,
    /// The line it stands on, from 1.
    pub(super) line: usize,
    /// Where.
    pub(super) span: Span,
    /// Left of the equals sign.
    pub(super) left: Expr,
    /// Right of it.
    pub(super) right: Expr,
}

/// The same text with `w[i, j]'` written `w'[i, j]`, as names are in the language. No byte moves farther than its brackets.
pub(super) fn with_primes_at_names(text: &str) -> String {
    text.split('\n').map(|line| if is_latex(line) { line.to_owned() } else { with_primes(line) }).collect::<Vec<_>>().join("\n")
}

/// Whether a rule is written in LaTeX: the language has no backslash.
fn is_latex(rule: &str) -> bool {
    rule.contains('\\')
}

fn with_primes(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut open = Vec::new();
    for position in 0..bytes.len() {
        match bytes[position] {
            b'[' => open.push(position),
            b']' => {
                let start = open.pop();
                if let (Some(start), Some(b'\'')) = (start, bytes.get(position + 1)) {
                    bytes[start..=position + 1].rotate_right(1);
                }
            }
            _ => {}
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// The rules of a file, each read or refused by itself; `written` is the text before [`with_primes_at_names`].
pub(super) fn split(sources: &Sources, source: SourceId, written: &str, symbols: &Symbols) -> Vec<Result<Rule, Vec<Diagnostic>>> {
    let text = &sources.get(source).text;
    let span = |start: usize, end: usize| Span { source, start: start as u32, end: end as u32 };
    if text.len() > limits::SOURCE_BYTES {
        let message = format!("these rules have {} bytes, and may have {}", text.len(), limits::SOURCE_BYTES);
        return vec![Err(vec![Diagnostic::error(span(0, 0), message)])];
    }
    let mut rules = Vec::new();
    let mut start = 0;
    for (number, line) in text.split('\n').enumerate() {
        let code = line.find("//").map_or(line, |comment| &line[..comment]);
        let first = start + code.len() - code.trim_start().len();
        let end = start + code.trim_end().len();
        if first < end {
            let rule = read(sources, span(first, end), number + 1, symbols);
            rules.push(rule.map(|rule| Rule { text: written.get(first..end).unwrap_or(&rule.text).to_owned(), ..rule }));
        }
        start += line.len() + 1;
    }
    rules
}

fn read(sources: &Sources, span: Span, line: usize, symbols: &Symbols) -> Result<Rule, Vec<Diagnostic>> {
    let text = sources.text(span);
    if is_latex(text) {
        let (left, right) = formulas::read(text, span, symbols).map_err(|message| vec![message])?;
        return Ok(Rule { text: text.to_owned(), line, span, left, right });
    }
    let Some(sign) = equals_sign(text) else {
        let message = Diagnostic::error(span, "a rule is an equation, and this has no `=`");
        return Err(vec![message.hint("such as `dE/dw[i, j] = dE/ds[j] * x[i]`")]);
    };
    let start = span.start as usize;
    let side = |from: usize, to: usize| {
        let part = &text[from..to];
        let first = start + from + part.len() - part.trim_start().len();
        let end = start + from + part.trim_end().len();
        if first >= end {
            let place = Span { start: (start + sign) as u32, end: (start + sign + 1) as u32, ..span };
            return Err(vec![Diagnostic::error(place, "a rule has two sides, and one is missing here")]);
        }
        parse_expression(sources, span.source, first..end)
    };
    let (left, right) = (side(0, sign), side(sign + 1, text.len()));
    match (left, right) {
        (Ok(left), Ok(right)) => Ok(Rule { text: text.to_owned(), line, span, left, right }),
        (left, right) => Err(left.err().into_iter().chain(right.err()).flatten().collect()),
    }
}

/// The first `=` that stands in no brackets and belongs to no comparison.
fn equals_sign(text: &str) -> Option<usize> {
    let mut depth = 0i32;
    let mut before = ' ';
    for (position, letter) in text.char_indices() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '=' if depth == 0 && !matches!(before, '<' | '>' | '!' | '=') && !text[position + 1..].starts_with('=') => {
                return Some(position);
            }
            _ => {}
        }
        before = letter;
    }
    None
}

/// That the sides of a rule are tensors of different shapes.
pub(super) fn shapes_differ(rule: &Rule, subject: &Subject<'_>, left: &Meaning, right: &Meaning) -> Diagnostic {
    let words = |meaning: &Meaning| match &meaning.axes[..] {
        [] => "is one number".to_owned(),
        axes => {
            let extents: Vec<String> = axes.iter().map(|&axis| subject.context.index_of(axis).extent().to_string()).collect();
            format!("has shape [{}]", extents.join(", "))
        }
    };
    let message = Diagnostic::error(rule.span, "the sides of this rule have different shapes");
    let message = message.also(rule.left.span, format!("this {}", words(left)));
    message.also(rule.right.span, format!("this {}", words(right))).hint("write both with indices, or both without")
}
