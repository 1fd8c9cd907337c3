//! The program of a scratch crate, from this side.

use super::{Folder, Runtime, ScratchError, build, crate_files};
use crate::derivation::Derivation;
use crate::emit::ScalarType;
use crate::files::FileError;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The files that numbers go through.
const EXAMPLES: &str = "examples.bin";
const RESULTS: &str = "results.bin";

/// A running program around the generated code of one spec.
#[derive(Debug)]
pub struct Driver {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    folder: Folder,
}

/// How many bytes the types of generated code take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The parameters.
    pub parameters: u64,
    /// The scratch space.
    pub scratch: u64,
    /// The optimizer's state.
    pub state: u64,
}

impl Driver {
    /// Writes the crate, builds it in release mode, and starts its program.
    ///
    /// # Errors
    /// Where the crate cannot be written, built or started.
    pub fn start(derivation: &Derivation, scalar: ScalarType, runtime: &Runtime) -> Result<Driver, ScratchError> {
        let folder = Folder::new()?;
        crate_files::write(&folder, derivation, scalar, runtime)?;
        let program = build(folder.0.path()).map_err(|error| match (error, runtime) {
            (ScratchError::Build(messages), Runtime::Registry(_)) => ScratchError::Build(format!(
                "{}\n  = hint: name the folder of the crate `deltarule` with --runtime",
                messages.trim_end()
            )),
            (error, _) => error,
        })?;
        let failed = |error: std::io::Error| ScratchError::Process(format!("cannot start the generated program: {error}"));
        let mut child = Command::new(program)
            .current_dir(folder.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let ended = || ScratchError::Process("the generated program has no standard input or output".to_owned());
        let requests = child.stdin.take().ok_or_else(ended)?;
        let answers = BufReader::new(child.stdout.take().ok_or_else(ended)?);
        Ok(Driver { child, requests, answers, folder })
    }

    /// Gives the program parameters, in the order of the model, and examples: for each, the inputs' then the targets' values.
    ///
    /// # Errors
    /// Where the program ended or refused.
    pub fn load(&mut self, parameters: &[f64], examples: &[Vec<f64>]) -> Result<(), ScratchError> {
        let path = self.folder.path(EXAMPLES);
        let numbers = std::iter::once(examples.len() as f64).chain(parameters.iter().copied());
        let bytes: Vec<u8> = numbers.chain(examples.iter().flatten().copied()).flat_map(f64::to_le_bytes).collect();
        std::fs::write(&path, bytes).map_err(|error| unusable("write", &error))?;
        self.ask(&format!("load {EXAMPLES}")).map(drop)
    }

    /// Outputs of all examples, losses of all examples, the objective, the gradient, and the parameters after a number of updates,
    /// one after the other.
    ///
    /// # Errors
    /// Where the program ended or refused.
    pub fn evaluate(&mut self, steps: usize) -> Result<Vec<f64>, ScratchError> {
        let path = self.folder.path(RESULTS);
        self.ask(&format!("evaluate {steps} {RESULTS}"))?;
        let bytes = std::fs::read(&path).map_err(|error| unusable("read", &error))?;
        let (numbers, _) = bytes.as_chunks::<8>();
        Ok(numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
    }

    /// Trains on all examples at once, so many times; the nanoseconds and heap allocations that took.
    ///
    /// # Errors
    /// Where the program ended or refused.
    pub fn time(&mut self, steps: usize) -> Result<(u64, u64), ScratchError> {
        let [nanoseconds, allocations] = self.numbers(&format!("time {steps}"))?;
        Ok((nanoseconds, allocations))
    }

    /// The bytes of the types.
    ///
    /// # Errors
    /// Where the program ended.
    pub fn sizes(&mut self) -> Result<Sizes, ScratchError> {
        let [parameters, scratch, state] = self.numbers("sizes")?;
        Ok(Sizes { parameters, scratch, state })
    }

    fn numbers<const N: usize>(&mut self, request: &str) -> Result<[u64; N], ScratchError> {
        let answer = self.ask(request)?;
        let numbers: Vec<u64> = answer.split(' ').filter_map(|number| number.parse().ok()).collect();
        numbers.try_into().map_err(|_| ScratchError::Process(format!("the generated program answered `{answer}` to `{request}`")))
    }

    fn ask(&mut self, request: &str) -> Result<String, ScratchError> {
        let mut answer = String::new();
        let asked = writeln!(self.requests, "{request}").and_then(|()| self.requests.flush());
        let read = asked.and_then(|()| self.answers.read_line(&mut answer));
        match (read, answer.trim_end()) {
            (Ok(1..), answer) if !answer.starts_with("error ") => Ok(answer.to_owned()),
            (Ok(1..), answer) => Err(ScratchError::Process(format!("the generated program: {answer}"))),
            _ => Err(ScratchError::Process(format!("the generated program ended at `{request}`"))),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The folder is removed next, and the program must not run in it any more. Both calls fail only where it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn unusable(what: &str, error: &std::io::Error) -> ScratchError {
    ScratchError::File(FileError::new("the scratch crate's folder", format!("cannot {what} a file: {error}")))
}
