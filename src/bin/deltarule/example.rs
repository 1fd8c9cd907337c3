//! One example: the values that `trace` and `explain` compute with.

use crate::common::{ColumnOptions, holds_tensors};
use crate::failure::Failure;
use clap::Args;
use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::files::SavedModel;
use deltarule_compiler::generic::Engine;
use deltarule_compiler::trace::Given;
use std::path::PathBuf;

/// Where the values of an example come from.
#[derive(Args)]
pub(crate) struct ExampleOptions {
    /// Values of inputs, targets, parameters and noise
    #[arg(value_name = "NAME=NUMBER,...")]
    values: Vec<String>,
    #[command(flatten)]
    files: ExampleFiles,
}

/// Files with the values of an example.
#[derive(Args)]
pub(crate) struct ExampleFiles {
    /// The parameters, a tensor for each
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// Inputs and targets: a CSV file, or a tensor for each in a .safetensors file
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    #[command(flatten)]
    columns: ColumnOptions,
    /// Which example of the data is taken, from 0
    #[arg(long, value_name = "N", default_value_t = 0, requires = "data")]
    example: usize,
    /// Decides the parameters that are not given
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

impl ExampleOptions {
    /// Whether any value is given.
    pub(crate) fn is_some(&self) -> bool {
        !self.values.is_empty() || self.files.params.is_some() || self.files.data.is_some()
    }

    /// The values that were asked for: those of files first, then those of the command line, then drawn parameters.
    pub(crate) fn given(&self, derivation: &Derivation) -> Result<Given, Failure> {
        Ok(self.files.given(derivation, &self.values)?.0)
    }
}

impl ExampleFiles {
    /// The values of files, then those written as `name=number`, then drawn parameters; with a sentence on each source.
    pub(crate) fn given(&self, derivation: &Derivation, values: &[String]) -> Result<(Given, Vec<String>), Failure> {
        let model = &derivation.model;
        let name = |tensor| model.context.tensor(tensor).name.as_str();
        let mut given = Given::new(model);
        let mut sources = Vec::new();
        let saved = self.params.as_ref().map(|path| SavedModel::read(path, model)).transpose()?;
        if let Some(path) = &self.data {
            let mut examples = self.columns.read(model, path)?;
            if self.example >= examples.count {
                let (example, count) = (self.example, examples.count);
                let message = format!("{}: there is no example {example}, only 0 to {}", path.display(), count - 1);
                return Err(Failure::Refused(message));
            }
            sources.push(format!("The data are those of example {}, counted from 0, of {}.", self.example, path.display()));
            // Tensors are taken as they are; a table is scaled as it was for training.
            if let Some(scaling) = saved.as_ref().and_then(|saved| saved.scaling.as_ref()).filter(|_| !holds_tensors(path)) {
                scaling.apply(&mut examples);
                sources.push("The inputs are scaled as for training.".to_owned());
            }
            for column in &examples.columns {
                given.set(model, name(column.tensor), column.example(self.example))?;
            }
        }
        if let (Some(saved), Some(path)) = (&saved, &self.params) {
            sources.push(format!("The parameters are those of {}.", path.display()));
            for (parameter, values) in model.parameters.iter().zip(&saved.parameters) {
                given.set(model, name(parameter.tensor), values)?;
            }
        }
        let name_in = |text: &str| text.split('=').next().unwrap_or_default().trim().to_owned();
        for (at, text) in values.iter().enumerate() {
            let named = name_in(text);
            if values[..at].iter().any(|before| name_in(before) == named) {
                return Err(Failure::Refused(format!("`{named}` is given twice")));
            }
            given.assign(model, text)?;
        }
        if model.parameters.iter().any(|parameter| !given.has(parameter.tensor)) {
            sources.push(format!("The parameters have initial values, drawn with seed {}.", self.seed));
            let drawn = Engine::<f64>::new(derivation)?.initialize(self.seed);
            for (parameter, array) in model.parameters.iter().zip(drawn.iter()) {
                if !given.has(parameter.tensor) {
                    given.set(model, name(parameter.tensor), &array.values.iter().copied().collect::<Vec<_>>())?;
                }
            }
        }
        if !model.noises.is_empty() {
            sources.push("Noise that the data do not give is at its mean.".to_owned());
        }
        Ok((given, sources))
    }
}
