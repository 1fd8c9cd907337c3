//! Why there is no Jacobian.

use crate::limits;
use std::fmt;

/// Why there is no Jacobian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JacobianError {
    /// No tensor has this name.
    Unknown {
        /// The name.
        name: String,
        /// The name that was probably meant.
        meant: Option<String>,
        /// Those there are.
        known: Vec<String>,
    },
    /// No equation computes what is to be differentiated.
    NotComputed {
        /// Its name.
        of: String,
    },
    /// A class, which is an integer, has no derivatives by it.
    Label {
        /// Its name.
        by: String,
    },
    /// A tensor by itself.
    Same {
        /// Its name.
        name: String,
    },
    /// A tensor of a recurrence, which cannot be varied with all of its later steps held.
    Recurrent {
        /// Its name.
        by: String,
    },
    /// Nothing leads from the second to the first.
    Independent {
        /// The first.
        of: String,
        /// The second.
        by: String,
        /// Whether the second depends on the first.
        reversed: bool,
    },
    /// More numbers than the bound of [`crate::limits`].
    TooLarge {
        /// How many rows.
        rows: usize,
        /// How many columns.
        columns: usize,
    },
    /// Tensors without a value.
    Missing {
        /// Their names.
        names: Vec<String>,
    },
    /// The engine cannot compute it.
    Engine(String),
}

impl fmt::Display for JacobianError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JacobianError::Unknown { name, meant, known } => {
                write!(f, "error: no tensor of this spec is called `{name}`\n  = hint: ")?;
                match meant {
                    Some(meant) => write!(f, "did you mean `{meant}`?"),
                    None => write!(f, "there are: {}", known.join(", ")),
                }
            }
            JacobianError::NotComputed { of } => {
                write!(f, "error: `{of}` is given, not computed, and so depends on nothing")?;
                f.write_str("\n  = hint: a Jacobian is that of a tensor which an equation defines")
            }
            JacobianError::Label { by } => {
                write!(f, "error: `{by}` holds classes, which are integers: nothing has a derivative by it")
            }
            JacobianError::Same { name } => {
                write!(
                    f,
                    "error: the Jacobian of `{name}` by itself is the identity\n  = hint: name an earlier tensor after `by`"
                )
            }
            JacobianError::Recurrent { by } => {
                write!(f, "error: `{by}` is computed step by step from itself, so its elements cannot be varied one by one")?;
                f.write_str("\n  = hint: name what enters the recurrence: an input or a parameter")
            }
            JacobianError::Independent { of, by, reversed } => {
                write!(f, "error: `{of}` does not depend on `{by}`")?;
                if *reversed { write!(f, "\n  = hint: `{by}` depends on `{of}`: write {by} by {of}") } else { Ok(()) }
            }
            JacobianError::TooLarge { rows, columns } => write!(
                f,
                "error: this Jacobian has {rows} × {columns} numbers, and at most {} are computed",
                limits::JACOBIAN_NUMBERS
            ),
            JacobianError::Missing { names } => {
                let example = names.first().map_or("x", String::as_str);
                write!(f, "error: there is no value for {}\n  = hint: write for example {example}=1", names.join(", "))
            }
            JacobianError::Engine(message) => write!(f, "error: {message}"),
        }
    }
}

impl std::error::Error for JacobianError {}
