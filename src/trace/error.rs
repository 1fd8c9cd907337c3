//! Why there is no circuit.

use super::Detail;
use crate::limits;
use std::fmt;

/// Why there is no circuit.
#[derive(Clone, Debug, PartialEq)]
pub enum TraceError {
    /// A name that no input, target, parameter or noise has.
    Unknown {
        /// The name.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// A value that was not written as `NAME=NUMBER,…`.
    Malformed {
        /// What was written.
        text: String,
    },
    /// Another number of values than the tensor has.
    Count {
        /// The tensor.
        name: String,
        /// How many it has.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A label that is no class.
    Label {
        /// The tensor.
        name: String,
        /// What was given.
        value: f64,
        /// The number of classes.
        classes: usize,
    },
    /// Tensors without a value.
    Missing {
        /// Their names.
        names: Vec<String>,
    },
    /// Nothing is differentiated.
    NoResult,
    /// More gates than a circuit has, or more work to find them.
    TooLarge {
        /// In what detail.
        detail: Detail,
    },
    /// More numbers than a worked example shows.
    TooLargeToWork {
        /// How many elements the equations of one example have.
        elements: usize,
    },
    /// More than a drawing shows.
    TooLargeToDraw {
        /// The gates of the circuit.
        gates: usize,
        /// The wires between them.
        wires: usize,
    },
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TraceError::Unknown { name, known } => {
                write!(f, "error: nothing is called `{name}` whose value is given\n  = hint: there are: {}", known.join(", "))
            }
            TraceError::Malformed { text } => {
                write!(f, "error: `{text}` gives no value\n  = hint: write NAME=NUMBER, or NAME=NUMBER,NUMBER,… row by row")
            }
            TraceError::Count { name, expected, found } => {
                write!(
                    f,
                    "error: `{name}` has {}, but {found} {} given",
                    numbers(*expected),
                    if *found == 1 { "is" } else { "are" }
                )
            }
            TraceError::Label { name, value, classes } => {
                write!(f, "error: {value} is no label of `{name}`, which has the classes 0 to {}", classes.saturating_sub(1))
            }
            TraceError::Missing { names } => {
                let example = names.first().map_or("x", String::as_str);
                write!(f, "error: there is no value for {}\n  = hint: write for example {example}=1", names.join(", "))
            }
            TraceError::NoResult => f.write_str("error: there is neither a loss nor an objective to go back from"),
            TraceError::TooLarge { detail: Detail::Operations } => {
                write!(
                    f,
                    "error: this net has more than {} operations, the most that are traced one by one",
                    limits::CIRCUIT_OPERATIONS
                )
            }
            TraceError::TooLarge { detail: Detail::Elements } => {
                let most = limits::CIRCUIT_ELEMENTS;
                write!(f, "error: the tensors of this net have more than {most} elements, the most that are traced one by one")?;
                f.write_str("\n  = hint: `deltarule eval` gives values and gradients of a net of any size")
            }
            TraceError::TooLargeToWork { elements } => {
                let most = limits::WORKED_ELEMENTS;
                write!(
                    f,
                    "error: values and derivatives of one example are {elements} numbers; at most {most} are worked out by hand"
                )?;
                f.write_str(
                    "\n  = hint: narrow the layers and give as many inputs: the rules stay the same; `deltarule explain` follows one weight \
                     with numbers, and `deltarule eval` gives all values and gradients",
                )
            }
            TraceError::TooLargeToDraw { gates, wires } => {
                let (most_gates, most_wires) = (limits::DRAWN_GATES, limits::DRAWN_WIRES);
                write!(
                    f,
                    "error: a drawing shows at most {most_gates} gates and {most_wires} wires; this circuit has {gates} and {wires}"
                )
            }
        }
    }
}

impl std::error::Error for TraceError {}

fn numbers(count: usize) -> String {
    if count == 1 { "one number".to_owned() } else { format!("{count} numbers") }
}
