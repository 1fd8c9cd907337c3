//! Generated code, built and run: a crate in a temporary folder that holds the code of one spec and a driver around it.
//!
//! The driver is a process that is told what to do in lines on its standard input and answers in lines on its standard output; numbers
//! go through files in that folder.

mod crate_files;
mod driver;
mod evaluation;
mod runtime;
mod typeset;

pub use driver::{Driver, Sizes};
pub use evaluation::{evaluate_generated, load};
pub use runtime::Runtime;
pub use typeset::typeset;

use crate::files::FileError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why generated code could not be built or run.
#[derive(Debug)]
pub enum ScratchError {
    /// A file of the scratch crate could not be written or read.
    File(FileError),
    /// A program could not be started or ended early.
    Process(String),
    /// Cargo refused the crate; its messages.
    Build(String),
}

impl fmt::Display for ScratchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScratchError::File(error) => error.fmt(formatter),
            ScratchError::Process(message) => write!(formatter, "error: {message}"),
            ScratchError::Build(messages) => {
                write!(formatter, "error: cargo cannot build the generated code\n{}", messages.trim_end())
            }
        }
    }
}

impl std::error::Error for ScratchError {}

impl From<FileError> for ScratchError {
    fn from(error: FileError) -> Self {
        ScratchError::File(error)
    }
}

/// A temporary folder with a crate, removed with its value.
#[derive(Debug)]
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Result<Folder, ScratchError> {
        let failed = |error: io::Error| ScratchError::Process(format!("cannot make a temporary folder: {error}"));
        Ok(Folder(tempfile::Builder::new().prefix("deltarule-").tempdir().map_err(failed)?))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Builds the crate in a folder in release mode and returns its program.
fn build(folder: &Path) -> Result<PathBuf, ScratchError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = folder.join("target");
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--quiet", "--color", "never", "--manifest-path"]).arg(folder.join("Cargo.toml"));
    command.arg("--target-dir").arg(&target).current_dir(folder).stdin(Stdio::null());
    let output = command.output().map_err(|error| ScratchError::Process(format!("cannot start cargo: {error}")))?;
    if !output.status.success() {
        return Err(ScratchError::Build(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(target.join("release").join(crate_files::PROGRAM).with_extension(std::env::consts::EXE_EXTENSION))
}
