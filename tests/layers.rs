//! Every definition of the prelude, alone and composed: the derivatives by all inputs, targets and parameters are those of central
//! differences.
#![cfg(feature = "generic")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::data::data;
use common::modules::{by_everything, compositions, constructs, functions, layers, rules};
use common::specs::Spec;
use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::generic::{Engine, GradientReport, Values, check_gradients};
use deltarule_compiler::span::Sources;
use deltarule_compiler::syntax::tree::StatementKind;
use deltarule_compiler::syntax::{PRELUDE, parse};
use ndarray::{ArrayD, IxDyn};

/// The words of a text.
fn words(text: &str) -> BTreeSet<&str> {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    code.flat_map(|line| line.split(|letter: char| !letter.is_alphanumeric() && letter != '_')).collect()
}

/// What is wrong with a comparison: differences, and tensors of which nothing was compared.
fn complaints(report: &GradientReport) -> String {
    let idle = report.checks.iter().filter(|check| check.compared == 0);
    let idle: String = idle.map(|check| format!("{}: nothing was compared\n", check.tensor)).collect();
    if report.passes() { idle } else { format!("{idle}{report}") }
}

/// What depends on nothing: its derivatives are 0, so that comparing them shows nothing.
const CONSTANT: [&str; 2] = ["dropout of all", "step"];

/// The tensors whose derivatives are all 0 at a random point.
fn vanishing(spec: &Spec, objective: &Derivation) -> String {
    let engine = Engine::<f64>::new(objective).expect("the engine takes the net");
    let batch = engine.batch(data(&objective.model)).expect("the data fits");
    let derivatives = engine.derivatives(&engine.initialize(4), &batch).expect("the net runs");
    let vanished = derivatives.iter().filter(|derivative| derivative.values.iter().all(|value| *value == 0.0));
    vanished.map(|derivative| format!("{}: the derivative by {} is 0\n", spec.name, derivative.name)).collect()
}

/// Fails with every tensor of every spec whose derivative differs, of the loss and of the objective by everything.
fn all_agree(specs: &[Spec]) {
    let mut found = String::new();
    for spec in specs {
        let derivation = common::derivation(&spec.name, &spec.text);
        let whole = by_everything(spec, &derivation);
        let objective = common::derivation(&spec.name, &whole);
        if !CONSTANT.iter().any(|constant| spec.name.contains(constant)) {
            found += &vanishing(spec, &objective);
        }
        let both = if derivation.model.parameters.is_empty() { vec![&objective] } else { vec![&derivation, &objective] };
        for (which, derivation) in both.into_iter().enumerate() {
            for seed in [1, 2] {
                let complaint = match check_gradients(derivation, seed) {
                    Ok(report) => complaints(&report),
                    Err(error) => format!("{error}\n"),
                };
                if !complaint.is_empty() {
                    found += &format!("{} ({which}), seed {seed}:\n{complaint}{whole}\n", spec.name);
                }
            }
        }
    }
    assert!(found.is_empty(), "{found}");
}

#[test]
fn every_layer_has_the_derivatives_of_its_differences() {
    all_agree(&layers());
}

#[test]
fn layers_in_a_row_and_side_by_side_have_the_derivatives_of_their_differences() {
    all_agree(&compositions());
}

#[test]
fn recurrences_noise_and_shared_values_have_the_derivatives_of_their_differences() {
    all_agree(&constructs());
}

#[test]
fn every_function_has_the_derivatives_of_its_differences() {
    all_agree(&functions());
}

#[test]
fn rules_and_initial_values_leave_the_derivatives_as_they_are() {
    all_agree(&rules());
}

#[test]
fn no_definition_of_the_prelude_is_without_a_test() {
    let mut sources = Sources::default();
    let id = sources.add("prelude.spec", PRELUDE);
    let (prelude, messages) = parse(&sources, id);
    assert!(messages.is_empty());
    let defined: BTreeMap<&str, &str> = prelude
        .statements
        .iter()
        .filter_map(|statement| {
            let name = match &statement.kind {
                StatementKind::Function(function) => &function.name,
                StatementKind::Layer(layer) => &layer.name,
                StatementKind::OptimizerDefinition(optimizer) => &optimizer.name,
                _ => return None,
            };
            let span = statement.span;
            Some((&name.text[..], &PRELUDE[span.start as usize..span.end as usize]))
        })
        .collect();
    let specs = [layers(), compositions(), constructs(), functions(), rules()].concat();
    let mut used: BTreeSet<&str> = specs.iter().flat_map(|spec| words(&spec.text)).collect();
    // What a definition reads is tested with it.
    loop {
        let before = used.len();
        let read: Vec<&str> = defined.iter().filter(|(name, _)| used.contains(*name)).flat_map(|(_, text)| words(text)).collect();
        used.extend(read);
        if used.len() == before {
            break;
        }
    }
    let missing: Vec<&&str> = defined.keys().filter(|name| !used.contains(*name)).collect();
    assert!(defined.len() > 50, "the prelude has more than {} definitions", defined.len());
    assert!(missing.is_empty(), "tests/common/modules.rs has no spec with {missing:?}");
}

#[test]
fn of_equal_values_the_first_takes_the_derivative() {
    let cases = [
        (
            "x[3, 3, 1]",
            "sum(p, q, f: y[p, q, f])",
            "y = x |> max_pool(2, stride = 1)",
            vec![1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0],
        ),
        ("x[4]", "y", "y = max(i: x[i])", vec![1.0, 0.0, 0.0, 0.0]),
        ("x[4]", "y", "y = min(i: x[i])", vec![1.0, 0.0, 0.0, 0.0]),
        ("x[2, 2]", "y", "y = max(j, i: x[i, j])", vec![1.0, 0.0, 0.0, 0.0]),
        ("x[2]", "y", "y = max(x[0], x[1])", vec![1.0, 0.0]),
        ("x[2]", "y", "y = min(x[0], x[1])", vec![1.0, 0.0]),
        ("x[3]", "y", "y = max(i in 0..5: x[i - 1] - 0.5)", vec![1.0, 0.0, 0.0]),
    ];
    for (input, value, equation, expected) in cases {
        let text = format!("input {input}\n{equation}\nobjective {value} by x\n");
        let derivation = common::derivation(equation, &text);
        let engine = Engine::<f64>::new(&derivation).expect("the engine takes the net");
        let shape: Vec<usize> = derivation.model.context.tensor(derivation.model.inputs[0]).shape.clone();
        let ones = ArrayD::from_elem(IxDyn(&[&[1], &shape[..]].concat()), 1.0);
        let batch = engine.batch([("x", Values::Numbers(ones))]).expect("the data fits");
        let derivatives = engine.derivatives(&engine.initialize(1), &batch).expect("the net runs");
        assert_eq!(derivatives[0].values.iter().copied().collect::<Vec<_>>(), expected, "{equation}");
    }
}
