//! The data of a minibatch, checked against the tensors it is for.

use std::fmt;

use ndarray::{ArrayD, Axis, Dimension, IxDyn};

use super::scalar::Scalar;
use crate::equation::{Tensor, TensorId};

/// The values of one tensor for all examples, which lie along the first axis.
#[derive(Clone, Debug, PartialEq)]
pub enum Values<T> {
    /// Numbers.
    Numbers(ArrayD<T>),
    /// Integer labels, from 0; the tensor's last axis, its classes, is not an axis of the array.
    Labels(ArrayD<usize>),
}

impl<T> From<ArrayD<T>> for Values<T> {
    fn from(numbers: ArrayD<T>) -> Self {
        Values::Numbers(numbers)
    }
}

impl<T> Values<T> {
    /// Labels, one for each example of a tensor `class[n]`.
    pub fn labels(labels: impl Into<Vec<usize>>) -> Self {
        let labels = labels.into();
        Values::Labels(ndarray::Array1::from_vec(labels).into_dyn())
    }

    fn shape(&self) -> &[usize] {
        match self {
            Values::Numbers(array) => array.shape(),
            Values::Labels(array) => array.shape(),
        }
    }
}

/// Why data or parameters do not fit a network.
#[derive(Clone, Debug, PartialEq)]
pub enum DataError {
    /// A tensor that is needed has no values.
    Missing {
        /// The tensor.
        tensor: String,
    },
    /// There is no such tensor, or it does not take values.
    Unknown {
        /// The name that was given.
        tensor: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A tensor was given twice.
    Repeated {
        /// The tensor.
        tensor: String,
    },
    /// An array has another shape than its tensor.
    Shape {
        /// The tensor.
        tensor: String,
        /// Its shape; for data, of one example.
        expected: Vec<usize>,
        /// The array's shape; for data, of one example.
        found: Vec<usize>,
    },
    /// Data has no axis for the examples, or has no examples.
    NoExamples {
        /// The tensor.
        tensor: String,
    },
    /// Two tensors have different numbers of examples.
    Examples {
        /// The tensor.
        tensor: String,
        /// The number of examples of the tensors before it.
        expected: usize,
        /// Its own.
        found: usize,
    },
    /// Labels for a tensor of numbers, or numbers for labels.
    Kind {
        /// The tensor.
        tensor: String,
        /// Whether it wants labels.
        wants_labels: bool,
    },
    /// A label is not below the number of classes.
    Label {
        /// The tensor.
        tensor: String,
        /// Which example, from 0.
        example: usize,
        /// Where in the example.
        index: Vec<usize>,
        /// The label.
        label: usize,
        /// The number of classes.
        classes: usize,
    },
    /// A number is infinite or NaN.
    NotFinite {
        /// The tensor.
        tensor: String,
        /// Which example, from 0; `None` in a parameter.
        example: Option<usize>,
        /// Where in the example, or in the parameter.
        index: Vec<usize>,
        /// The number.
        value: f64,
    },
    /// An example is asked for that is not there.
    NoSuchExample {
        /// Which one, from 0.
        example: usize,
        /// How many there are.
        examples: usize,
    },
    /// Training was asked for where no optimizer says how.
    NotTrained,
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataError::Missing { tensor } => write!(f, "{tensor} has no values"),
            DataError::Unknown { tensor, known } => write!(f, "there is no {tensor}; there are: {}", known.join(", ")),
            DataError::Repeated { tensor } => write!(f, "{tensor} is given twice"),
            DataError::Shape { tensor, expected, found } => {
                write!(f, "{tensor} has shape {expected:?}, but the values have shape {found:?}")
            }
            DataError::NoExamples { tensor } => write!(f, "{tensor} has no examples"),
            DataError::Examples { tensor, expected, found } => {
                write!(f, "{tensor} has {found} examples, where the tensors before it have {expected}")
            }
            DataError::Kind { tensor, wants_labels: true } => write!(f, "{tensor} takes integer labels, not numbers"),
            DataError::Kind { tensor, wants_labels: false } => write!(f, "{tensor} takes numbers, not labels"),
            DataError::Label { tensor, example, index, label, classes } => {
                write!(f, "{tensor} of example {example}")?;
                if !index.is_empty() {
                    write!(f, " at {index:?}")?;
                }
                write!(f, " is {label}, but there are {classes} classes, counted from 0")
            }
            DataError::NotFinite { tensor, example, index, value } => {
                write!(f, "{tensor}")?;
                if let Some(example) = example {
                    write!(f, " of example {example}")?;
                }
                write!(f, " at {index:?} is {value}")
            }
            DataError::NoSuchExample { example, examples } => {
                write!(f, "there is no example {example}; there are {examples}, counted from 0")
            }
            DataError::NotTrained => write!(f, "the network has no loss to train by"),
        }
    }
}

impl std::error::Error for DataError {}

/// Values of inputs, targets and noise for a number of examples.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch<T> {
    examples: usize,
    entries: Vec<Entry<T>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry<T> {
    tensor: TensorId,
    name: String,
    classes: usize,
    values: Values<T>,
}

impl<T: Scalar> Batch<T> {
    /// Checks shapes, labels, and that all tensors have equally many examples.
    pub(super) fn new<'a>(entries: impl IntoIterator<Item = (TensorId, &'a Tensor, Values<T>)>) -> Result<Self, DataError> {
        let mut batch = Batch { examples: 0, entries: Vec::new() };
        for (id, tensor, values) in entries {
            let name = tensor.name.clone();
            if batch.entries.iter().any(|entry| entry.tensor == id) {
                return Err(DataError::Repeated { tensor: name });
            }
            if tensor.label != matches!(values, Values::Labels(_)) {
                return Err(DataError::Kind { tensor: name, wants_labels: tensor.label });
            }
            let (expected, classes) = match tensor.shape.split_last() {
                Some((&classes, leading)) if tensor.label => (leading, classes),
                _ => (&tensor.shape[..], 0),
            };
            let Some((&examples, found)) = values.shape().split_first().filter(|(examples, _)| **examples > 0) else {
                return Err(DataError::NoExamples { tensor: name });
            };
            if found != expected {
                return Err(DataError::Shape { tensor: name, expected: expected.to_vec(), found: found.to_vec() });
            }
            if !batch.entries.is_empty() && examples != batch.examples {
                return Err(DataError::Examples { tensor: name, expected: batch.examples, found: examples });
            }
            batch.examples = examples;
            if let Values::Labels(labels) = &values
                && let Some((at, &label)) = labels.indexed_iter().find(|(_, label)| **label >= classes)
            {
                let index = at.slice().to_vec();
                return Err(DataError::Label { tensor: name, example: index[0], index: index[1..].to_vec(), label, classes });
            }
            let values = match values {
                Values::Numbers(array) if !array.is_standard_layout() => Values::Numbers(array.as_standard_layout().into_owned()),
                values => values,
            };
            batch.entries.push(Entry { tensor: id, name, classes, values });
        }
        Ok(batch)
    }

    /// The number of examples; 0 where no tensor has values.
    pub fn examples(&self) -> usize {
        self.examples
    }

    /// A minibatch of these examples, counted from 0, in this order.
    ///
    /// # Errors
    /// Where an example is not there.
    pub fn select(&self, examples: &[usize]) -> Result<Batch<T>, DataError> {
        if let Some(&example) = examples.iter().find(|&&example| example >= self.examples) {
            return Err(DataError::NoSuchExample { example, examples: self.examples });
        }
        let entries = self.entries.iter().map(|entry| {
            let values = match &entry.values {
                Values::Numbers(array) => Values::Numbers(array.select(Axis(0), examples)),
                Values::Labels(array) => Values::Labels(array.select(Axis(0), examples)),
            };
            Entry { tensor: entry.tensor, name: entry.name.clone(), classes: entry.classes, values }
        });
        Ok(Batch { examples: examples.len(), entries: entries.collect() })
    }

    /// Says whether every number is finite.
    ///
    /// # Errors
    /// The first one that is infinite or NaN.
    pub fn check_finite(&self) -> Result<(), DataError> {
        for entry in &self.entries {
            if let Values::Numbers(array) = &entry.values
                && let Some((at, value)) = array.indexed_iter().find(|(_, value)| !value.is_finite())
            {
                let index = at.slice().to_vec();
                return Err(DataError::NotFinite {
                    tensor: entry.name.clone(),
                    example: index.first().copied(),
                    index: index[1..].to_vec(),
                    value: value.into_f64(),
                });
            }
        }
        Ok(())
    }

    /// Replaces one number of a tensor, if it has it.
    pub(super) fn number_mut(&mut self, tensor: TensorId, index: &[usize]) -> Option<&mut T> {
        self.entries.iter_mut().find(|entry| entry.tensor == tensor).and_then(|entry| match &mut entry.values {
            Values::Numbers(array) => array.get_mut(index),
            Values::Labels(_) => None,
        })
    }

    /// The values of a tensor as numbers: labels as rows with a single 1.
    pub(super) fn numbers(&self, tensor: TensorId) -> Option<ndarray::CowArray<'_, T, IxDyn>> {
        let entry = self.entries.iter().find(|entry| entry.tensor == tensor)?;
        Some(match &entry.values {
            Values::Numbers(array) => array.view().into(),
            Values::Labels(labels) => {
                let mut shape = labels.shape().to_vec();
                shape.push(entry.classes);
                let mut rows = ArrayD::zeros(shape);
                for (mut row, &label) in rows.rows_mut().into_iter().zip(labels) {
                    row[label] = T::one();
                }
                rows.into()
            }
        })
    }
}
