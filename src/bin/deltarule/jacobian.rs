//! `deltarule jacobian`: the derivative of each element of one tensor by each of another.

use crate::common::{compile_file, print};
use crate::example::ExampleOptions;
use crate::failure::Failure;
use crate::notation::NotationOptions;
use clap::{Args, ValueEnum};
use deltarule_compiler::equation::{Tensor, TensorId};
use deltarule_compiler::files::tensors::{NamedTensor, TensorFile, Values, element_name};
use deltarule_compiler::files::{FileError, write_whole};
use deltarule_compiler::jacobian::{find, jacobian, numbers};
use deltarule_compiler::model::Model;
use deltarule_compiler::sheet::{SheetOptions, jacobian_latex, jacobian_text};
use deltarule_compiler::trace::digits;
use std::path::{Path, PathBuf};

/// The most numbers that are printed; `-o` writes any number of them.
const PRINTED_NUMBERS: usize = 4_000;

/// Print the Jacobian of one tensor by an earlier one: in symbols, and in numbers where values are given
#[derive(Args)]
#[command(after_help = "Examples:
  deltarule jacobian digits.spec y by h
  deltarule jacobian digits.spec dense1.s by dense1.w --format latex
  deltarule jacobian circuit.spec f by x x=-2 y=5 z=-4
  deltarule jacobian net.spec y by x --params net.safetensors --data d.safetensors --example 3 -o jacobian.csv

Each tensor is named as in `deltarule sheet`: inputs, parameters and all values, those inside of layers as well. A ∂ stands for the \
derivative of one equation by what it reads, a d for that along all paths. Numbers are a matrix: a row for each element of OUT, a column for each \
of IN, both in row-major order. Values are written row by row; parameters that are neither given nor in a file are drawn as for \
training, and noise has its mean.")]
pub(crate) struct Arguments {
    /// The spec
    spec: PathBuf,
    /// The tensor that is differentiated
    #[arg(value_name = "OUT")]
    of: String,
    /// The word `by`
    #[arg(value_parser = ["by"], value_name = "by", hide_possible_values = true)]
    _by: String,
    /// What it is differentiated by: an input, a parameter or an earlier value
    #[arg(value_name = "IN")]
    by: String,
    #[command(flatten)]
    example: ExampleOptions,
    /// How formulas are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    notation: NotationOptions,
    /// Where to write the numbers, as .safetensors or .csv, instead of printing them
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Unicode text
    Text,
    /// LaTeX to be put into a text that uses amsmath
    Latex,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let compiled = compile_file(&arguments.spec)?;
    let derivation = &compiled.derivation;
    let model = &derivation.model;
    let (of, by) = find(model, &arguments.of, &arguments.by)?;
    let options = SheetOptions { notation: arguments.notation.table()?, ..SheetOptions::default() };
    let write = arguments.output.as_deref().map(|path| Ok((path, writer(path)?))).transpose().map_err(Failure::File)?;
    let numbers = if arguments.example.is_some() {
        Some(numbers(derivation, of, by, &arguments.example.given(derivation)?)?)
    } else {
        None
    };
    if let Some((path, write)) = write {
        let Some(numbers) = &numbers else {
            let error = FileError::new(path.display().to_string(), "there are no numbers to write, since no values are given");
            return Err(error.hint("write values, such as x=1, or name files with --data and --params").into());
        };
        write(path, model, (of, by), numbers)?;
    }
    let set = match arguments.format {
        Format::Text => jacobian_text,
        Format::Latex => jacobian_latex,
    };
    let mut text = set(derivation, &jacobian(derivation, of, by), &options);
    if let Some(numbers) = numbers.filter(|_| arguments.output.is_none()) {
        let columns = model.context.tensor(by).size();
        text.push('\n');
        text += &match arguments.format {
            _ if numbers.len() > PRINTED_NUMBERS => too_many(numbers.len(), arguments.format),
            Format::Text => matrix_text(&numbers, columns),
            Format::Latex => matrix_latex(&numbers, columns),
        };
    }
    print(&text)
}

/// Writes the rows and columns of a matrix to a file.
type WriteMatrix = fn(&Path, &Model, (TensorId, TensorId), &[f64]) -> Result<(), FileError>;

/// How the numbers are written to a file of this name.
fn writer(path: &Path) -> Result<WriteMatrix, FileError> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("safetensors") => Ok(write_tensor),
        Some("csv") => Ok(write_table),
        _ => {
            let error = FileError::new(path.display().to_string(), "the name says neither .safetensors nor .csv");
            Err(error.hint("name the file for its format: jacobian.csv"))
        }
    }
}

fn write_tensor(path: &Path, model: &Model, (of, by): (TensorId, TensorId), numbers: &[f64]) -> Result<(), FileError> {
    let [of, by] = [of, by].map(|tensor| model.context.tensor(tensor));
    let tensor = NamedTensor {
        name: format!("{} by {}", of.name, by.name),
        shape: vec![of.size(), by.size()],
        values: Values::F64(numbers.to_vec()),
    };
    TensorFile { place: path.display().to_string(), tensors: vec![tensor], ..TensorFile::default() }.write(path)
}

/// The elements that the columns are by stand in the first line.
fn write_table(path: &Path, model: &Model, (_, by): (TensorId, TensorId), numbers: &[f64]) -> Result<(), FileError> {
    let by: &Tensor = model.context.tensor(by);
    let mut table = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| FileError::new(path.display().to_string(), format!("cannot write this table: {error}"));
    table.write_record((0..by.size()).map(|at| element_name(&by.name, &by.shape, at))).map_err(failed)?;
    for row in numbers.chunks(by.size().max(1)) {
        table.write_record(row.iter().map(f64::to_string)).map_err(failed)?;
    }
    let bytes = table.into_inner().map_err(|error| failed(error.into_error().into()))?;
    write_whole(path, &bytes)
}

fn too_many(count: usize, format: Format) -> String {
    let comment = if format == Format::Latex { "% " } else { "" };
    format!("{comment}numbers: {count}, too many to print; -o FILE writes them\n")
}

fn matrix_text(numbers: &[f64], columns: usize) -> String {
    let entries: Vec<String> = numbers.iter().map(|&number| digits(number, 6)).collect();
    let width = entries.iter().map(String::len).max().unwrap_or(0);
    let mut text = "numbers, a row for each element\n".to_owned();
    for row in entries.chunks(columns.max(1)) {
        let row: Vec<String> = row.iter().map(|entry| format!("{entry:>width$}")).collect();
        text += &format!("        {}\n", row.join("  "));
    }
    text
}

fn matrix_latex(numbers: &[f64], columns: usize) -> String {
    let entries: Vec<String> = numbers.iter().map(|&number| in_latex(&digits(number, 6))).collect();
    let rows: Vec<String> = entries.chunks(columns.max(1)).map(|row| row.join(" & ")).collect();
    // A matrix of amsmath has at most MaxMatrixCols columns.
    let most = format!("\\setcounter{{MaxMatrixCols}}{{{}}}\n", columns.max(10));
    format!("{most}\\[ \\begin{{pmatrix}}\n{}\n\\end{{pmatrix}} \\]\n", rows.join(" \\\\\n"))
}

fn in_latex(number: &str) -> String {
    match number.split_once('e') {
        Some((digits, exponent)) => format!("{digits} \\cdot 10^{{{exponent}}}"),
        None => number.to_owned(),
    }
}
