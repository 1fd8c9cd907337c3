//! From a text to rules: one a line, two sides with `=` between them.

use super::formulas::{self, Symbols, Written};
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
    /// Where.
    pub(super) span: Span,
    /// Left of the equals sign.
    pub(super) left: Expr,
    /// Right of it.
    pub(super) right: Expr,
    /// Indices that have a range of their own: the first value and one past the last, from 0.
    pub(super) ranges: Vec<(String, i64, i64)>,
    /// The number of the layer, where this is one of the rules that a rule for layers in general stands for.
    pub(super) layer: Option<(String, i64)>,
}

/// The rules that stand on one line: several where it is about layers in general.
pub(super) struct Line {
    /// What stands there.
    pub(super) text: String,
    /// Its number, from 1.
    pub(super) number: usize,
    /// The rule, for each layer.
    pub(super) rules: Vec<Rule>,
    /// The letter and number of a layer that the line names and that cannot be, and why.
    pub(super) beyond: Option<(i64, Diagnostic)>,
}

/// The same text with `w[i, j]'` written `w'[i, j]`, as names are in the language. No byte moves farther than its brackets.
pub(super) fn with_primes_at_names(text: &str, symbols: &Symbols) -> String {
    let as_named = |line| if is_formula(line, symbols) { str::to_owned(line) } else { with_primes(line) };
    text.split('\n').map(as_named).collect::<Vec<_>>().join("\n")
}

/// Whether a rule is written as on the sheet, in LaTeX or in text.
fn is_formula(rule: &str, symbols: &Symbols) -> bool {
    formulas::is_latex(rule) || formulas::is_text(without_comment(rule), symbols)
}

fn without_comment(line: &str) -> &str {
    line.find("//").map_or(line, |comment| &line[..comment])
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
pub(super) fn split(sources: &Sources, source: SourceId, written: &str, symbols: &Symbols) -> Vec<Result<Line, Vec<Diagnostic>>> {
    let text = &sources.get(source).text;
    let span = |start: usize, end: usize| Span { source, start: start as u32, end: end as u32 };
    if text.len() > limits::SOURCE_BYTES {
        let message = format!("these rules have {} bytes, and may have {}", text.len(), limits::SOURCE_BYTES);
        return vec![Err(vec![Diagnostic::error(span(0, 0), message)])];
    }
    let mut rules = Vec::new();
    let mut start = 0;
    for (number, line) in text.split('\n').enumerate() {
        let code = without_comment(line);
        let first = start + code.len() - code.trim_start().len();
        let end = start + code.trim_end().len();
        if first < end {
            let line = read(sources, span(first, end), number + 1, symbols);
            rules.push(line.map(|line| Line { text: written.get(first..end).unwrap_or(&line.text).to_owned(), ..line }));
        }
        start += line.len() + 1;
    }
    rules
}

fn read(sources: &Sources, span: Span, number: usize, symbols: &Symbols) -> Result<Line, Vec<Diagnostic>> {
    let text = sources.text(span);
    let mut line = Line { text: text.to_owned(), number, rules: Vec::new(), beyond: None };
    let as_formula = || formulas::read(text, span, symbols).map_err(|message| vec![message]);
    let layers = if is_formula(text, symbols) {
        as_formula()?
    } else {
        match sides(sources, span) {
            Ok((left, right)) => {
                line.rules.push(Rule { span, left, right, ranges: Vec::new(), layer: None });
                return Ok(line);
            }
            // `f = z q` is text of the sheet, although nothing in it shows that but the product.
            Err(messages) => as_formula().map_err(|_| messages)?,
        }
    };
    for written in layers {
        match written {
            Ok(Written { left, right, ranges, layer }) => line.rules.push(Rule { span, left, right, ranges, layer }),
            Err(beyond) => line.beyond = line.beyond.or(Some(beyond)),
        }
    }
    Ok(line)
}

/// Both sides of a rule in the language of specs.
fn sides(sources: &Sources, span: Span) -> Result<(Expr, Expr), Vec<Diagnostic>> {
    let text = sources.text(span);
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
        (Ok(left), Ok(right)) => Ok((left, right)),
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
