//! Messages about a spec: what is wrong, where, what was expected, and what to try.
//!
//! Every stage collects [`Diagnostic`]s and goes on where it can, so that a user sees all mistakes at once.
//! [`Diagnostics`] owns the source texts and draws the messages; the command and the macro share it.

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
    /// What is there, such as "this has shape [32]".
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
}
