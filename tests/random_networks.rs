//! Random networks: the gradient is that of the objective, training does what the rule says, and all that is made of a net can be made.
#![cfg(feature = "generic")]

mod common;

use common::graphs::{Graph, graph, graph_spec};
use common::random::{Network, network, runner, spec};
use deltarule_compiler::emit::{EmitOptions, emit};
use deltarule_compiler::generic::{Engine, Values, check_gradients};
use deltarule_compiler::pipeline::compile;
use deltarule_compiler::sheet::{NotationTable, Sheet, SheetOptions, Steps};
use proptest::prelude::prop_assert;
use proptest::test_runner::TestCaseError;

/// Fails where the gradient is wrong, or where `f32` and `f64` part ways by more than rounding in one update.
fn is_right(network: &Network) -> Result<(), TestCaseError> {
    let text = spec(network);
    let compiled = compile("random.spec", &text).map_err(|messages| TestCaseError::fail(messages.render()))?;
    let derivation = &compiled.derivation;
    let report = check_gradients(derivation, 3).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
    prop_assert!(report.passes(), "{report}\n{text}");

    let (single, double) = (Engine::<f32>::new(derivation), Engine::<f64>::new(derivation));
    let (Ok(single), Ok(double)) = (single, double) else { return Err(TestCaseError::fail("the engine refuses it")) };
    let x = common::numbers(&[6, network.inputs], 1.0);
    let labels: Vec<usize> = (0..6).map(|example| example % network.output.1).collect();
    let t = common::numbers(&[6, network.output.1], 9.0).mapv(|value| 0.5 + 0.4 * value);
    let singles = single.batch([
        ("x", Values::Numbers(x.mapv(|value| value as f32))),
        ("t", if network.label { Values::labels(labels.clone()) } else { Values::Numbers(t.mapv(|value| value as f32)) }),
    ]);
    let doubles =
        double.batch([("x", Values::Numbers(x)), ("t", if network.label { Values::labels(labels) } else { Values::Numbers(t) })]);
    let (Ok(singles), Ok(doubles)) = (singles, doubles) else { return Err(TestCaseError::fail("the data is refused")) };
    let (mut w32, mut w64) = (single.initialize(5), double.initialize(5));
    let loss32 = single.train(&mut w32, &mut single.state(), &singles).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let loss64 = double.train(&mut w64, &mut double.state(), &doubles).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert!(
        (f64::from(loss32) - loss64).abs() <= 1e-4 * loss64.abs().max(1.0),
        "a loss of {loss32} in f32, {loss64} in f64\n{text}"
    );
    prop_assert!(w64.check_finite().is_ok(), "a weight that is not finite\n{text}");
    Ok(())
}

#[test]
fn two_hundred_random_networks_have_the_gradient_of_their_objective() {
    if let Err(error) = runner(200).run(&network(), |network| is_right(&network)) {
        panic!("{error}");
    }
}

/// Fails where a derivative is wrong, or where the sheet or the code of a net cannot be written.
fn is_whole(graph: &Graph) -> Result<(), TestCaseError> {
    let text = graph_spec(graph);
    let compiled = compile("random.spec", &text).map_err(|messages| TestCaseError::fail(messages.render()))?;
    let derivation = &compiled.derivation;
    let report = check_gradients(derivation, 3).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
    prop_assert!(report.passes(), "{report}\n{text}");
    for notation in [NotationTable::lecture(), NotationTable::matrix(), NotationTable::plain()] {
        let sheet = Sheet::new(derivation, &SheetOptions { steps: Steps::All, notation });
        for printed in [sheet.to_text(), sheet.to_latex(), sheet.to_html(), sheet.to_markdown()] {
            prop_assert!(printed.len() > 100, "an empty sheet\n{text}");
        }
    }
    prop_assert!(!emit(derivation, &EmitOptions::new("Net")).is_empty(), "no code\n{text}");
    Ok(())
}

#[test]
fn three_hundred_random_graphs_have_the_derivatives_of_their_differences_a_sheet_and_code() {
    if let Err(error) = runner(300).run(&graph(), |graph| is_whole(&graph)) {
        panic!("{error}");
    }
}
