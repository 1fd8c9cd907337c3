//! What the sheet prints can be read back: each equation, in LaTeX and in each notation that is written element by element, means what
//! the derivation means.

use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::equation::Equation;
use deltarule_compiler::pipeline::{Compiled, compile_with};
use deltarule_compiler::sheet::{NotationTable, Printed};
use deltarule_compiler::verify::verify;
use std::fs;
use std::path::{Path, PathBuf};

/// All specs of the tests and of the lectures.
fn all_specs() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("tests/specs")];
    folders.extend(["000", "001", "002", "003", "004"].map(|lecture| root.join("examples/lectures").join(lecture)));
    let mut specs: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).expect("a folder of specs"))
        .map(|entry| entry.expect("its name can be read").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "spec"))
        .collect();
    specs.sort();
    specs
}

fn equations(derivation: &Derivation) -> Vec<&Equation> {
    (derivation.objective.iter())
        .chain(&derivation.forward)
        .chain(derivation.backward.iter().map(|adjoint| &adjoint.equation))
        .chain(derivation.gradient.iter().map(|gradient| &gradient.equation))
        .chain(derivation.model.optimizers.iter().flat_map(|optimizer| &optimizer.equations))
        .collect()
}

/// How equations are printed.
#[derive(Clone, Copy)]
enum Form {
    /// Each by itself, element by element.
    Latex,
    Text,
    /// As they stand on the sheet: once for all layers of the same form, with whole matrices where the notation has them.
    RulesInLatex,
    RulesInText,
}

impl Form {
    /// An equation. What shows which of the two a formula of names alone is in, is a character that nobody sees.
    fn print(self, printed: &Printed<'_>, equation: &Equation) -> Option<String> {
        match self {
            Form::Latex => Some(format!("{}\\,", printed.latex(equation))),
            Form::Text => Some(format!("{}\u{2060}", printed.text(equation))),
            Form::RulesInLatex => printed.rule_latex(equation).map(|latex| format!("{latex}\\,")),
            Form::RulesInText => printed.rule_text(equation).map(|text| format!("{text}\u{2060}")),
        }
    }
}

/// The printed equations that are not read back as what they are, and how many were looked at.
fn misread(compiled: &Compiled, table: &NotationTable, forms: &[Form]) -> (usize, Vec<String>) {
    let printed = Printed::new(&compiled.derivation, table);
    let all = equations(&compiled.derivation);
    let rules = forms.iter().flat_map(|form| all.iter().filter_map(|equation| form.print(&printed, equation)));
    // The language has no word for the place of a greatest element.
    let rules: Vec<String> = rules.filter(|rule| !rule.contains("{arg\\,m") && !rule.contains("argm")).collect();
    let wrong = match verify(compiled, "printed", &rules.join("\n"), table) {
        Err(messages) => vec![messages.render()],
        Ok(checked) => checked.iter().filter(|checked| !checked.holds()).map(ToString::to_string).collect(),
    };
    (rules.len(), wrong)
}

/// The fixtures that compile, with their names.
fn all_compiled() -> Vec<(String, Compiled)> {
    let compile = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a spec");
        let folder = path.parent().expect("its folder").to_owned();
        let name = path.file_name().expect("its name").to_string_lossy().into_owned();
        let compiled = compile_with(&name, &text, &mut |file| deltarule_compiler::include::read_below(&folder, file));
        Some((name, compiled.ok()?))
    };
    all_specs().into_iter().filter_map(compile).collect()
}

#[track_caller]
fn all_are_read_back(forms: [Form; 2], least: usize) {
    let mut total = 0;
    let mut failures = Vec::new();
    for (name, compiled) in all_compiled() {
        for table in [NotationTable::lecture(), NotationTable::plain(), NotationTable::matrix()] {
            let (read, wrong) = misread(&compiled, &table, &forms);
            total += read;
            failures.extend(wrong.into_iter().map(|wrong| format!("{name}, {}: {wrong}", table.name)));
        }
    }
    assert!(failures.is_empty(), "{} of {total}:\n{}", failures.len(), failures[..failures.len().min(60)].join("\n"));
    assert!(total > least, "{total}");
}

#[test]
fn every_equation_that_is_printed_is_read_back_as_what_the_derivation_gives() {
    all_are_read_back([Form::Latex, Form::Text], 1500);
}

#[test]
fn every_rule_for_layers_in_general_and_with_whole_matrices_is_read_back() {
    all_are_read_back([Form::RulesInLatex, Form::RulesInText], 1500);
}
