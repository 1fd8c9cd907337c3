//! Promises of the syntax stage about texts and trees that nobody wrote.

#[path = "common/random_syntax.rs"]
mod random_syntax;

use deltarule_compiler::diagnostic::Diagnostics;
use deltarule_compiler::limits;
use deltarule_compiler::span::Sources;
use deltarule_compiler::syntax::{self, Spec};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use random_syntax::{name, statement, without_places};

/// Parses, and checks what holds for any text.
fn parse(text: &str) -> (Spec, Diagnostics) {
    let mut sources = Sources::default();
    let id = sources.add("net.spec", text);
    let (spec, messages) = syntax::parse(&sources, id);
    assert!(messages.len() <= limits::SYNTAX_MESSAGES);
    for message in &messages {
        for span in std::iter::once(message.span).chain(message.also.iter().map(|label| label.span)) {
            assert!(text.get(span.start as usize..span.end as usize).is_some(), "{message:?} points outside {text:?}");
        }
    }
    (spec, Diagnostics { sources, messages })
}

/// Nothing panics, and what could be read is written and read again as the same text.
fn survives(text: &str) {
    let (spec, diagnostics) = parse(text);
    assert_eq!(diagnostics.messages.is_empty(), diagnostics.render().is_empty());
    let printed = syntax::print(&spec);
    let (again, complaints) = parse(&printed);
    assert!(complaints.messages.is_empty(), "{text:?} is written as {printed:?}, which has mistakes:\n{}", complaints.render());
    assert_eq!(syntax::print(&again), printed);
}

/// The tokens of the language, some words that are none, and what separates them.
const TOKENS: [&str; 86] = [
    "network",
    "let",
    "input",
    "target",
    "param",
    "noise",
    "loss",
    "regularizer",
    "objective",
    "optimizer",
    "function",
    "layer",
    "state",
    "include",
    "class",
    "on",
    "by",
    "as",
    "in",
    "none",
    "if",
    "else",
    "and",
    "or",
    "not",
    "x",
    "w",
    "dense",
    "sum",
    "max",
    "λ",
    "k'",
    "dense1.w",
    "1",
    "0.5",
    "1e-3",
    "1_000",
    "9e",
    "2x",
    "\"text\"",
    "\"",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "..",
    ".",
    "->",
    "~",
    "=",
    "==",
    "<",
    "<=",
    "!=",
    ">=",
    ">",
    "+",
    "-",
    "*",
    "/",
    "^",
    "|>",
    "|",
    "!",
    "&&",
    "?",
    "#",
    "×",
    "−",
    "²",
    "//",
    "/*",
    "*/",
    "\n",
    "\n",
    "\n",
    ";",
    "\t",
    "\r\n",
    "\u{feff}",
    "\u{202e}",
    "漢",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_what_was_written_gives_the_same_tree(network in option::of(name()), statements in vec(statement(), 0..4)) {
        let spec = Spec { network, statements };
        let text = syntax::print(&spec);
        let (again, diagnostics) = parse(&text);
        prop_assert!(diagnostics.messages.is_empty(), "{text}\n{}", diagnostics.render());
        prop_assert_eq!(without_places(&again), without_places(&spec), "{}", text);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..400)) {
        survives(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        survives(&text);
    }

    #[test]
    fn no_row_of_tokens_makes_it_panic(tokens in vec(prop::sample::select(TOKENS.to_vec()), 0..60), blank in prop::sample::select(vec!["", " "])) {
        survives(&tokens.join(blank));
    }

    #[test]
    fn no_damage_to_a_good_text_makes_it_panic(cut in 0usize..6000, length in 0usize..8, token in prop::sample::select(TOKENS.to_vec())) {
        let text = concat!(include_str!("specs/all_syntax.spec"), "\n", include_str!("../grammar/prelude.spec"));
        let boundary = |mut position: usize| {
            position = position.min(text.len());
            while !text.is_char_boundary(position) {
                position -= 1;
            }
            position
        };
        let (start, end) = (boundary(cut), boundary(cut + length));
        survives(&format!("{}{token}{}", &text[..start], &text[end..]));
    }
}
