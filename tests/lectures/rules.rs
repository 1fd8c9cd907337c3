//! Every rule that the lecture notes print, in the names of our specs, and the errata that follow.
//!
//! A file of rules has `// spec: …` before those of one spec, and after each rule where it stands in the notes and, after a colon,
//! why it is wrong. What is wrong is found, not stated: `docs/errata.md` is what this test makes of it.

use deltarule_compiler::pipeline::compile;
use deltarule_compiler::sheet::NotationTable;
use deltarule_compiler::verify::{Checked, Verdict, verify};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The notes, by the names of their files.
const NOTES: [(&str, &str); 5] = [
    ("000", "Tutorial 8 (IIT Bombay, 2016)"),
    ("001", "Lecture 22 (IIT Bombay, 2016)"),
    ("002", "Deep Learning Group, week 2 (after CS231n)"),
    ("003", "Deep Learning Refresher, week 2"),
    ("004", "CS2109S, Tutorial 8 (NUS, 2024)"),
];

/// What stands in the errata before the rules.
const INTRODUCTION: &str = "# Errata of the lecture notes

The rules that the notes print, as `deltarule verify` finds them: each is compared with the derivation of the spec that stands for its network, as a function.
Written by `tests/lectures/rules.rs` from `tests/lectures/*.rules`, which holds every rule in the names of our specs: `h` and `y` are the outputs of the layers (the
notes' sigma), `s` the weighted sums, `w` the weights, `t` the targets (the notes' y), `l2.a` is lambda. An index that only the scan garbled is read as it was meant.

";

/// What is wrong in the notes and is no equation.
const BESIDE: &str = "## Beside the formulas

- 000 and 001, the algorithm, step 1: the weights are said to have i = 1, …, s_l and j = 1, …, s_(l+1); the weighted sums and the regularizer need
  i = 1, …, s_(l-1) and j = 1, …, s_l, for l = 1, …, L.
- 000 and 001, the algorithm, step 5: the loop runs over l = L - 1 down to 2, so that neither the weights of the last layer nor those of the first are ever
  updated. The derivatives by the weights and the updates are needed for l = L down to 1, those by the outputs for l = L - 1 down to 1.
- 000 and 001, the algorithm, step 5: the weights of a layer are updated before the derivatives of the layer below are computed from them. All derivatives come first.
";

/// A rule with what is said about it.
struct Entry {
    checked: Checked,
    place: String,
    reason: Option<String>,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The rules of one file, checked.
fn entries(lecture: &str) -> Vec<Entry> {
    let text = fs::read_to_string(root().join(format!("tests/lectures/{lecture}.rules"))).expect("the rules");
    let mut entries = Vec::new();
    for part in text.split("// spec: ").skip(1) {
        let (spec, rules) = part.split_once('\n').expect("rules after the name of their spec");
        let path = root().join("examples/lectures").join(spec);
        let compiled =
            compile(spec, &fs::read_to_string(path).expect(spec)).unwrap_or_else(|messages| panic!("{}", messages.render()));
        let checked = verify(&compiled, lecture, rules, &NotationTable::lecture())
            .unwrap_or_else(|messages| panic!("{}", messages.render()));
        assert!(!checked.is_empty(), "{spec}");
        for checked in checked {
            let line = rules.lines().nth(checked.line - 1).expect("its line");
            let (_, comment) = line.split_once("//").expect("where the rule stands");
            let (place, reason) = match comment.split_once(": ") {
                Some((place, reason)) => (place, Some(reason.trim().to_owned())),
                None => (comment, None),
            };
            entries.push(Entry { checked, place: place.trim().to_owned(), reason });
        }
    }
    entries
}

fn errata() -> String {
    let mut table = "| notes | rules | hold | do not |\n| --- | --- | --- | --- |\n".to_owned();
    let mut sections = String::new();
    for (lecture, title) in NOTES {
        let entries = entries(lecture);
        let wrong: Vec<&Entry> = entries.iter().filter(|entry| !entry.checked.holds()).collect();
        let (all, wrong_count) = (entries.len(), wrong.len());
        let _ = writeln!(table, "| {lecture}, {title} | {all} | {} | {wrong_count} |", all - wrong_count);
        if !wrong.is_empty() {
            let _ = write!(sections, "\n## {lecture}, {title}\n");
        }
        let mut named: Vec<&str> = Vec::new();
        for entry in &wrong {
            // A rule that stands in several places is named once.
            if named.contains(&entry.checked.rule.as_str()) {
                continue;
            }
            named.push(&entry.checked.rule);
            let places = wrong.iter().filter(|other| other.checked.rule == entry.checked.rule);
            let places: Vec<&str> = places.map(|entry| entry.place.as_str()).collect();
            let Verdict::Differs(difference) = &entry.checked.verdict else { continue };
            let reason = entry.reason.as_deref().unwrap_or_else(|| panic!("{}: no reason is given", entry.checked.rule));
            let derived = difference.derived.as_ref().map(|derived| derived.1.clone());
            let right = difference.corrected.clone().or(derived).unwrap_or_else(|| "there is no such equation".to_owned());
            let _ = write!(sections, "\n**{}.** {}.\n\n", places.join("; "), sentence(reason));
            let _ = write!(sections, "```text\nprinted  {}\nright    {right}\n```\n\n", entry.checked.rule);
            let _ = writeln!(sections, "Found: {}.", difference.what);
            if let Some(example) = &difference.counterexample {
                let _ = writeln!(sections, "Numbers: {example}.");
            }
        }
    }
    format!("{INTRODUCTION}{table}{sections}\n{BESIDE}")
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[test]
fn the_errata_name_every_rule_of_the_notes_that_does_not_hold() {
    let (path, errata) = (root().join("docs/errata.md"), errata());
    if std::env::var_os("UPDATE_ERRATA").is_some() {
        fs::write(&path, &errata).expect("docs/errata.md can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == errata, "docs/errata.md is stale: run this test with UPDATE_ERRATA=1 and read the difference");
}

#[test]
fn only_rules_that_are_wrong_have_a_reason_and_all_of_them_have_one() {
    for (lecture, _) in NOTES {
        for Entry { checked, reason, .. } in entries(lecture) {
            assert_eq!(checked.holds(), reason.is_none(), "{lecture}: {}", checked.rule);
        }
    }
}

#[test]
fn every_file_of_notes_has_its_rules() {
    let specs = fs::read_dir(root().join("examples/lectures")).expect("the specs");
    let mut folders: Vec<String> = specs
        .filter_map(|entry| entry.ok().filter(|entry| entry.path().is_dir()))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    folders.sort();
    assert_eq!(folders, NOTES.map(|(lecture, _)| lecture.to_owned()));
    assert!(NOTES.iter().all(|(lecture, _)| Path::new(&root()).join(format!("tests/lectures/{lecture}.rules")).is_file()));
}
