//! The section on facts about the network.

use super::references;
use crate::facts::Fact;
use crate::sheet::document::{Block, Inline, Section};

/// Each fact with its reason, what it amounts to, and the equations that it follows from.
pub(in crate::sheet) fn facts_section(facts: &[Fact]) -> Option<Section> {
    let mut blocks = Vec::new();
    for fact in facts {
        let mut text = with_code(&sentence(&fact.what));
        text.push(Inline::text(" "));
        text.extend(with_code(&sentence(&fact.reason)));
        if !fact.formulas.is_empty() {
            text.push(Inline::text(" Together: "));
        }
        for (at, formula) in fact.formulas.iter().enumerate() {
            text.push(Inline::text(if at == 0 { "" } else { "; " }));
            text.push(Inline::Code(formula.clone()));
        }
        if !fact.equations.is_empty() {
            text.push(Inline::text(if fact.formulas.is_empty() { " See " } else { ". See " }));
            text.extend(references(fact.equations.iter().copied()));
            text.push(Inline::text("."));
        }
        text.retain(|part| *part != Inline::text(""));
        blocks.push(Block::Paragraph(text));
    }
    (!blocks.is_empty()).then_some(Section { title: "Facts", anchor: "facts", blocks })
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().filter(|first| first.is_alphabetic());
    match first {
        Some(first) => first.to_uppercase().chain(letters).chain(['.']).collect(),
        None => format!("{text}."),
    }
}

/// What stands between backquotes is set as code.
fn with_code(text: &str) -> Vec<Inline> {
    let parts = text.split('`').enumerate().filter(|(_, part)| !part.is_empty());
    parts.map(|(at, part)| if at % 2 == 1 { Inline::Code(part.to_owned()) } else { Inline::text(part) }).collect()
}
