//! Recognizes handwritten digits with three convolutional nets, trained by the code that `derive_backprop` generates from their specs:
//! strided convolutions, convolutions with max pooling, and a LeNet-5 with dropout and a decaying rate.
//!
//! Run it with `cargo run --release --example convolution -- --help`.

mod mnist;
mod report;
mod training;

use clap::{Parser, ValueEnum};
use deltarule::derive_backprop;
use mnist::Digits;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Two convolutions with stride 2.
#[derive_backprop("strided.spec")]
pub struct Strided;

/// Two convolutions, each with max pooling.
#[derive_backprop("pooling.spec")]
pub struct Pooling;

/// LeNet-5.
#[derive_backprop("lenet.spec")]
pub struct LeNet;

/// Train convolutional nets on MNIST, and compare them
#[derive(Parser)]
struct Arguments {
    /// The folder with the four files of MNIST; if left out, that of the environment variable MNIST_DIR, else ../shared/data/mnist
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// How many of the 60,000 training digits to use
    #[arg(long, value_name = "N", default_value_t = 60_000, value_parser = clap::value_parser!(u32).range(1..))]
    train: u32,
    /// How often each digit is seen
    #[arg(long, value_name = "E", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Which net to train; all of them if left out
    #[arg(long, value_enum)]
    net: Option<Net>,
    /// Decides the initial weights and the order of the digits
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Net {
    /// Two 5x5 convolutions of depth 16 with stride 2
    Strided,
    /// Two 5x5 convolutions of depth 16, each with 2x2 max pooling
    Pooling,
    /// LeNet-5 with dropout and a decaying rate
    Lenet,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = (arguments.data.clone())
        .or_else(|| std::env::var_os("MNIST_DIR").map(PathBuf::from))
        .unwrap_or_else(|| repository.join("../shared/data/mnist"));
    let train = Digits::read(&data, "train", arguments.train as usize)?;
    let test = Digits::read(&data, "t10k", usize::MAX)?;
    println!("{} digits to train on, {} to test with", train.labels.len(), test.labels.len());
    let epochs = arguments.epochs as usize;
    let mut all = Vec::new();
    for net in [Net::Strided, Net::Pooling, Net::Lenet] {
        if arguments.net.is_none_or(|chosen| chosen == net) {
            all.push(match net {
                Net::Strided => training::train::<Strided>(&train, &test, epochs, arguments.seed)?,
                Net::Pooling => training::train::<Pooling>(&train, &test, epochs, arguments.seed)?,
                Net::Lenet => training::train::<LeNet>(&train, &test, epochs, arguments.seed)?,
            });
        }
    }
    report::print_table(&all, epochs);
    let folder = repository.join("target/convolution");
    std::fs::create_dir_all(&folder)?;
    report::draw_curves(&all, epochs, &folder.join("curves.svg"))?;
    println!("the learning curves: target/convolution/curves.svg");
    Ok(())
}
