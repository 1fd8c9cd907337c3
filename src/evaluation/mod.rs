//! What a net gives for data and parameters, by either engine: outputs, losses, the objective, gradients, updated parameters.
//!
//! This is what `deltarule eval` writes and other tools compare with, and what `deltarule compare` compares.

mod difference;
mod generic;

pub use difference::{Difference, Differences};
pub(crate) use generic::whole_derivative;
pub use generic::{batch_of, evaluate, parameters_of};

use crate::files::tensors::{NamedTensor, TensorFile, Values};

/// A tensor of a result, in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Computed {
    /// The name of the spec's tensor.
    pub name: String,
    /// Its extents, with the number of examples first where it has a value for each.
    pub shape: Vec<usize>,
    /// Its elements.
    pub values: Vec<f64>,
}

/// What a net gives for a number of examples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// For each equation that no other reads: its values, the examples first.
    pub outputs: Vec<Computed>,
    /// The loss of each example, without regularizers; `None` for a spec with an `objective`.
    pub losses: Option<Vec<f64>>,
    /// The mean loss plus the regularizers, or the mean value of an `objective`.
    pub objective: f64,
    /// The derivative of the objective by each trained parameter, or that of each example by what an `objective` names.
    pub gradients: Vec<Computed>,
    /// Every parameter after the updates that were asked for; empty where none were.
    pub updated: Vec<Computed>,
}

impl Evaluation {
    /// As a file: `output.NAME`, `loss`, `objective`, `gradient.NAME`, `updated.NAME`; as `f32` where `single`.
    pub fn to_file(&self, single: bool) -> TensorFile {
        let tensor = |prefix: &str, result: &Computed| NamedTensor {
            name: format!("{prefix}.{}", result.name),
            shape: result.shape.clone(),
            values: Values::floats(result.values.clone(), single),
        };
        let mut tensors: Vec<NamedTensor> = self.outputs.iter().map(|output| tensor("output", output)).collect();
        if let Some(losses) = &self.losses {
            let values = Values::floats(losses.clone(), single);
            tensors.push(NamedTensor { name: "loss".into(), shape: vec![losses.len()], values });
        }
        tensors.push(NamedTensor {
            name: "objective".into(),
            shape: vec![],
            values: Values::floats(vec![self.objective], single),
        });
        tensors.extend(self.gradients.iter().map(|gradient| tensor("gradient", gradient)));
        tensors.extend(self.updated.iter().map(|parameter| tensor("updated", parameter)));
        TensorFile { tensors, ..TensorFile::default() }
    }
}
