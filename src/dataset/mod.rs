//! Examples for a net: read from a table or from named tensors, checked against the spec, scaled, split, and put in order.
//!
//! Nothing here knows an engine: values are `f64`, one list for each input, target and noise of the model.

mod accuracy;
mod from_table;
mod from_tensors;
mod order;
mod scaling;

pub use accuracy::accuracy;
pub use from_table::{Columns, from_table};
pub use from_tensors::{from_tensors, parameters_from_tensors};
pub use order::{minibatches, shuffled, split};
pub use scaling::{Scaling, ScalingKind};

use crate::equation::{Tensor, TensorId};
use crate::model::Model;

/// The values of one tensor of a model, for a number of examples.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Which tensor of the model.
    pub tensor: TensorId,
    /// The extents for one example. The labels of a `class[n]` have those before `n`.
    pub shape: Vec<usize>,
    /// Whether the values are labels, integers from 0.
    pub label: bool,
    /// All values, example by example, each in row-major order.
    pub values: Vec<f64>,
}

impl Column {
    /// The number of values of one example.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }

    /// The values of one example.
    pub fn example(&self, example: usize) -> &[f64] {
        &self.values[example * self.size()..(example + 1) * self.size()]
    }
}

/// Values for each input and target of a model, and for noise that was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The number of examples.
    pub count: usize,
    /// Inputs in the order of the spec, then targets, then noise.
    pub columns: Vec<Column>,
}

impl Dataset {
    /// The examples at these positions, in this order.
    #[must_use]
    pub fn select(&self, positions: &[usize]) -> Dataset {
        let columns = self.columns.iter().map(|column| Column {
            values: positions.iter().flat_map(|&example| column.example(example)).copied().collect(),
            ..column.clone()
        });
        Dataset { count: positions.len(), columns: columns.collect() }
    }

    /// The values of a tensor.
    pub fn column(&self, tensor: TensorId) -> Option<&Column> {
        self.columns.iter().find(|column| column.tensor == tensor)
    }
}

/// The extents of a tensor's data for one example: those of the tensor, or without the classes of a label.
pub fn data_shape(tensor: &Tensor) -> Vec<usize> {
    let axes = tensor.shape.len() - usize::from(tensor.label && !tensor.shape.is_empty());
    tensor.shape[..axes].to_vec()
}

/// The number of classes of a label tensor.
pub fn classes(tensor: &Tensor) -> usize {
    tensor.shape.last().copied().unwrap_or(0)
}

/// The inputs, then the targets of a model.
fn data_tensors(model: &Model) -> impl Iterator<Item = TensorId> + '_ {
    model.inputs.iter().chain(&model.targets).copied()
}
