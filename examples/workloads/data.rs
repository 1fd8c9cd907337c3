//! Minibatches and initial parameters, from a file as `benches/peers/gen.py` writes it or made here.
//!
//! A file is a row of f32, little endian: the inputs of 16 minibatches, their targets, then the parameters in the order of the
//! layers. Labels are written as one number for each class, 1 for the right one.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::nets::Workload;

/// The minibatches of a file, which are trained on in rotation.
pub(crate) const MINIBATCHES: usize = 16;

/// Tensors of an example, read from the numbers of a file.
pub(crate) trait Flat {
    /// From as many numbers as the file has for it.
    fn from_numbers(numbers: &[f32]) -> Self;
}

impl Flat for f32 {
    fn from_numbers(numbers: &[f32]) -> f32 {
        numbers[0]
    }
}

impl<T: Flat, const N: usize> Flat for [T; N] {
    fn from_numbers(numbers: &[f32]) -> [T; N] {
        let size = numbers.len() / N;
        std::array::from_fn(|at| T::from_numbers(&numbers[at * size..][..size]))
    }
}

/// A label: the class whose number is not 0.
impl Flat for usize {
    fn from_numbers(numbers: &[f32]) -> usize {
        numbers.iter().position(|&number| number != 0.0).unwrap_or(0)
    }
}

/// What a workload starts from.
pub(crate) struct Data {
    /// The inputs of all examples.
    pub(crate) inputs: Vec<f32>,
    /// The targets of all examples.
    pub(crate) targets: Vec<f32>,
    /// The parameters in the order of the layers.
    pub(crate) parameters: Vec<f32>,
}

/// Why there is no data.
#[derive(Debug)]
pub(crate) enum DataError {
    /// The file cannot be read.
    File(PathBuf, std::io::Error),
    /// The file has another size than the workload's data; in bytes.
    Size { path: PathBuf, found: usize, expected: usize },
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataError::File(path, error) => {
                write!(f, "{}: {error}; `python3 benches/peers/gen.py FOLDER` writes the files", path.display())
            }
            DataError::Size { path, found, expected } => {
                write!(
                    f,
                    "{}: {found} bytes, but the workload's data is {expected}; write it again with `python3 benches/peers/gen.py FOLDER`",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for DataError {}

impl Data {
    /// Reads the workload's file in a folder.
    pub(crate) fn read(folder: &Path, workload: &Workload, parameters: usize) -> Result<Data, DataError> {
        let path = folder.join(format!("{}.bin", workload.name));
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => return Err(DataError::File(path, error)),
        };
        let (inputs, targets) = sizes(workload);
        let expected = (inputs + targets + parameters) * size_of::<f32>();
        if bytes.len() != expected {
            return Err(DataError::Size { path, found: bytes.len(), expected });
        }
        let mut numbers = bytes.as_chunks().0.iter().map(|&number| f32::from_le_bytes(number));
        let mut take = |count| numbers.by_ref().take(count).collect();
        Ok(Data { inputs: take(inputs), targets: take(targets), parameters: take(parameters) })
    }

    /// Makes data of the same kind, the same on every machine: inputs around 0, labels of all classes, small parameters.
    pub(crate) fn made(workload: &Workload, parameters: usize) -> Data {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut uniform = move || (random.next_u64() >> 40) as f32 / (1_u32 << 24) as f32;
        let (inputs, targets) = sizes(workload);
        let inputs = (0..inputs).map(|_| uniform() - 0.5).collect();
        let targets = (0..targets / workload.targets)
            .flat_map(|_| {
                let chosen = uniform();
                let class = (chosen * workload.targets as f32) as usize;
                let alone = f32::from(u8::from(chosen < 0.5));
                (0..workload.targets).map(move |at| if workload.targets == 1 { alone } else { f32::from(u8::from(at == class)) })
            })
            .collect();
        let width = (3.0 / workload.inputs as f32).sqrt();
        let parameters = (0..parameters).map(|_| (2.0 * uniform() - 1.0) * width).collect();
        Data { inputs, targets, parameters }
    }
}

/// How many numbers the examples of all minibatches have as inputs, and as targets.
fn sizes(workload: &Workload) -> (usize, usize) {
    let examples = MINIBATCHES * workload.examples;
    (examples * workload.inputs, examples * workload.targets)
}
