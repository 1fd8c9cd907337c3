//! `deltarule train`: training with the generic engine.

use crate::common::{ColumnOptions, Scalar, compile_file, missing_for_updates, print, print_json};
use crate::failure::Failure;
use clap::Args;
use deltarule_compiler::dataset::{Dataset, Scaling, ScalingKind, split};
use deltarule_compiler::files::SavedModel;
use deltarule_compiler::generic;
use deltarule_compiler::pipeline::Compiled;
use deltarule_compiler::training::{Epoch, Start, Training};
use indicatif::{ProgressBar, ProgressStyle};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use serde_json::json;
use std::path::PathBuf;

/// Train a net on a table with the generic engine, and save it
#[derive(Args)]
#[command(after_help = "Examples:
  deltarule train digits.spec --data digits.csv.gz --scale --epochs 30 --save digits.safetensors
  deltarule train iris.spec --data iris.csv --target class --standardize --minibatch 8 --seed 7
  deltarule train digits.spec --data digits.csv.gz --load digits.safetensors --json

The table is CSV, with or without a header, also compressed with gzip; a data file that ends in .safetensors has a \
tensor for each input and target instead. A column is a name of the header, a number from 1, or `last`.")]
pub(crate) struct Arguments {
    /// The spec
    spec: PathBuf,
    /// The examples: a CSV file, or named tensors in a .safetensors file
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    #[command(flatten)]
    columns: ColumnOptions,
    /// Shift and scale each input value to mean 0 and deviation 1 over the training examples
    #[arg(long, conflicts_with = "scale")]
    standardize: bool,
    /// Shift and scale each input value to 0..1 over the training examples
    #[arg(long)]
    scale: bool,
    /// How many times each example is seen
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// How many examples an update sees
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    minibatch: u32,
    /// Decides the split, the initial weights and the order of the examples
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The share of the examples that is kept to test with; with 0 those to train on are
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, value_parser = share)]
    test: f64,
    /// The type of all numbers
    #[arg(long, value_enum, default_value_t = Scalar::F32)]
    scalar: Scalar,
    /// Begin with the parameters of this file, and its scaling
    #[arg(long, value_name = "FILE")]
    load: Option<PathBuf>,
    /// Write the trained parameters to this file
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Print the result as JSON, with every epoch's losses
    #[arg(long)]
    json: bool,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..1.0).contains(&share) => Ok(share),
        _ => Err("a share is a number from 0 to less than 1".to_owned()),
    }
}

/// The examples to train on and to test with, as the net sees them.
struct Prepared {
    train: Dataset,
    test: Dataset,
    /// Whether the examples to test with are those to train on, for want of others.
    tests_what_is_trained: bool,
    scaling: Option<Scaling>,
    loaded: Option<SavedModel>,
    random: Xoshiro256PlusPlus,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let compiled = compile_file(&arguments.spec)?;
    match arguments.scalar {
        Scalar::F32 => run_in::<f32>(arguments, &compiled),
        Scalar::F64 => run_in::<f64>(arguments, &compiled),
    }
}

fn run_in<T: generic::Scalar>(arguments: &Arguments, compiled: &Compiled) -> Result<(), Failure> {
    let model = &compiled.derivation.model;
    if let Some(missing) = missing_for_updates(model) {
        return Err(Failure::Refused(format!("{}: there is no {missing} to train by", arguments.spec.display())));
    }
    let Prepared { train, test, tests_what_is_trained, scaling, loaded, random } = prepare(arguments, compiled)?;
    let start = loaded.as_ref().map_or(Start::Seed(arguments.seed), |saved| Start::Parameters(&saved.parameters));
    let (trained_on, tested_with) = (train.count, test.count);
    let mut training = Training::<T>::new(&compiled.derivation, start, &train, test, arguments.minibatch as usize, random)?;
    let epochs = all_epochs(&mut training, arguments.epochs)?;
    if let Some(path) = &arguments.save {
        SavedModel { parameters: training.parameters()?, scaling }.write(path, model, arguments.scalar == Scalar::F32)?;
    }
    let last = epochs[epochs.len() - 1];
    if arguments.json {
        let epoch =
            |epoch: &Epoch| json!({"loss": epoch.loss, "test_loss": epoch.test_loss, "test_accuracy": epoch.test_accuracy});
        return print_json(&json!({
            "network": model.name, "train_examples": trained_on, "test_examples": tested_with,
            "epochs": epochs.iter().map(epoch).collect::<Vec<_>>(), "saved": arguments.save,
        }));
    }
    let tested_with = if tests_what_is_trained { "the same".to_owned() } else { tested_with.to_string() };
    let mut text = format!("{}: {trained_on} examples to train on, {tested_with} to test with\n", model.name);
    text += &format!("loss           {:.6}\ntest loss      {:.6}\n", last.loss, last.test_loss);
    text += &last.test_accuracy.map_or(String::new(), |accuracy| format!("test accuracy  {accuracy:.4}\n"));
    text += &arguments.save.as_ref().map_or(String::new(), |path| format!("saved          {}\n", path.display()));
    print(&text)
}

fn all_epochs<T: generic::Scalar>(training: &mut Training<'_, T>, count: u32) -> Result<Vec<Epoch>, Failure> {
    let style =
        ProgressStyle::with_template("{bar:20} epoch {pos}/{len}  {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    let progress = ProgressBar::new(u64::from(count)).with_style(style);
    let mut epochs = Vec::new();
    for _ in 0..count {
        let epoch = training.epoch()?;
        let accuracy = epoch.test_accuracy.map_or(String::new(), |accuracy| format!("  accuracy {accuracy:.4}"));
        progress.set_message(format!("loss {:.4}  test loss {:.4}{accuracy}", epoch.loss, epoch.test_loss));
        progress.inc(1);
        epochs.push(epoch);
    }
    progress.finish();
    Ok(epochs)
}

/// Reads the examples, splits them, and scales all of them by what the training examples say or the loaded model knows.
fn prepare(arguments: &Arguments, compiled: &Compiled) -> Result<Prepared, Failure> {
    let model = &compiled.derivation.model;
    let loaded = arguments.load.as_ref().map(|path| SavedModel::read(path, model)).transpose()?;
    let all = arguments.columns.read(model, &arguments.data)?;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(arguments.seed);
    let (train, test) = split(all.count, arguments.test, &mut random);
    let mut train = all.select(&train);
    // Without test examples, the training examples are what there is to measure with.
    let tests_what_is_trained = test.is_empty();
    let mut test = if tests_what_is_trained { train.clone() } else { all.select(&test) };
    let kind = match (arguments.standardize, arguments.scale) {
        (true, _) => Some(ScalingKind::Standardize),
        (_, true) => Some(ScalingKind::Unit),
        _ => None,
    };
    let scaling = kind.map(|kind| Scaling::fit(kind, &model.inputs, &train));
    let scaling = scaling.or_else(|| loaded.as_ref().and_then(|saved| saved.scaling.clone()));
    if let Some(scaling) = &scaling {
        scaling.apply(&mut train);
        scaling.apply(&mut test);
    }
    Ok(Prepared { train, test, tests_what_is_trained, scaling, loaded, random })
}
