//! Generated against generic code: every definition of the prelude, alone and composed, and random networks, all in one crate
//! that is built from what the emitter wrote.
#![cfg(feature = "cli")]

#[path = "../common/mod.rs"]
mod common;
mod generic;
mod program;

use common::graphs::{graph, graph_spec};
use common::modules::{by_everything, compositions, constructs, functions, layers, rules};
use common::random::runner;
use common::specs::{LOSSES, Range, Spec, net, regularizers, shapes_of_nets};
use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::emit::ScalarType;
use proptest::strategy::{Strategy, ValueTree};

/// A net that both engines run.
struct Case {
    spec: Spec,
    derivation: Derivation,
    scalar: ScalarType,
}

impl Case {
    fn new(spec: Spec, scalar: ScalarType) -> Case {
        let derivation = common::derivation(&spec.name, &spec.text);
        Case { spec, derivation, scalar }
    }

    /// The same net with an objective in place of its losses, by all inputs and parameters, in `f64`.
    fn by_everything(&self) -> Case {
        let spec = Spec { name: format!("{}, by everything", self.spec.name), text: by_everything(&self.spec, &self.derivation) };
        Case::new(spec, ScalarType::F64)
    }
}

/// Nets that are trained, where they have parameters.
fn trained(specs: Vec<Spec>, scalar: ScalarType) -> Vec<Case> {
    let train = |Spec { name, text }| {
        let rule = if text.contains("optimizer") || text.contains("objective") { "" } else { "optimizer sgd(0.1)\n" };
        let text = if text.ends_with('\n') { text } else { text + "\n" };
        Case::new(Spec { name, text: text + rule }, scalar)
    };
    specs.into_iter().map(train).collect()
}

/// Chains of layers, rules, and forms of nets.
fn nets_of_numbers() -> Vec<Spec> {
    let mut specs = functions();
    // Losses and activations whose derivatives merge.
    for activation in ["softmax", "sigmoid", "softplus"] {
        for (loss, range) in LOSSES {
            if range > Range::Real && !(activation == "softplus" && range == Range::Unit) {
                specs.push(net("relu", activation, loss, "t: class[4]"));
                specs.push(net("relu", activation, loss, "t[4]"));
            }
        }
    }
    specs.extend(regularizers().into_iter().filter(|spec| spec.name.contains(" on ") || spec.name.contains("two")));
    specs.extend(rules());
    specs.extend(shapes_of_nets());
    specs
}

fn cases() -> Vec<Case> {
    let mut runner = runner(40);
    let random = (0..40).map(|number| {
        let graph = graph().new_tree(&mut runner).expect("a graph can be made").current();
        Spec { name: format!("random graph {number}"), text: graph_spec(&graph) }
    });
    let mut cases = trained(nets_of_numbers(), ScalarType::F64);
    cases.extend(trained(random.collect(), ScalarType::F64));
    let single = trained([layers(), compositions(), constructs()].concat(), ScalarType::F32);
    cases.extend(single.iter().map(Case::by_everything));
    cases.extend(single.into_iter().filter(|case| !case.derivation.model.parameters.is_empty()));
    cases.extend(trained([compositions(), constructs()].concat(), ScalarType::F64));
    cases
}

#[test]
fn generated_code_and_the_generic_engine_agree_within_rounding() {
    let cases = cases();
    let programs = program::build("engines", &cases);
    let mut answers: Vec<_> = programs
        .iter()
        .enumerate()
        .map(|(part, program)| {
            let its = cases.iter().skip(part).step_by(program::PROGRAMS);
            program::ask(program, its.flat_map(|case| generic::Given::new(&case.derivation).flat()).collect()).into_iter()
        })
        .collect();
    let mut complaints = String::new();
    for (number, Case { spec, derivation, scalar }) in cases.iter().enumerate() {
        let answers = &mut answers[number % program::PROGRAMS];
        let (results, tolerance) = match scalar {
            ScalarType::F32 => (generic::results::<f32>(derivation), 1e-4),
            ScalarType::F64 => (generic::results::<f64>(derivation), 1e-11),
        };
        for (what, expected) in results {
            let found: Vec<f64> = answers.by_ref().take(expected.len()).collect();
            let greatest = expected.iter().fold(1e-3, |greatest: f64, value| greatest.max(value.abs()));
            let difference = expected
                .iter()
                .zip(&found)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, |most: f64, one| if one > most || one.is_nan() { one } else { most });
            let agrees = found.len() == expected.len() && difference <= tolerance * greatest;
            if !agrees {
                let (Spec { name, text }, scalar) = (spec, scalar.name());
                complaints += &format!(
                    "{name} in {scalar}: {what} differ by {difference}\n  generic   {expected:?}\n  generated {found:?}\n{text}\n"
                );
            }
        }
    }
    assert!(answers.iter_mut().all(|answers| answers.next().is_none()), "a program says more than was asked");
    assert!(complaints.is_empty(), "{complaints}");
}
