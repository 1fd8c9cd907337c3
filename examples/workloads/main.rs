//! Trains seven nets on minibatches of several sizes and prints the loss after 64 steps and the microseconds of a step, in the form in
//! which the programs of `benches/peers` do.
//!
//! Run it with `cargo run --release --example workloads -- --help`.

mod data;
mod generic;
mod nets;
mod training;

use clap::Parser;
use data::{Data, Flat};
use deltarule::Trainable;
use generic::GenericTraining;
use nets::{Task, WORKLOADS, Workload};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use training::Training;

/// Steps before the loss is printed.
const CHECKED_STEPS: u32 = 64;

/// The time of a repeat, at least, in seconds.
const REPEAT: f64 = 0.06;

const REPEATS: usize = 7;

/// Time training steps of seven nets with their generated code
#[derive(Parser)]
#[command(
    after_help = "Prints `CHECK deltarule WORKLOAD LOSS`, the loss of the 64th step, and `RESULT deltarule WORKLOAD MEDIAN BEST`, microseconds per
step in 7 repeats of at least 60 ms."
)]
struct Arguments {
    /// The folder with the files that benches/peers/gen.py writes; if left out, data of the same sizes is made
    data: Option<PathBuf>,
    /// Which workloads, such as w4_b32; all of them if left out
    #[arg(long, value_name = "NAME", value_parser = known, num_args = 1..)]
    only: Vec<String>,
    /// Do so many steps and print the loss of the last; time nothing
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    /// Train with the generic engine, as `deltarule-generic`
    #[arg(long)]
    generic: bool,
}

fn known(name: &str) -> Result<String, String> {
    let names: Vec<&str> = WORKLOADS.iter().map(|workload| workload.name).collect();
    if names.contains(&name) { Ok(name.to_owned()) } else { Err(format!("the workloads are {}", names.join(", "))) }
}

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    for workload in WORKLOADS {
        if !arguments.only.is_empty() && !arguments.only.iter().any(|name| name == workload.name) {
            continue;
        }
        if let Err(error) = workload.with_net(&mut arguments) {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

impl Task for Arguments {
    type Result = Result<(), Box<dyn Error>>;

    fn run<N>(&mut self, workload: &Workload) -> Self::Result
    where
        N: Trainable<Scalar = f32, Input: Flat, Target: Flat>,
    {
        let parameters = N::PARAMETERS.iter().map(deltarule::Parameter::size).sum();
        let data = match &self.data {
            Some(folder) => Data::read(folder, workload, parameters)?,
            None => Data::made(workload, parameters),
        };
        if self.generic {
            let mut training = GenericTraining::<f32>::new(workload, &data)?;
            return self.measure("deltarule-generic", workload, || training.step());
        }
        let mut training = Training::<N>::new(workload, &data);
        self.measure("deltarule", workload, || Ok(training.step()))
    }
}

impl Arguments {
    /// Prints the loss after some steps, and their times.
    fn measure(
        &self,
        name: &str,
        workload: &Workload,
        mut step: impl FnMut() -> Result<f32, Box<dyn Error>>,
    ) -> Result<(), Box<dyn Error>> {
        let mut loss = 0.0;
        for _ in 0..self.steps.unwrap_or(CHECKED_STEPS) {
            loss = step()?;
        }
        println!("CHECK {name} {} {loss:.5}", workload.name);
        if self.steps.is_none() {
            let times = times(&mut step)?;
            println!("RESULT {name} {} {:.5} {:.5}", workload.name, times[REPEATS / 2], times[0]);
        }
        Ok(())
    }
}

/// The microseconds of a step in each repeat, in ascending order.
fn times<E>(mut step: impl FnMut() -> Result<f32, E>) -> Result<[f64; REPEATS], E> {
    let mut seconds = |steps: usize| {
        let start = Instant::now();
        for _ in 0..steps {
            std::hint::black_box(step()?);
        }
        Ok(start.elapsed().as_secs_f64())
    };
    let mut steps = 16;
    while seconds(steps)? <= REPEAT {
        steps *= 2;
    }
    let mut times = [0.0; REPEATS];
    for time in &mut times {
        *time = seconds(steps)? / steps as f64 * 1e6;
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}
