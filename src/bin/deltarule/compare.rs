//! `deltarule compare`: generated against generic code on this machine.

use crate::common::{GeneratedOptions, Scalar, compile_file, print, print_json};
use crate::failure::Failure;
use clap::Args;
use deltarule_compiler::comparison::{Comparison, Cost, Settings, Timing, compare};
use serde_json::json;
use std::path::PathBuf;

/// Build the generated code of a net and compare it with the generic engine: differences, times, memory
#[derive(Args)]
#[command(after_help = "Examples:
  deltarule compare digits.spec
  deltarule compare digits.spec --minibatch 1,16,256
  deltarule compare digits.spec --minibatch 128 --scalar f64 --json

Both engines get the same random parameters and data. A difference is relative to the largest magnitude in its tensor.")]
pub(crate) struct Arguments {
    /// The spec
    spec: PathBuf,
    /// How many examples a minibatch has, one size or several
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', default_values_t = [1, 32, 128], value_parser = clap::value_parser!(u32).range(1..))]
    minibatch: Vec<u32>,
    /// The type of all numbers
    #[arg(long, value_enum, default_value_t = Scalar::F32)]
    scalar: Scalar,
    /// How often each engine is timed, in turn; the median counts
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    repeats: u32,
    /// Decides parameters and data
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    generated: GeneratedOptions,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let compiled = compile_file(&arguments.spec)?;
    let runtime = arguments.generated.runtime()?;
    let settings = Settings {
        scalar: arguments.scalar.of_code(),
        minibatches: arguments.minibatch.iter().map(|&examples| examples as usize).collect(),
        repeats: arguments.repeats as usize,
        seed: arguments.seed,
    };
    eprintln!("building the generated code");
    let comparison = compare(&compiled.derivation, &settings, &runtime)?;
    if arguments.generated.json { print_json(&as_json(&comparison)) } else { print(&as_text(&comparison, arguments.repeats)) }
}

fn as_text(comparison: &Comparison, repeats: u32) -> String {
    let mut text = "largest relative difference\n".to_owned();
    for (what, difference) in comparison.differences.named() {
        if let Some(difference) = difference {
            text += &format!("  {what:<20}{:>10.1e}  in {}\n", difference.relative, difference.tensor);
        }
    }
    if !comparison.timings.is_empty() {
        text += &times(&comparison.timings, repeats);
    }
    let sizes = &comparison.sizes;
    text += "bytes of generated code's types\n";
    for (what, bytes) in [("parameters", sizes.parameters), ("scratch space", sizes.scratch), ("optimizer state", sizes.state)] {
        text += &format!("  {what:<20}{bytes:>10}\n");
    }
    text
}

/// A table with a line for each size of minibatch.
fn times(timings: &[Timing], repeats: u32) -> String {
    let mut text = format!("µs per training step, the median of {repeats} and the least, and heap allocations\n");
    text += &format!("{:<12}{:>11}{:>24}  {:>11}\n", "", "generated", "", "generic");
    let head = format!("{:>11}{:>11}{:>13}", "median", "least", "allocations");
    text += &format!("  {:<10}{head}  {head}   times as fast\n", "minibatch");
    let figures =
        |cost: &Cost| format!("{:>11.3}{:>11.3}{:>13.1}", cost.nanoseconds / 1e3, cost.least_nanoseconds / 1e3, cost.allocations);
    for timing in timings {
        let ratio = timing.generic.nanoseconds / timing.generated.nanoseconds;
        let (generated, generic) = (figures(&timing.generated), figures(&timing.generic));
        text += &format!("  {:<10}{generated}  {generic}  {ratio:>14.2}\n", timing.minibatch);
    }
    text
}

fn as_json(comparison: &Comparison) -> serde_json::Value {
    let differences = comparison.differences.named().into_iter().map(|(what, difference)| {
        let value = difference.map(|difference| json!({"relative": difference.relative, "tensor": difference.tensor}));
        (what.replace(' ', "_"), json!(value))
    });
    let timings = comparison.timings.iter().map(|timing| {
        let engine = |cost: &Cost| {
            json!({"nanoseconds": cost.nanoseconds, "least_nanoseconds": cost.least_nanoseconds, "allocations": cost.allocations})
        };
        let ratio = timing.generic.nanoseconds / timing.generated.nanoseconds;
        let (generated, generic) = (engine(&timing.generated), engine(&timing.generic));
        json!({"examples": timing.minibatch, "generated": generated, "generic": generic, "ratio": ratio})
    });
    let sizes = &comparison.sizes;
    json!({
        "largest_relative_difference": differences.collect::<serde_json::Map<_, _>>(),
        "minibatches": timings.collect::<Vec<_>>(),
        "bytes": {"parameters": sizes.parameters, "scratch": sizes.scratch, "state": sizes.state},
    })
}
