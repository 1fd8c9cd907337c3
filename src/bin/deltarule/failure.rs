//! Why a command stops.

use deltarule_compiler::diagnostic::Diagnostics;
use deltarule_compiler::files::FileError;
use std::fmt;

/// Why a command stops with exit code 1; it is printed on standard error.
pub(crate) enum Failure {
    /// Messages about the spec.
    Spec(Box<Diagnostics>),
    /// A file is wrong.
    File(FileError),
    /// What was asked for was done, and the answer is no.
    Refused(String),
    /// A message that is complete, `error:` included.
    Described(String),
    /// What was given on the command line cannot be read: messages with places in it.
    Unreadable(Box<Diagnostics>),
    /// What was given on the command line is not enough.
    Usage(String),
    /// Nobody reads the results any more.
    ClosedOutput,
}

impl Failure {
    /// The exit code: 1 where the spec or the data is wrong, 2 where the usage is.
    pub(crate) fn code(&self) -> u8 {
        if matches!(self, Failure::Unreadable(_) | Failure::Usage(_)) { 2 } else { 1 }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Spec(diagnostics) => formatter.write_str(diagnostics.render().trim_end()),
            Failure::File(error) => error.fmt(formatter),
            Failure::Unreadable(diagnostics) => formatter.write_str(diagnostics.render().trim_end()),
            Failure::Usage(message) | Failure::Refused(message) => write!(formatter, "error: {message}"),
            Failure::Described(message) => formatter.write_str(message),
            Failure::ClosedOutput => Ok(()),
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Failure::File(error)
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        Failure::Spec(Box::new(diagnostics))
    }
}

impl From<deltarule_compiler::training::TrainingError> for Failure {
    fn from(error: deltarule_compiler::training::TrainingError) -> Self {
        Failure::Refused(error.to_string())
    }
}

impl From<deltarule_compiler::scratch::ScratchError> for Failure {
    fn from(error: deltarule_compiler::scratch::ScratchError) -> Self {
        Failure::Described(error.to_string())
    }
}

impl From<deltarule_compiler::comparison::ComparisonError> for Failure {
    fn from(error: deltarule_compiler::comparison::ComparisonError) -> Self {
        Failure::Described(error.to_string())
    }
}

impl From<deltarule_compiler::trace::TraceError> for Failure {
    fn from(error: deltarule_compiler::trace::TraceError) -> Self {
        Failure::Described(error.to_string())
    }
}

impl From<deltarule_compiler::jacobian::JacobianError> for Failure {
    fn from(error: deltarule_compiler::jacobian::JacobianError) -> Self {
        Failure::Described(error.to_string())
    }
}

impl From<deltarule_compiler::generic::DataError> for Failure {
    fn from(error: deltarule_compiler::generic::DataError) -> Self {
        Failure::Refused(error.to_string())
    }
}

impl From<deltarule_compiler::generic::EngineError> for Failure {
    fn from(error: deltarule_compiler::generic::EngineError) -> Self {
        Failure::Refused(error.to_string())
    }
}
