//! Why a derivative cannot be explained.

use std::fmt;

use crate::limits;
use crate::trace::TraceError;

/// Why a derivative cannot be explained.
#[derive(Clone, Debug, PartialEq)]
pub enum ExplainError {
    /// Nothing of that name is differentiated by.
    Unknown {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// The indices are not those of an element.
    Place {
        /// The tensor.
        name: String,
        /// Its extents.
        shape: Vec<usize>,
    },
    /// There are more elements on the way than one can follow.
    TooLarge,
    /// The numbers cannot be computed.
    Numbers(TraceError),
}

impl From<TraceError> for ExplainError {
    fn from(error: TraceError) -> Self {
        ExplainError::Numbers(error)
    }
}

impl fmt::Display for ExplainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExplainError::Unknown { name, known } => {
                write!(f, "nothing is differentiated by `{name}`; there are: {}", known.join(", "))
            }
            ExplainError::Place { name, shape } if shape.is_empty() => {
                write!(f, "`{name}` is a scalar: write it without an index")
            }
            ExplainError::Place { name, shape } => {
                let ranges: Vec<String> = shape.iter().map(|extent| format!("0 to {}", extent.saturating_sub(1))).collect();
                write!(f, "an element of `{name}` has {} in brackets: {}", count(shape.len()), ranges.join(", "))
            }
            ExplainError::TooLarge => write!(
                f,
                "more than {} elements lie between this one and the loss; try an element of a later layer, or a smaller net",
                limits::EXPLAINED_ELEMENTS
            ),
            ExplainError::Numbers(error) => write!(f, "{error}"),
        }
    }
}

fn count(indices: usize) -> String {
    if indices == 1 { "1 index".to_owned() } else { format!("{indices} indices") }
}

impl std::error::Error for ExplainError {}
