//! `deltarule fmt`: the one layout of specs.

use crate::common::print;
use crate::failure::Failure;
use clap::Args;
use deltarule_compiler::files::{FileError, read_spec, write_whole};
use deltarule_compiler::format::format;
use deltarule_compiler::limits;
use deltarule_compiler::syntax;
use similar::TextDiff;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Format specs in place: blanks, indentation and empty lines; comments and the meaning stay
#[derive(Args)]
#[command(after_help = "Examples:
  deltarule fmt digits.spec
  deltarule fmt specs/*.spec --check
  deltarule fmt - < digits.spec

Lines end where you ended them. A file with a mistake in its syntax is not touched, and neither is one that is included. With --check \
nothing is written: the exit code is 1 where a file would change, and what would change is printed.")]
pub(crate) struct Arguments {
    /// The specs; `-` reads standard input and prints the result
    #[arg(required = true, value_name = "SPEC")]
    specs: Vec<PathBuf>,
    /// Print what would change, and write nothing
    #[arg(long)]
    check: bool,
}

/// Runs the command. All specs are looked at, whatever is wrong with one of them.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut differing = Vec::new();
    let mut failures = Vec::new();
    for path in &arguments.specs {
        match one(path, arguments.check) {
            Ok(true) => {}
            Ok(false) => differing.push(path.display().to_string()),
            Err(Failure::ClosedOutput) => return Err(Failure::ClosedOutput),
            Err(failure) => failures.push(failure.to_string()),
        }
    }
    if !differing.is_empty() {
        let list = differing.join(", ");
        let hint = format!("format them: deltarule fmt {}", differing.join(" "));
        failures.push(format!("error: not formatted: {list}\n  = hint: {hint}"));
    }
    if failures.is_empty() { Ok(()) } else { Err(Failure::Described(failures.join("\n\n"))) }
}

/// Formats one spec, or checks it; false where it would change.
fn one(path: &Path, check: bool) -> Result<bool, Failure> {
    let from_input = path == Path::new("-");
    let text = if from_input { read_input()? } else { read_spec(path)? };
    let name = if from_input { "standard input".to_owned() } else { path.display().to_string() };
    let formatted = format(&name, &text)?;
    if check && formatted != text {
        print(&TextDiff::from_lines(&text, &formatted).unified_diff().context_radius(1).header(&name, "formatted").to_string())?;
        return Ok(false);
    }
    if from_input && !check {
        print(&formatted)?;
    } else if !check && formatted != text {
        write_whole(path, formatted.as_bytes())?;
    }
    Ok(true)
}

/// The text of standard input.
fn read_input() -> Result<String, FileError> {
    let place = "standard input";
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(limits::SOURCE_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| FileError::new(place, format!("cannot read this: {error}")))?;
    syntax::decode(bytes).map_err(|message| FileError::new(place, message))
}
