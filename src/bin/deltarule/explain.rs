//! `deltarule explain`: the derivative of the loss by one element, along all ways.

use crate::common::{compile_file, print, print_json};
use crate::example::ExampleOptions;
use crate::failure::Failure;
use clap::Args;
use deltarule_compiler::explain::{Explanation, Link, Stop, explain};
use deltarule_compiler::files::write_whole;
use serde_json::json;
use std::path::PathBuf;

/// Expand the derivative of the loss by one weight along all ways from it to the loss
#[derive(Args)]
#[command(after_help = "Examples:
  deltarule explain net.spec 'dense1.w[1,1]'
  deltarule explain net.spec 'dense1.w[1,1]' --data d.safetensors --params p.safetensors
  deltarule explain net.spec 'w[0]' w=2,-3 x=-1,-2 t=1 -o ways.svg

Indices count from 0. Numbers are put in where any value is given: those of files, of the command line, and parameters drawn as for \
training. The derivative is that of one example's loss; what a regularizer adds to the objective's is said at the end.")]
pub(crate) struct Arguments {
    /// The spec
    spec: PathBuf,
    /// The weight: a parameter, or any tensor that has an adjoint, with its indices in brackets
    #[arg(value_name = "NAME[INDEX,...]")]
    element: String,
    #[command(flatten)]
    example: ExampleOptions,
    /// Where to draw the ways, as SVG
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let compiled = compile_file(&arguments.spec)?;
    let given = if arguments.example.is_some() { Some(arguments.example.given(&compiled.derivation)?) } else { None };
    let explanation = explain(&compiled.derivation, &arguments.element, given.as_ref())
        .map_err(|error| Failure::Refused(format!("{}: {error}", arguments.spec.display())))?;
    if let Some(path) = &arguments.output {
        write_whole(path, explanation.to_svg(&compiled.derivation)?.as_bytes())?;
    }
    if arguments.json { print_json(&as_json(&explanation)) } else { print(&explanation.to_text()) }
}

fn as_json(explanation: &Explanation) -> serde_json::Value {
    let stop = |stop: &Stop| json!({"name": stop.name, "value": stop.value, "derivative": stop.derivative});
    let link = |link: &Link| {
        json!({"from": explanation.stops[link.from].name, "to": explanation.stops[link.to].name, "factor": link.factor,
            "substituted": link.substituted, "value": link.value, "equation": link.equation})
    };
    json!({
        "network": explanation.network,
        "ways": explanation.path_count,
        "elements": explanation.stops.iter().map(stop).collect::<Vec<_>>(),
        "factors": explanation.links.iter().map(link).collect::<Vec<_>>(),
        "regularizer": explanation.regularizer,
    })
}
