//! The command `deltarule`: each subcommand is a file of its own, thin over the library.
//!
//! Results go to standard output, everything else to standard error. The exit code is 0 when done, 1 when the spec or
//! the data is wrong, and 2 for wrong usage.

mod check;
mod common;
mod compare;
mod cost;
mod emit;
mod eval;
mod example;
mod explain;
mod failure;
mod fmt;
mod jacobian;
mod notation;
mod sheet;
mod trace;
mod train;
mod verify;

use clap::{Parser, Subcommand};
use deltarule_compiler::allocations::CountingAllocator;
use failure::Failure;
use std::process::ExitCode;

/// Derives the backpropagation of a network spec symbolically: update-rule sheets, allocation-free Rust, and a
/// generic engine to compare that code with.
#[derive(Parser)]
#[command(name = "deltarule", version, propagate_version = true, arg_required_else_help = true, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Arguments),
    Verify(verify::Arguments),
    Sheet(sheet::Arguments),
    Emit(emit::Arguments),
    Trace(trace::Arguments),
    Jacobian(jacobian::Arguments),
    Explain(explain::Arguments),
    Eval(eval::Arguments),
    Train(train::Arguments),
    Compare(compare::Arguments),
    Fmt(fmt::Arguments),
    Cost(cost::Arguments),
}

/// Counts, for `compare`.
#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Sheet(arguments) => sheet::run(&arguments),
        Command::Emit(arguments) => emit::run(&arguments),
        Command::Trace(arguments) => trace::run(&arguments),
        Command::Jacobian(arguments) => jacobian::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Fmt(arguments) => fmt::run(&arguments),
        Command::Cost(arguments) => cost::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough of it.
        Err(Failure::ClosedOutput) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(failure.code())
        }
    }
}
