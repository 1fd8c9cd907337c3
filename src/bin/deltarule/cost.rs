//! `deltarule cost`: operations and memory.

use crate::common::{Scalar, compile_file, print, print_json};
use crate::failure::Failure;
use clap::Args;
use deltarule_compiler::cost::{Cost, Count, Polynomial, Row};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Count operations and bytes of forward pass, backward pass and update, per layer, as numbers and formulas
#[derive(Args)]
#[command(after_help = "Examples:
  deltarule cost digits.spec
  deltarule cost digits.spec --scalar f64 --json

A multiply-add is a multiplication and an addition; a sum of n terms takes n - 1 additions. Changes of sign and arithmetic of indices are not \
counted. Where the data decides what is computed, the dearer way counts, and the row says \"at most\". Formulas are in the extents of axes, \
n_0, n_1, and so on.")]
pub(crate) struct Arguments {
    /// The spec
    spec: PathBuf,
    /// The type of all numbers
    #[arg(long, value_enum, default_value_t = Scalar::F32)]
    scalar: Scalar,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let compiled = compile_file(&arguments.spec)?;
    let cost = Cost::new(&compiled.derivation, arguments.scalar.of_code());
    if arguments.json { print_json(&as_json(&cost)) } else { print(&cost.to_text()) }
}

fn as_json(cost: &Cost) -> Value {
    let number = |number: &Polynomial| json!({"number": integer(number.value()), "formula": number.formula()});
    let bytes = |numbers: &Polynomial| json!({"number": integer(cost.bytes(numbers)), "numbers": number(numbers)});
    let operations = |count: &Count| -> Value {
        count.operations().map(|(operation, times)| (operation.name().to_owned(), number(times))).collect::<Map<_, _>>().into()
    };
    let row = |row: &Row| {
        json!({"layer": row.layer, "equations": row.equations, "operations": operations(&row.count),
            "exact": row.count.is_exact, "bytes": bytes(&row.numbers)})
    };
    let sizes = cost.used_sizes().into_iter().map(|size| {
        json!({"symbol": format!("n_{}", size.symbol.number()), "extent": size.extent, "tensor": size.of.0, "axis": size.of.1})
    });
    let pass = |pass: &deltarule_compiler::cost::Pass| {
        let total = pass.total();
        json!({"pass": pass.kind.name(), "done": pass.kind.how_often(), "layers": pass.rows.iter().map(row).collect::<Vec<_>>(),
            "operations": operations(&total), "exact": total.is_exact, "bytes": bytes(&pass.numbers())})
    };
    let tradeoffs = cost
        .tradeoffs
        .iter()
        .map(|option| json!({"parts": option.parts, "operations": integer(option.operations), "bytes": integer(option.bytes)}));
    let memory = cost.memory.iter().map(|(what, numbers)| ((*what).to_owned(), bytes(numbers)));
    json!({
        "network": cost.network,
        "sizes": sizes.collect::<Vec<_>>(),
        "passes": cost.passes.iter().map(pass).collect::<Vec<_>>(),
        "memory": memory.collect::<Map<_, _>>(),
        "operations_against_memory": tradeoffs.collect::<Vec<_>>(),
    })
}

/// A count as JSON has it: what is past all machines is written as text.
fn integer(value: i128) -> Value {
    u64::try_from(value).map_or_else(|_| json!(value.to_string()), |value| json!(value))
}
