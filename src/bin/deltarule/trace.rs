//! `deltarule trace`: a net as a circuit, with the value and the adjoint of each gate.

use crate::common::{compile_file, print, print_json};
use crate::example::ExampleOptions;
use crate::failure::Failure;
use clap::{Args, ValueEnum};
use deltarule_compiler::files::write_whole;
use deltarule_compiler::trace::{Circuit, Detail, trace};
use serde_json::json;
use std::path::PathBuf;

/// Print each operation's value and adjoint at one example, and draw the circuit
#[derive(Args)]
#[command(after_help = "Examples:
  deltarule trace circuit.spec x=-2 y=5 z=-4
  deltarule trace neuron.spec w=2,-3 b=-3 x=-1,-2 -o neuron.svg
  deltarule trace net.spec --params net.safetensors --data d.safetensors --example 3 -o net.svg

Values are written row by row; a label is its class. Parameters that are neither given nor in a file are drawn as for training, and \
noise has its mean. Adjoints are the derivatives of the objective's value or of the example's loss, without regularizers.")]
pub(crate) struct Arguments {
    /// The spec
    spec: PathBuf,
    #[command(flatten)]
    example: ExampleOptions,
    /// Where to draw the circuit, as SVG
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What a gate is; if left out, an operation where these are few enough, else an element
    #[arg(long, value_enum)]
    detail: Option<DetailChoice>,
    /// Print the circuit as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DetailChoice {
    /// Each operation of each equation
    Operations,
    /// Each element of each tensor
    Elements,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let compiled = compile_file(&arguments.spec)?;
    let detail = arguments.detail.map(|detail| match detail {
        DetailChoice::Operations => Detail::Operations,
        DetailChoice::Elements => Detail::Elements,
    });
    let circuit = trace(&compiled.derivation, &arguments.example.given(&compiled.derivation)?, detail)?;
    if let Some(path) = &arguments.output {
        write_whole(path, circuit.to_svg()?.as_bytes())?;
    }
    if arguments.json { print_json(&as_json(&circuit)) } else { print(&circuit.to_text()) }
}

fn as_json(circuit: &Circuit) -> serde_json::Value {
    let gate = |at: usize| {
        let gate = &circuit.gates[at];
        let operands: Vec<String> = gate.operands.iter().map(|&operand| circuit.name(operand)).collect();
        json!({"name": circuit.name(at), "formula": circuit.formula(at), "operands": operands,
            "value": gate.value, "adjoint": gate.adjoint})
    };
    json!({
        "network": circuit.network,
        "result": circuit.name(circuit.result),
        "detail": match circuit.detail { Detail::Operations => "operations", Detail::Elements => "elements" },
        "gates": (0..circuit.gates.len()).map(gate).collect::<Vec<_>>(),
    })
}
