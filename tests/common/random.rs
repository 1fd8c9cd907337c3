//! Random networks of one to four layers.

use super::specs::{ACTIVATIONS, LOSSES, OPTIMIZERS, REGULARIZERS};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// How a layer is written.
#[derive(Clone, Debug)]
pub(crate) enum Layer {
    /// `dense(n) |> f`, with or without a bias.
    Dense { width: usize, bias: bool, activation: &'static str },
    /// The same in index notation, with parameters of the user's own.
    Spelled { width: usize, activation: &'static str },
    /// A layer whose input is added to its output.
    Residual { activation: &'static str },
}

#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) inputs: usize,
    layers: Vec<Layer>,
    pub(crate) output: (&'static str, usize),
    loss: &'static str,
    pub(crate) label: bool,
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

pub(crate) fn network() -> impl Strategy<Value = Network> {
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

pub(crate) fn spec(network: &Network) -> String {
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

/// A runner that makes the same networks every time.
pub(crate) fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}
