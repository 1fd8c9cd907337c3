//! The text of the sheet against the engine: the formulas that are printed, read back, give the gradient with nothing else that is known of the
//! net. The generated code agrees with this engine (`tests/engines/`).
#![cfg(feature = "generic")]

mod common;
// The program that is compared there reads all numbers in one row.
#[allow(dead_code)]
#[path = "engines/generic.rs"]
mod generic;

use common::data::EXAMPLES;
use common::modules::functions;
use common::specs::{Spec, regularizers, shapes_of_nets};
use deltarule_compiler::generic::Values;
use deltarule_compiler::pipeline::compile;
use deltarule_compiler::sheet::{NotationTable, Printed};
use deltarule_compiler::verify::{Given, gradient};
use ndarray::Axis;

/// The gradient by all parameters that the text of a sheet gives; `None` where no rule is read for a place of a greatest
/// element, for which the language has no word.
fn gradient_of_text(spec: &Spec, parameters: &[f64]) -> Option<Vec<f64>> {
    let compiled = compile(&spec.name, &spec.text).ok()?;
    let derivation = &compiled.derivation;
    let printed = Printed::new(derivation, &NotationTable::lecture());
    let equations = (derivation.objective.iter())
        .chain(&derivation.forward)
        .chain(derivation.backward.iter().map(|adjoint| &adjoint.equation))
        .chain(derivation.gradient.iter().map(|gradient| &gradient.equation));
    let rules: Vec<String> = equations.filter_map(|equation| printed.rule_text(equation)).map(|rule| rule + "\u{2060}").collect();
    if rules.iter().any(|rule| rule.contains("argm")) {
        return None;
    }
    let context = &derivation.model.context;
    let all = generic::Given::new(derivation);
    let position =
        |place: &[i64], shape: &[usize]| place.iter().zip(shape).fold(0, |at, (&index, &extent)| at * extent + index as usize);
    let element = |example: usize, name: &str, place: &[i64]| {
        let mut start = 0;
        for parameter in &derivation.model.parameters {
            let tensor = context.tensor(parameter.tensor);
            if tensor.name == name {
                return parameters[start + position(place, &tensor.shape)];
            }
            start += tensor.size();
        }
        if let Some((_, noise)) = all.noise.iter().find(|(known, _)| known == name) {
            return noise.iter().nth(position(place, noise.shape())).copied().unwrap_or(f64::NAN);
        }
        match all.examples.iter().find(|(known, _)| known == name) {
            Some((_, Values::Numbers(numbers))) => {
                let own = numbers.index_axis(Axis(0), example);
                own.iter().nth(position(place, own.shape())).copied().unwrap_or(f64::NAN)
            }
            Some((_, Values::Labels(labels))) => {
                let own = labels.index_axis(Axis(0), example);
                let (class, lead) = place.split_last().expect("a label has an axis of classes");
                f64::from(own.iter().nth(position(lead, own.shape())) == Some(&(*class as usize)))
            }
            // What the sheet does not say has no value.
            None => f64::NAN,
        }
    };
    let given = Given { examples: EXAMPLES, element: &element };
    let found = gradient(&compiled, "sheet", &rules.join("\n"), &NotationTable::lecture(), &given);
    let found = found.unwrap_or_else(|messages| panic!("{}: {}", spec.name, messages.render()));
    let by_parameter = derivation.model.parameters.iter().map(|parameter| {
        let tensor = context.tensor(parameter.tensor);
        let own = found.iter().find(|(name, _)| *name == tensor.name);
        own.map_or_else(|| vec![0.0; tensor.size()], |(_, values)| values.clone())
    });
    Some(by_parameter.flatten().collect())
}

#[test]
fn the_text_of_the_sheet_gives_the_gradient_that_the_engine_computes() {
    let mut compared = 0;
    let mut complaints = String::new();
    for spec in [shapes_of_nets(), functions(), regularizers()].concat() {
        let results = generic::results::<f64>(&common::derivation(&spec.name, &spec.text));
        // The last one has the noise that is given, where there is any.
        let Some((_, expected)) = results.iter().rev().find(|(what, _)| *what == "gradient") else { continue };
        let Some(found) = gradient_of_text(&spec, &results[0].1) else { continue };
        compared += 1;
        let is_near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * (1.0 + b.abs());
        if found.len() != expected.len() || !found.iter().zip(expected).all(is_near) {
            let Spec { name, text } = &spec;
            complaints += &format!("{name}: the sheet gives\n  {found:?}\nthe engine\n  {expected:?}\n{text}\n");
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
    assert!(compared > 40, "{compared} nets are compared");
}
