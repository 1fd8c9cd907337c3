//! `deltarule emit`: the Rust source.

use crate::common::{Scalar, compile_file, deliver};
use crate::failure::Failure;
use clap::Args;
use deltarule_compiler::emit::{EXAMPLES, EmitOptions, Purpose, bytes_of_unit, emit_file, over_budget};
use deltarule_compiler::files::{FileError, read_bytes};
use deltarule_compiler::limits;
use std::path::{Path, PathBuf};

/// Write the Rust code that trains and runs a net: what the attribute `derive_backprop` expands to
#[derive(Args)]
#[command(after_help = "Examples:
  deltarule emit digits.spec -o src/digits.rs
  deltarule emit digits.spec -o src/digits.rs --check
  deltarule emit digits.spec --name Recognizer --scalar f64
  deltarule emit digits.spec --examples 8 --scratch 16KiB -o src/digits.rs

The code needs the crate `deltarule`. With --check nothing is written: the exit code is 1 where FILE is not what \
would be written, so that a file in a repository stays up to date with its spec.")]
pub(crate) struct Arguments {
    /// The spec
    spec: PathBuf,
    /// Where to write the code; standard output if left out
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Compare FILE with what would be written, and write nothing
    #[arg(long, requires = "output")]
    check: bool,
    /// The name of the struct; the network's name if left out
    #[arg(long, value_name = "NAME", value_parser = struct_name)]
    name: Option<String>,
    /// The type of all numbers
    #[arg(long, value_enum, default_value_t = Scalar::F32)]
    scalar: Scalar,
    /// How many examples of a minibatch are computed at once; more take more scratch space
    #[arg(long, value_name = "N", default_value_t = EXAMPLES, value_parser = examples)]
    examples: usize,
    /// What the scratch space of training may take, such as 16KiB; more is an error that lists the largest parts
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    scratch: Option<usize>,
    /// What the values of inference may take
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    values: Option<usize>,
}

fn examples(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=limits::EXAMPLES_AT_ONCE).contains(number));
    number.ok_or_else(|| format!("expected a number from 1 to {}", limits::EXAMPLES_AT_ONCE))
}

/// `16KiB`, `16 KiB`, `2 MiB`, `800 bytes`.
fn bytes(text: &str) -> Result<usize, String> {
    let (number, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
    let unit = if unit.trim().is_empty() { Some(1) } else { bytes_of_unit(unit.trim()) };
    let bytes = number.parse::<usize>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
    bytes.ok_or_else(|| "expected a number of bytes, KiB or MiB, such as 16KiB".to_owned())
}

fn struct_name(text: &str) -> Result<String, String> {
    match syn::parse_str::<syn::Ident>(text) {
        Ok(_) if text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.is_ascii() => Ok(text.to_owned()),
        _ => Err("the name of a Rust struct is expected, such as Digits".to_owned()),
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let compiled = compile_file(&arguments.spec)?;
    let name = arguments.name.as_ref().unwrap_or(&compiled.derivation.model.name);
    let options = EmitOptions { scalar: arguments.scalar.of_code(), examples: arguments.examples, ..EmitOptions::new(name) };
    let budgets = [(Purpose::Training, arguments.scratch), (Purpose::Inference, arguments.values)];
    let over = budgets.into_iter().filter_map(|(purpose, bytes)| over_budget(&compiled.derivation, &options, purpose, bytes?));
    let over: Vec<String> = over.collect();
    if !over.is_empty() {
        return Err(Failure::Refused(over.join("\n\nerror: ")));
    }
    let code = emit_file(&compiled.derivation, &options).map_err(Failure::Refused)?;
    match (&arguments.output, arguments.check) {
        (Some(path), true) => compare_with(path, &code, &arguments.spec),
        (path, _) => deliver(path.as_deref(), &code),
    }
}

/// Names the first line of a file that is not what the spec gives.
fn compare_with(path: &Path, code: &str, spec: &Path) -> Result<(), Failure> {
    let found = read_bytes(path, limits::DATA_BYTES)?;
    let found = String::from_utf8_lossy(&found);
    // A checkout may have turned line ends into those of its system.
    let differs = found.lines().zip(code.lines()).position(|(found, expected)| found != expected);
    let (has, needs) = (found.lines().count(), code.lines().count());
    let line = match differs {
        None if has == needs => return Ok(()),
        None => has.min(needs) + 1,
        Some(at) => at + 1,
    };
    let error = FileError::new(format!("{}:{line}:1", path.display()), format!("this file is not what {} gives", spec.display()));
    Err(error.hint("write it anew: the same command without --check").into())
}
