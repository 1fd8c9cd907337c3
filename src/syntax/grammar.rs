//! How the pairs that the parser of `grammar/network.pest` makes are walked.

use pest::iterators::Pair;

pub(super) use super::parser::{NetworkParser, Rule};
use crate::span::{SourceId, Span};

/// The parts of a pair that carry meaning, in order. Signs and keywords only separate them.
pub(super) struct Parts<'i> {
    pairs: std::iter::Peekable<Box<dyn Iterator<Item = Pair<'i, Rule>> + 'i>>,
}

impl<'i> Parts<'i> {
    pub(super) fn of(pair: Pair<'i, Rule>) -> Self {
        let pairs: Box<dyn Iterator<Item = Pair<'i, Rule>> + 'i> =
            Box::new(pair.into_inner().filter(|part| !is_separator(part.as_rule())));
        Self { pairs: pairs.peekable() }
    }

    /// The next part, if it was made by this rule.
    pub(super) fn optional(&mut self, rule: Rule) -> Option<Pair<'i, Rule>> {
        self.pairs.next_if(|pair| pair.as_rule() == rule)
    }
}

impl<'i> Iterator for Parts<'i> {
    type Item = Pair<'i, Rule>;

    fn next(&mut self) -> Option<Self::Item> {
        self.pairs.next()
    }
}

/// Whether a pair only separates others or says which kind they are.
fn is_separator(rule: Rule) -> bool {
    use Rule::*;
    matches!(
        rule,
        open_paren
            | close_paren
            | open_bracket
            | close_bracket
            | open_brace
            | close_brace
            | comma
            | colon
            | arrow
            | drawn_from
            | defined_as
            | pipe_sign
            | network_word
            | let_word
            | input_word
            | target_word
            | param_word
            | noise_word
            | loss_word
            | regularizer_word
            | objective_word
            | optimizer_word
            | function_word
            | layer_word
            | state_word
            | include_word
            | class_word
            | on_word
            | by_word
            | as_word
            | in_word
            | if_word
            | else_word
            | EOI
    )
}

/// Where a parsed slice lies in its file.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The file.
    pub(super) source: SourceId,
    /// The slice's first byte.
    pub(super) offset: usize,
}

impl Place {
    /// The place of a pair.
    pub(super) fn of(self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        self.range(span.start(), span.end())
    }

    /// The place of some bytes of the slice.
    pub(super) fn range(self, start: usize, end: usize) -> Span {
        // A file is at most `limits::SOURCE_BYTES` long.
        Span { source: self.source, start: (self.offset + start) as u32, end: (self.offset + end) as u32 }
    }
}
