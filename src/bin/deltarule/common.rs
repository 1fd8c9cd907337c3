//! What several commands share: reading a spec, printing a result.

use crate::failure::Failure;
use clap::{Args, ValueEnum};
use deltarule_compiler::dataset::{Columns, Dataset, from_table, from_tensors};
use deltarule_compiler::emit::ScalarType;
use deltarule_compiler::files::table::Table;
use deltarule_compiler::files::tensors::TensorFile;
use deltarule_compiler::files::{FileError, read_spec, write_whole};
use deltarule_compiler::include::read_below;
use deltarule_compiler::model::Model;
use deltarule_compiler::pipeline::{Compiled, compile_with};
use deltarule_compiler::scratch::Runtime;
use std::io::{ErrorKind, Write};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

/// The type of all numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scalar {
    /// 32 bits, as generated code uses by default
    F32,
    /// 64 bits
    F64,
}

impl Scalar {
    /// As the emitter names it.
    pub(crate) fn of_code(self) -> ScalarType {
        match self {
            Scalar::F32 => ScalarType::F32,
            Scalar::F64 => ScalarType::F64,
        }
    }
}

/// Which engine computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineChoice {
    /// The engine on ndarray arrays, which runs any spec at once
    Generic,
    /// The code that `emit` writes, built in release mode first
    Generated,
}

/// Options of the commands that build generated code and report on it.
#[derive(Args)]
pub(crate) struct GeneratedOptions {
    /// The folder of the runtime crate that generated code is built with
    #[arg(long, value_name = "FOLDER")]
    runtime: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl GeneratedOptions {
    /// The runtime crate that was asked for, or the one that is found.
    pub(crate) fn runtime(&self) -> Result<Runtime, Failure> {
        Ok(Runtime::find(self.runtime.as_deref())?)
    }
}

/// Which columns of a table are what.
#[derive(Args)]
pub(crate) struct ColumnOptions {
    /// The columns that hold the targets, in the order of the spec
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',', default_value = "last")]
    target: Vec<String>,
    /// The columns that hold the inputs, in the order of the spec; all others if left out
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    features: Vec<String>,
}

impl ColumnOptions {
    /// Reads examples from a table, or from named tensors where the file ends in `.safetensors`.
    pub(crate) fn read(&self, model: &Model, path: &Path) -> Result<Dataset, FileError> {
        if holds_tensors(path) {
            return from_tensors(model, &TensorFile::read(path)?);
        }
        // Without targets in the spec, no column is one.
        let targets = if model.targets.is_empty() { Vec::new() } else { self.target.clone() };
        from_table(model, &Table::read(path)?, &Columns { features: self.features.clone(), targets })
    }
}

/// Whether a data file holds named tensors rather than a table.
pub(crate) fn holds_tensors(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "safetensors")
}

/// Reads and compiles a spec; warnings go to standard error.
///
/// The result lives as long as the command: to take the tables of a deep net apart before the process ends would be lost time.
pub(crate) fn compile_file(path: &Path) -> Result<ManuallyDrop<Compiled>, Failure> {
    let text = read_spec(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let compiled = compile_with(&path.display().to_string(), &text, &mut |included| read_below(folder, included))?;
    if !compiled.diagnostics.messages.is_empty() {
        eprintln!("{}", compiled.diagnostics.render().trim_end());
    }
    Ok(ManuallyDrop::new(compiled))
}

/// What a spec lacks that updates need.
pub(crate) fn missing_for_updates(model: &Model) -> Option<&'static str> {
    match (model.loss, model.optimizers.is_empty()) {
        (None, _) => Some("loss"),
        (_, true) => Some("optimizer"),
        _ => None,
    }
}

/// Prints a result on standard output, all at once.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    written.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::ClosedOutput,
        _ => Failure::Refused(format!("cannot write to standard output: {error}")),
    })
}

/// Prints a JSON value on standard output.
pub(crate) fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    print(&format!("{value:#}\n"))
}

/// Writes a result to a file, or to standard output where none is named.
pub(crate) fn deliver(output: Option<&Path>, text: &str) -> Result<(), Failure> {
    match output {
        Some(path) => Ok(write_whole(path, text.as_bytes())?),
        None => print(text),
    }
}
