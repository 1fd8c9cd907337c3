//! One example: the values that `trace` and `explain` compute with.

use crate::failure::Failure;
use clap::Args;
use deltarule_compiler::dataset::from_tensors;
use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::files::SavedModel;
use deltarule_compiler::files::tensors::TensorFile;
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
    /// Inputs and targets, a tensor for each
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
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
        self.files.given(derivation, &self.values)
    }
}

impl ExampleFiles {
    /// The values of files, then those written as `name=number`, then drawn parameters.
    pub(crate) fn given(&self, derivation: &Derivation, values: &[String]) -> Result<Given, Failure> {
        let model = &derivation.model;
        let name = |tensor| model.context.tensor(tensor).name.as_str();
        let mut given = Given::new(model);
        if let Some(path) = &self.data {
            let examples = from_tensors(model, &TensorFile::read(path)?)?;
            if self.example >= examples.count {
                let (example, count) = (self.example, examples.count);
                let message = format!("{}: there is no example {example}, only 0 to {}", path.display(), count - 1);
                return Err(Failure::Refused(message));
            }
            for column in &examples.columns {
                given.set(model, name(column.tensor), column.example(self.example))?;
            }
        }
        if let Some(path) = &self.params {
            for (parameter, values) in model.parameters.iter().zip(&SavedModel::read(path, model)?.parameters) {
                given.set(model, name(parameter.tensor), values)?;
            }
        }
        for text in values {
            given.assign(model, text)?;
        }
        if model.parameters.iter().any(|parameter| !given.has(parameter.tensor)) {
            let drawn = Engine::<f64>::new(derivation)?.initialize(self.seed);
            for (parameter, array) in model.parameters.iter().zip(drawn.iter()) {
                if !given.has(parameter.tensor) {
                    given.set(model, name(parameter.tensor), &array.values.iter().copied().collect::<Vec<_>>())?;
                }
            }
        }
        Ok(given)
    }
}
