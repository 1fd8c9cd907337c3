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

/// The printed equations that are not read back as what they are, and how many were looked at.
fn misread(compiled: &Compiled, table: &NotationTable) -> (usize, Vec<String>) {
    let printed = Printed::new(&compiled.derivation, table);
    let latex = equations(&compiled.derivation).into_iter().map(|equation| printed.latex(equation));
    // The language has no word for the place of a greatest element. A formula of names alone is LaTeX by a space.
    let rules: Vec<String> = latex.filter(|latex| !latex.contains("{arg\\,m")).map(|latex| format!("{latex}\\,")).collect();
    let wrong = match verify(compiled, "printed", &rules.join("\n"), table) {
        Err(messages) => vec![messages.render()],
        Ok(checked) => checked.iter().filter(|checked| !checked.holds()).map(ToString::to_string).collect(),
    };
    (rules.len(), wrong)
}

#[test]
fn every_equation_that_is_printed_is_read_back_as_what_the_derivation_gives() {
    let mut total = 0;
    let mut failures = Vec::new();
    for path in all_specs() {
        let text = fs::read_to_string(&path).expect("a spec");
        let folder = path.parent().expect("its folder").to_owned();
        let name = path.file_name().expect("its name").to_string_lossy().into_owned();
        let Ok(compiled) = compile_with(&name, &text, &mut |file| deltarule_compiler::include::read_below(&folder, file)) else {
            continue;
        };
        for table in [NotationTable::lecture(), NotationTable::plain()] {
            let (read, wrong) = misread(&compiled, &table);
            total += read;
            failures.extend(wrong.into_iter().map(|wrong| format!("{name}, {}: {wrong}", table.name)));
        }
    }
    assert!(failures.is_empty(), "{} of {total}:\n{}", failures.len(), failures[..failures.len().min(40)].join("\n"));
    assert!(total > 500, "{total}");
}
