//! `deltarule compare`: generated against generic code on this machine.

use crate::common::{GeneratedOptions, Scalar, compile_file, print, print_json};
use crate::failure::Failure;
use clap::Args;
use deltarule_compiler::comparison::{Comparison, Settings, compare};
use serde_json::json;
use std::path::PathBuf;

/// Build the generated code of a net and compare it with the generic engine: differences, times, memory
#[derive(Args)]
#[command(after_help = "Examples:
  deltarule compare digits.spec
  deltarule compare digits.spec --minibatch 128 --scalar f64 --json

Both engines get the same random parameters and data. A difference is relative to the largest magnitude in its tensor.")]
pub(crate) struct Arguments {
    /// The spec
    spec: PathBuf,
    /// How many examples a minibatch has
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    minibatch: u32,
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
        minibatch: arguments.minibatch as usize,
        repeats: arguments.repeats as usize,
        seed: arguments.seed,
    };
    eprintln!("building the generated code");
    let comparison = compare(&compiled.derivation, &settings, &runtime)?;
    if arguments.generated.json { print_json(&as_json(&comparison)) } else { print(&as_text(&comparison, arguments.minibatch)) }
}

fn as_text(comparison: &Comparison, minibatch: u32) -> String {
    let mut text = "largest relative difference\n".to_owned();
    for (what, difference) in comparison.differences.named() {
        if let Some(difference) = difference {
            text += &format!("  {what:<20}{:>10.1e}  in {}\n", difference.relative, difference.tensor);
        }
    }
    if let Some(timing) = &comparison.timing {
        text += &format!("{:<22}{:>14}{:>14}\n", format!("minibatch of {minibatch}"), "generated", "generic");
        let microseconds = |nanoseconds: f64| format!("{:.2} µs", nanoseconds / 1e3);
        text += &format!(
            "  {:<20}{:>14}{:>14}",
            "time",
            microseconds(timing.generated.nanoseconds),
            microseconds(timing.generic.nanoseconds)
        );
        text += &format!("   {:.2} times as fast\n", timing.generic.nanoseconds / timing.generated.nanoseconds);
        text +=
            &format!("  {:<20}{:>14.1}{:>14.1}\n", "heap allocations", timing.generated.allocations, timing.generic.allocations);
    }
    let sizes = &comparison.sizes;
    text += "bytes of generated code's types\n";
    for (what, bytes) in [("parameters", sizes.parameters), ("scratch space", sizes.scratch), ("optimizer state", sizes.state)] {
        text += &format!("  {what:<20}{bytes:>10}\n");
    }
    text
}

fn as_json(comparison: &Comparison) -> serde_json::Value {
    let differences = comparison.differences.named().into_iter().map(|(what, difference)| {
        let value = difference.map(|difference| json!({"relative": difference.relative, "tensor": difference.tensor}));
        (what.replace(' ', "_"), json!(value))
    });
    let timing = comparison.timing.as_ref().map(|timing| {
        let engine = |cost: &deltarule_compiler::comparison::Cost| json!({"nanoseconds": cost.nanoseconds, "allocations": cost.allocations});
        let ratio = timing.generic.nanoseconds / timing.generated.nanoseconds;
        json!({"generated": engine(&timing.generated), "generic": engine(&timing.generic), "ratio": ratio})
    });
    let sizes = &comparison.sizes;
    json!({
        "largest_relative_difference": differences.collect::<serde_json::Map<_, _>>(),
        "minibatch": timing,
        "bytes": {"parameters": sizes.parameters, "scratch": sizes.scratch, "state": sizes.state},
    })
}
