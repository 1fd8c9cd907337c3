//! Formatting changes neither the meaning of a spec nor its comments, and a second time nothing at all.

#[path = "common/random_syntax.rs"]
mod random_syntax;

use deltarule_compiler::format::format;
use deltarule_compiler::span::Sources;
use deltarule_compiler::syntax::{self, Spec};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use random_syntax::{name, statement, without_places};
use std::fs;
use std::path::{Path, PathBuf};

fn tree(text: &str) -> String {
    let mut sources = Sources::default();
    let id = sources.add("net.spec", text);
    let (spec, messages) = syntax::parse(&sources, id);
    assert!(messages.is_empty(), "{text}\n{messages:?}");
    without_places(&spec)
}

/// The comments of a text without the blanks behind them, found without the formatter's own tokens.
fn comments(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if rest.starts_with('"') {
            rest = &rest[rest[1..].find('"').map_or(rest.len(), |end| end + 2)..];
        } else if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            found.push(rest[..end].trim_end().to_owned());
            rest = &rest[end..];
        } else if rest.starts_with("/*") {
            let mut open = 1;
            let mut end = 2;
            while open > 0 {
                match &rest[end..end + 2] {
                    "/*" => open += 1,
                    "*/" => open -= 1,
                    _ => end -= 1,
                }
                end += 2;
            }
            found.push(rest[..end].replace('\r', ""));
            rest = &rest[end..];
        } else {
            rest = &rest[rest.chars().next().map_or(1, char::len_utf8)..];
        }
    }
    found
}

#[track_caller]
fn keeps(text: &str) {
    let formatted = format("net.spec", text).unwrap_or_else(|diagnostics| panic!("{text}\n{}", diagnostics.render()));
    assert_eq!(tree(&formatted), tree(text), "the meaning of\n{text}\nchanges in\n{formatted}");
    assert_eq!(comments(&formatted), comments(text), "comments of\n{text}\nchange in\n{formatted}");
    let again = format("net.spec", &formatted).unwrap();
    assert_eq!(again, formatted, "formatting a second time changes it");
    for line in formatted.lines().filter(|_| !formatted.contains("/*")) {
        assert_eq!(line, line.trim_end(), "blanks at the end of a line of\n{formatted}");
    }
}

/// All specs below a folder, in order.
fn specs(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            specs(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "spec") {
            found.push(path);
        }
    }
}

#[test]
fn every_spec_of_the_repository_keeps_its_tree_and_its_comments() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in ["grammar", "tests/specs", "examples"] {
        specs(&root.join(folder), &mut paths);
    }
    assert!(paths.len() > 40, "{paths:?}");
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        keeps(&text);
        // The same without any blank that can go, and with more than it needs.
        let crowded = text.replace(" = ", "=").replace(" * ", "*").replace("\n    ", "\n").replace(", ", ",");
        keeps(&crowded);
        keeps(&text.replace(' ', "  ").replace('\n', " \n\n\n"));
    }
}

#[test]
fn the_prelude_and_every_spec_of_the_repository_are_formatted() {
    assert_eq!(format("prelude.spec", syntax::PRELUDE).unwrap(), syntax::PRELUDE);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in ["tests/specs", "examples"] {
        specs(&root.join(folder), &mut paths);
    }
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(format("net.spec", &text).unwrap(), text, "{} is not as `deltarule fmt` lays it out", path.display());
    }
}

/// What may stand in place of a blank, by turns.
const BLANKS: [&str; 8] = [" ", "   ", "\t", " \r ", " /* c */ ", " /* d /* e */\n f */ ", "", "  /*\"*/ "];

/// What may stand in place of the end of a line.
const LINE_ENDS: [&str; 7] = ["\n", "\n\n\n", " // why \n", "\r\n", " ;\n", "\n// alone\n\n", " /* g\n*/ ; // h\n;"];

/// A text with other blanks. A blank goes altogether only beside a sign that nothing can be joined to.
fn disturbed(text: &str, choices: &[usize]) -> String {
    let mut result = String::new();
    let mut choices = choices.iter().cycle().copied();
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        quoted ^= letter == '"';
        let choice = choices.next().unwrap_or(0);
        match letter {
            ' ' if !quoted => {
                let apart = |beside: Option<char>| beside.is_some_and(|sign| "([{}]),+*^~".contains(sign));
                let blank = BLANKS[choice % BLANKS.len()];
                let can_go = apart(result.chars().last()) || apart(letters.peek().copied());
                result += if blank.is_empty() && !can_go { " " } else { blank };
            }
            '\n' if result.ends_with('{') => result += ["\n", " ", "\n\n// i\n"][choice % 3],
            '\n' => result += LINE_ENDS[choice % LINE_ENDS.len()],
            _ => result.push(letter),
        }
    }
    result
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_spec_with_any_blanks_keeps_its_tree_and_its_comments(
        network in option::of(name()),
        statements in vec(statement(), 0..4),
        choices in vec(0usize..1000, 1..60),
    ) {
        let text = syntax::print(&Spec { network, statements });
        keeps(&text);
        keeps(&disturbed(&text, &choices));
    }

    #[test]
    fn whatever_still_parses_after_damage_keeps_its_tree_and_its_comments(
        cut in 0usize..4000,
        length in 0usize..6,
        piece in prop::sample::select(vec!["", " ", "\n", "\n\n", ";", "-", "(", ")", "/* a */", "//", "/*", "*/", "\"", "|> f", "0..", "x.y", ".5", "^", "'", "\r", "in "]),
    ) {
        let text = include_str!("specs/all_syntax.spec");
        let boundary = |position: usize| (0..=position % (text.len() + 1)).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        let start = boundary(cut);
        let end = boundary((start + length).min(text.len())).max(start);
        let damaged = format!("{}{piece}{}", &text[..start], &text[end..]);
        let mut sources = Sources::default();
        let id = sources.add("net.spec", damaged.as_str());
        if syntax::parse(&sources, id).1.is_empty() {
            keeps(&damaged);
        }
    }
}
