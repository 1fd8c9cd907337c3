//! `deltarule eval`: outputs, losses and gradients as named tensors, for other tools to compare with.

use crate::common::{EngineChoice, GeneratedOptions, Scalar, compile_file, missing_for_updates, print_json};
use crate::failure::Failure;
use clap::Args;
use deltarule_compiler::dataset::{Column, from_tensors};
use deltarule_compiler::equation::Role;
use deltarule_compiler::evaluation::evaluate;
use deltarule_compiler::files::tensors::TensorFile;
use deltarule_compiler::files::{FileError, SavedModel};
use deltarule_compiler::generic::Engine;
use deltarule_compiler::scratch::{Driver, evaluate_generated};
use serde_json::json;
use std::path::PathBuf;

/// Write the outputs, losses and gradients of a net for given parameters and data
#[derive(Args)]
#[command(after_help = "Examples:
  deltarule eval digits.spec --params p.safetensors --data d.safetensors -o out.safetensors
  deltarule eval net.spec --params p.safetensors --data d.safetensors -o o.safetensors --steps 3
  deltarule eval circuit.spec --data d.safetensors -o out.safetensors --engine generated

The data file holds one tensor for each input and target, by its name, with the examples along the first axis and labels as \
integers; with the generic engine also for noise, which else has its mean, and in updates is drawn. The output file holds `output.NAME` for each equation that no other equation reads, `loss` for each example (without \
regularizers), `objective` (the mean loss plus regularizers), `gradient.PARAM` of the objective and, with --steps K, the parameters \
after K updates with all examples at once as `updated.PARAM`. With `objective ... by x` of an input, `gradient.x` holds each example's \
own derivative.")]
pub(crate) struct Arguments {
    /// The spec
    spec: PathBuf,
    /// The parameters, a tensor for each; not needed where the spec has none
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// The data, a tensor for each input and target
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Where to write the results
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Which engine computes
    #[arg(long, value_enum, default_value_t = EngineChoice::Generic)]
    engine: EngineChoice,
    /// The type of all numbers
    #[arg(long, value_enum, default_value_t = Scalar::F32)]
    scalar: Scalar,
    /// Also write the parameters after K updates with all examples at once
    #[arg(long, value_name = "K", default_value_t = 0)]
    steps: usize,
    #[command(flatten)]
    generated: GeneratedOptions,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let compiled = compile_file(&arguments.spec)?;
    let derivation = &compiled.derivation;
    let model = &derivation.model;
    let parameters = match &arguments.params {
        Some(path) => SavedModel::read(path, model)?.parameters,
        None if model.parameters.is_empty() => Vec::new(),
        None => {
            let names: Vec<&str> =
                model.parameters.iter().map(|parameter| model.context.tensor(parameter.tensor).name.as_str()).collect();
            let error =
                FileError::new(arguments.spec.display().to_string(), format!("the spec has parameters: {}", names.join(", ")));
            return Err(error.hint("name the file that holds them with --params").into());
        }
    };
    let examples = from_tensors(model, &TensorFile::read(&arguments.data)?)?;
    if let Some(missing) = missing_for_updates(model).filter(|_| arguments.steps > 0) {
        let spec = arguments.spec.display();
        return Err(Failure::Refused(format!("{spec}: there is no {missing} to update by, so --steps has no meaning")));
    }
    let evaluation = match (arguments.engine, arguments.scalar) {
        (EngineChoice::Generic, Scalar::F32) => {
            evaluate(&Engine::<f32>::new(derivation)?, derivation, &parameters, &examples, arguments.steps)?
        }
        (EngineChoice::Generic, Scalar::F64) => {
            evaluate(&Engine::<f64>::new(derivation)?, derivation, &parameters, &examples, arguments.steps)?
        }
        (EngineChoice::Generated, scalar) => {
            let noise = |column: &Column| model.context.tensor(column.tensor).role == Role::Noise;
            if let Some(given) = examples.columns.iter().find(|column| noise(column)) {
                let (data, name) = (arguments.data.display(), &model.context.tensor(given.tensor).name);
                let message =
                    format!("{data}: generated code draws its noise itself, and `{name}` is given; use --engine generic");
                return Err(Failure::Refused(message));
            }
            let runtime = arguments.generated.runtime()?;
            let mut driver = Driver::start(derivation, scalar.of_code(), &runtime)?;
            evaluate_generated(&mut driver, derivation, &parameters, &examples, arguments.steps)?
        }
    };
    let file = evaluation.to_file(arguments.scalar == Scalar::F32);
    file.write(&arguments.output)?;
    if arguments.generated.json {
        let tensors = file.tensors.iter().map(|tensor| json!({"name": tensor.name, "shape": tensor.shape}));
        print_json(&json!({"output": arguments.output, "examples": examples.count, "objective": evaluation.objective,
            "tensors": tensors.collect::<Vec<_>>()}))?;
    }
    Ok(())
}
