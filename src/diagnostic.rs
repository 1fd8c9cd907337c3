//! Messages about a spec: what is wrong, where, what was expected, and what to try.
//!
//! Every stage collects [`Diagnostic`]s and goes on where it can, so that a user sees all mistakes at once.
//! [`Diagnostics`] owns the source texts and draws the messages; the command and the macro share it.

mod drawing;

pub(crate) use drawing::is_unprintable;

use crate::limits;
use crate::span::{Sources, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The spec means something, but probably not what its author wanted.
    Warning,
    /// The spec cannot be used.
    Error,
}

/// A second place that a message speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is there, such as `this has shape [32]`.
    pub text: String,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the spec can be used all the same.
    pub severity: Severity,
    /// The place to underline.
    pub span: Span,
    /// What is wrong, in one line, lower case, without a full stop.
    pub message: String,
    /// What stands at [`Self::span`], written beside the carets; may be empty.
    pub label: String,
    /// Further places, each underlined in turn.
    pub also: Vec<Label>,
    /// What to try, one suggestion each.
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            span,
            message: message.into(),
            label: String::new(),
            also: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// A warning at `span`.
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(span, message) }
    }

    /// Says what stands at the main place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    /// Underlines a second place.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.also.push(Label { span, text: text.into() });
        self
    }

    /// Draws the message without its severity: what is wrong, the place, the line with carets, further places, hints.
    ///
    /// Ends without the end of a line. The text is the same on every machine and without colours.
    pub fn draw(&self, sources: &Sources) -> String {
        drawing::draw(self, sources)
    }

    /// Adds a suggestion.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hints.push(text.into());
        self
    }
}

/// The messages of one run, together with the texts they point into.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    /// The files.
    pub sources: Sources,
    /// The messages, in the order in which they were found.
    pub messages: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Whether any message is an error.
    pub fn has_errors(&self) -> bool {
        self.messages.iter().any(|message| message.severity == Severity::Error)
    }

    /// Adds a message.
    pub fn push(&mut self, message: Diagnostic) {
        self.messages.push(message);
    }

    /// Draws all messages, up to a stated number, and counts them at the end; empty where there is none.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for message in self.messages.iter().take(limits::DRAWN_MESSAGES) {
            let severity = match message.severity {
                Severity::Warning => "warning",
                Severity::Error => "error",
            };
            text.push_str(&format!("{severity}: {}\n\n", message.draw(&self.sources)));
        }
        let left_out = self.messages.len().saturating_sub(limits::DRAWN_MESSAGES);
        if left_out > 0 {
            text.push_str(&format!("… and {left_out} more\n\n"));
        }
        let count = |severity| self.messages.iter().filter(|message| message.severity == severity).count();
        let counted = [(count(Severity::Error), "error"), (count(Severity::Warning), "warning")];
        let summary: Vec<String> = counted
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
            .collect();
        if !summary.is_empty() {
            text.push_str(&summary.join(", "));
            text.push('\n');
        }
        text
    }
}

/// The candidate that `name` was probably meant to be: few edits away, the fewest first, in the order given.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let most = (name.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other: Vec<char> = candidate.to_lowercase().chars().collect();
        if name.len().abs_diff(other.len()) > most || name.len() > limits::COMPARED_LETTERS {
            continue;
        }
        let edits = edit_distance(&name, &other);
        // One letter against one other letter is no likeness.
        let alike = edits <= most && edits < name.len().max(other.len());
        if alike && best.is_none_or(|(fewest, _)| edits < fewest) {
            best = Some((edits, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// How many letters must be put in, taken out, changed or swapped with their neighbour (Damerau 1964, optimal string alignment).
fn edit_distance(left: &[char], right: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, letter) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let change = last[column] + usize::from(letter != other);
            let mut fewest = change.min(last[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *letter == right[column - 1] && left[row - 1] == *other {
                fewest = fewest.min(before_last[column - 1] + 1);
            }
            current.push(fewest);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}
