//! The values that a circuit begins with, for one example.

use super::TraceError;
use crate::equation::{Tensor, TensorId};
use crate::model::Model;
use std::collections::BTreeMap;

/// Values of inputs, targets, parameters and noise, each in row-major order; of labels as rows with a 1 at the label.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Given {
    values: BTreeMap<TensorId, Vec<f64>>,
}

impl Given {
    /// Noise at its mean, and nothing else.
    pub fn new(model: &Model) -> Given {
        let noise = model.noises.iter().map(|noise| {
            let size = model.context.tensor(noise.tensor).size();
            (noise.tensor, vec![noise.distribution.mean(); size])
        });
        Given { values: noise.collect() }
    }

    /// Takes the values of one tensor, row by row; of a label the class.
    ///
    /// # Errors
    /// Where there is no such tensor, or it has another number of values.
    pub fn set(&mut self, model: &Model, name: &str, numbers: &[f64]) -> Result<(), TraceError> {
        let known = || tensors(model).map(|tensor| (tensor, model.context.tensor(tensor)));
        let Some((id, tensor)) = known().find(|(_, tensor)| tensor.name == name) else {
            let known = known().map(|(_, tensor)| tensor.name.clone()).collect();
            return Err(TraceError::Unknown { name: name.to_owned(), known });
        };
        let expected = if tensor.label { tensor.size() / classes(tensor).max(1) } else { tensor.size() };
        if numbers.len() != expected {
            return Err(TraceError::Count { name: name.to_owned(), expected, found: numbers.len() });
        }
        let values = if tensor.label { one_hot(tensor, numbers)? } else { numbers.to_vec() };
        self.values.insert(id, values);
        Ok(())
    }

    /// Takes values written as `x=-2` or `w=2,-3,-3`.
    ///
    /// # Errors
    /// Where the text is not of that form, or [`Self::set`] refuses what it says.
    pub fn assign(&mut self, model: &Model, text: &str) -> Result<(), TraceError> {
        let malformed = || TraceError::Malformed { text: text.to_owned() };
        let (name, numbers) = text.split_once('=').ok_or_else(malformed)?;
        let number = |text: &str| text.trim().parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(malformed);
        let numbers: Vec<f64> = numbers.split(',').map(number).collect::<Result<_, _>>()?;
        self.set(model, name.trim(), &numbers)
    }

    /// Whether a tensor has values.
    pub fn has(&self, tensor: TensorId) -> bool {
        self.values.contains_key(&tensor)
    }

    /// The values of a tensor, none where it has none.
    pub fn of(&self, tensor: TensorId) -> &[f64] {
        self.values.get(&tensor).map_or(&[], Vec::as_slice)
    }

    /// That nothing is missing.
    pub(crate) fn complete(&self, model: &Model) -> Result<(), TraceError> {
        let missing = tensors(model).filter(|&tensor| !self.has(tensor));
        let names: Vec<String> = missing.map(|tensor| model.context.tensor(tensor).name.clone()).collect();
        if names.is_empty() { Ok(()) } else { Err(TraceError::Missing { names }) }
    }
}

/// The tensors whose values are given, in the order of the model.
pub(crate) fn tensors(model: &Model) -> impl Iterator<Item = TensorId> + '_ {
    let parameters = model.parameters.iter().map(|parameter| parameter.tensor);
    let noises = model.noises.iter().map(|noise| noise.tensor);
    model.inputs.iter().chain(&model.targets).copied().chain(parameters).chain(noises)
}

fn classes(label: &Tensor) -> usize {
    label.shape.last().copied().unwrap_or(0)
}

fn one_hot(tensor: &Tensor, labels: &[f64]) -> Result<Vec<f64>, TraceError> {
    let classes = classes(tensor);
    let mut values = vec![0.0; tensor.size()];
    for (row, &label) in labels.iter().enumerate() {
        if label.fract() != 0.0 || label < 0.0 || label >= classes as f64 {
            return Err(TraceError::Label { name: tensor.name.clone(), value: label, classes });
        }
        values[row * classes + label as usize] = 1.0;
    }
    Ok(values)
}
