//! Random networks of one to four layers: the gradient is that of the objective, and training does what the rule says.
#![cfg(feature = "generic")]

mod common;

use common::specs::{ACTIVATIONS, LOSSES, OPTIMIZERS, REGULARIZERS};
use deltarule_compiler::generic::{Engine, Values, check_gradients};
use deltarule_compiler::pipeline::compile;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRng, TestRunner};

/// How a layer is written.
#[derive(Clone, Debug)]
enum Layer {
    /// `dense(n) |> f`, with or without a bias.
    Dense { width: usize, bias: bool, activation: &'static str },
    /// The same in index notation, with parameters of the user's own.
    Spelled { width: usize, activation: &'static str },
    /// A layer whose input is added to its output.
    Residual { activation: &'static str },
}

#[derive(Clone, Debug)]
struct Network {
    inputs: usize,
    layers: Vec<Layer>,
    output: (&'static str, usize),
    loss: &'static str,
    label: bool,
    regularizer: Option<&'static str>,
    optimizer: &'static str,
}

fn layer() -> impl Strategy<Value = Layer> {
    let activation = || (0..ACTIVATIONS.len()).prop_map(|at| ACTIVATIONS[at].0);
    prop_oneof![
        4 => (1..6_usize, any::<bool>(), activation()).prop_map(|(width, bias, activation)| Layer::Dense { width, bias, activation }),
        1 => (1..5_usize, activation()).prop_map(|(width, activation)| Layer::Spelled { width, activation }),
        1 => activation().prop_map(|activation| Layer::Residual { activation }),
    ]
}

fn network() -> impl Strategy<Value = Network> {
    let output = (0..LOSSES.len(), any::<prop::sample::Index>()).prop_map(|(loss, activation)| {
        let (loss, needed) = LOSSES[loss];
        let fitting: Vec<&str> = ACTIVATIONS.iter().filter(|(_, range)| *range >= needed).map(|(name, _)| *name).collect();
        (*activation.get(&fitting), loss)
    });
    let regularizer = prop::option::of((0..REGULARIZERS.len()).prop_map(|at| REGULARIZERS[at]));
    let layers = prop::collection::vec(layer(), 0..4);
    (1..5_usize, layers, output, 2..5_usize, any::<bool>(), regularizer, 0..OPTIMIZERS.len()).prop_map(
        |(inputs, layers, (activation, loss), outputs, label, regularizer, optimizer)| Network {
            inputs,
            layers,
            output: (activation, outputs),
            loss,
            label,
            regularizer,
            optimizer: OPTIMIZERS[optimizer],
        },
    )
}

fn spec(network: &Network) -> String {
    let mut width = network.inputs;
    let mut text = format!("input x[{width}]\n");
    let (activation, outputs) = network.output;
    text += &if network.label { format!("target t: class[{outputs}]\n") } else { format!("target t[{outputs}]\n") };
    let mut value = "x".to_owned();
    for (at, layer) in network.layers.iter().enumerate() {
        let next = format!("h{at}");
        text += &match layer {
            Layer::Dense { width: n, bias, activation } => {
                width = *n;
                let bias = if *bias { "" } else { ", bias = false" };
                format!("{next} = {value} |> dense({n}{bias}) |> {activation}\n")
            }
            Layer::Spelled { width: n, activation } => {
                let lines = format!(
                    "param w{at}[i: {width}, j: {n}] ~ he\nparam b{at}[j: {n}] ~ normal(0, 0.1)\n\
                     s{at}[j] = sum(i: w{at}[i, j] * {value}[i]) + b{at}[j]\n{next} = s{at} |> {activation}\n"
                );
                width = *n;
                lines
            }
            Layer::Residual { activation } => format!("{next} = {value} + ({value} |> dense({width}) |> {activation})\n"),
        };
        value = next;
    }
    text += &format!("y = {value} |> dense({outputs}) |> {activation}\nloss {}\n", network.loss);
    if let Some(regularizer) = network.regularizer {
        text += &format!("regularizer {regularizer}\n");
    }
    text + &format!("optimizer {}\n", network.optimizer)
}

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
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(prop::test_runner::RngAlgorithm::ChaCha));
    if let Err(error) = runner.run(&network(), |network| is_right(&network)) {
        panic!("{error}");
    }
}
