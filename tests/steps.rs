//! Derivations as they are shown: every line goes on with the equation that it belongs to, none is longer than a reader can check, and
//! the rules that are named are those that the engine applied.

mod common;

use common::graphs::{graph, graph_spec};
use common::random::{network, runner, spec};
use deltarule_compiler::calculus::law;
use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::pipeline::compile_with;
use deltarule_compiler::sheet::document::{Block, Inline, Line};
use deltarule_compiler::sheet::{NotationTable, Sheet, SheetOptions, Steps};
use proptest::test_runner::TestCaseError;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// How many lines of a sheet one form of an expression takes at the most: what nobody can read at a glance is no step.
const LONGEST_FORM: usize = 14;
/// How many lines the derivation of one equation has with `key` steps, where it has few factors: the lecturer's three to six, and one each
/// for a special case and for all elements at once.
const KEY_LINES: usize = 6 + 2;

fn derivation(path: &Path) -> Option<Derivation> {
    let text = fs::read_to_string(path).ok()?;
    let folder = path.parent()?.to_owned();
    let name = path.file_name()?.to_string_lossy().into_owned();
    let compiled = compile_with(&name, &text, &mut |file| deltarule_compiler::include::read_below(&folder, file)).ok()?;
    Some(compiled.derivation)
}

/// The derivations of the specs of the tests and of the lectures that are networks.
fn fixtures() -> Vec<(String, Derivation)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("tests/specs")];
    folders.extend(["000", "001", "002", "003", "004"].map(|lecture| root.join("examples/lectures").join(lecture)));
    let mut paths: Vec<_> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).expect("a folder of specs"))
        .map(|entry| entry.expect("its name can be read").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "spec"))
        .collect();
    paths.sort();
    let all = paths.iter().filter_map(|path| Some((path.display().to_string(), derivation(path)?)));
    all.collect()
}

fn options(steps: Steps) -> Vec<SheetOptions> {
    let notations = [NotationTable::lecture(), NotationTable::matrix(), NotationTable::plain()];
    notations.into_iter().map(|notation| SheetOptions { steps, notation }).collect()
}

/// The displays of the backward pass.
fn displays(sheet: &Sheet) -> Vec<&Vec<Line>> {
    let sections = sheet.document.sections.iter().filter(|section| section.anchor == "backward");
    let blocks = sections.flat_map(|section| &section.blocks);
    blocks.filter_map(|block| if let Block::Display(lines) = block { Some(lines) } else { None }).collect()
}

/// What stands on the left of each numbered equation: the last left side at or before its number.
fn left_sides(sheet: &Sheet) -> BTreeMap<u32, String> {
    let mut sides = BTreeMap::new();
    for lines in displays(sheet) {
        let mut left = String::new();
        for line in lines {
            left = line.left.as_ref().map_or(left, |side| format!("{side:?}"));
            sides.extend(line.number.map(|number| (number, left.clone())));
        }
    }
    sides
}

/// What is wrong with the derivations on the sheets of one net.
fn complaints(what: &str, derivation: &Derivation) -> Vec<String> {
    let mut wrong = Vec::new();
    for (results, notation) in options(Steps::None).into_iter().zip(["lecture", "matrix", "plain"]) {
        let expected = left_sides(&Sheet::new(derivation, &results));
        for steps in [Steps::Key, Steps::All] {
            let what = format!("{what}, {notation}, {steps:?}");
            let sheet = Sheet::new(derivation, &SheetOptions { steps, ..results.clone() });
            for (number, left) in left_sides(&sheet) {
                if expected.get(&number).is_some_and(|expected| *expected != left) {
                    wrong.push(format!("{what}: the derivation of ({number}) does not keep its left side"));
                }
            }
            for lines in displays(&sheet) {
                if lines.first().is_some_and(|line| line.left.is_none()) {
                    wrong.push(format!("{what}: a display begins without a left side"));
                }
                let numbers: Vec<u32> = lines.iter().filter_map(|line| line.number).collect();
                let forms: Vec<usize> = lines.chunk_by(|_, next| next.relation.is_none()).map(<[Line]>::len).collect();
                if let Some(longest) = forms.iter().max().filter(|&&longest| longest > LONGEST_FORM) {
                    wrong.push(format!("{what}: a form near {numbers:?} takes {longest} lines"));
                }
                let factors = lines.iter().filter(|line| line.left.is_some()).count();
                if steps == Steps::Key && numbers.len() == 1 && factors <= 3 && forms.len() > KEY_LINES {
                    wrong.push(format!("{what}: the derivation of {numbers:?} takes {} lines", forms.len()));
                }
            }
        }
    }
    wrong
}

#[test]
fn each_step_keeps_its_left_side_and_can_be_read_at_a_glance() {
    let wrong: Vec<String> = fixtures().iter().flat_map(|(name, derivation)| complaints(name, derivation)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_steps_of_random_networks_keep_their_left_sides_and_can_be_read() {
    let check = |text: String| {
        let compiled = deltarule_compiler::pipeline::compile("random.spec", &text);
        let compiled = compiled.map_err(|messages| TestCaseError::fail(messages.render()))?;
        match complaints("random", &compiled.derivation) {
            wrong if wrong.is_empty() => Ok(()),
            wrong => Err(TestCaseError::fail(format!("{}\n{text}", wrong.join("\n")))),
        }
    };
    let networks = runner(40).run(&network(), |network| check(spec(&network)));
    let graphs = runner(20).run(&graph(), |graph| check(graph_spec(&graph)));
    for result in [networks.map_err(|error| error.to_string()), graphs.map_err(|error| error.to_string())] {
        assert!(result.is_ok(), "{}", result.unwrap_err());
    }
}

#[test]
fn the_laws_of_differentiation_on_a_sheet_are_those_that_the_engine_applied() {
    for (name, derivation) in fixtures() {
        let factors = derivation.backward.iter().flat_map(|adjoint| &adjoint.record.factors);
        let recorded: Vec<&str> = factors.flat_map(|factor| &factor.laws).filter_map(|name| law(name)).collect();
        let sheet = Sheet::new(&derivation, &SheetOptions { steps: Steps::All, notation: NotationTable::lecture() });
        let mut printed = Vec::new();
        for line in displays(&sheet).into_iter().flatten() {
            let texts =
                line.reason.iter().filter_map(|inline| if let Inline::Text(text) = inline { Some(text.as_str()) } else { None });
            printed.extend(
                texts
                    .filter_map(|text| text.strip_prefix(", "))
                    .filter(|text| text.ends_with(" rule") || text.starts_with("the derivative of ")),
            );
        }
        assert!(printed.iter().all(|text| recorded.contains(text)), "{name}: {printed:?} are printed, {recorded:?} recorded");
        assert_eq!(printed.is_empty(), recorded.is_empty(), "{name}: {recorded:?} are recorded");
    }
}
