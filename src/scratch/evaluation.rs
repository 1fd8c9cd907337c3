//! Evaluation with generated code.

use super::{Driver, ScratchError};
use crate::dataset::Dataset;
use crate::derivation::Derivation;
use crate::equation::TensorId;
use crate::evaluation::{Computed, Evaluation, whole_derivative};
use crate::model::Model;

/// Evaluates a net with its generated code on all examples at once, and again after `steps` updates.
///
/// # Errors
/// Where the program ended, refused, or gave fewer numbers than the net has.
pub fn evaluate_generated(
    driver: &mut Driver,
    derivation: &Derivation,
    parameters: &[Vec<f64>],
    examples: &Dataset,
    steps: usize,
) -> Result<Evaluation, ScratchError> {
    let model = &derivation.model;
    load(driver, parameters, examples)?;
    let mut numbers = Numbers { rest: driver.evaluate(steps)?.into_iter(), examples: examples.count };
    let outputs = numbers.examples_of(model, &model.outputs)?;
    let values = numbers.take(examples.count)?;
    let mut evaluation = Evaluation { outputs, ..Evaluation::default() };
    if let Some(objective) = &model.objective {
        evaluation.objective = values.iter().sum::<f64>() / examples.count as f64;
        let derivatives = numbers.examples_of(model, &objective.by)?;
        evaluation.gradients = derivatives.into_iter().map(|derivative| whole_derivative(model, derivative)).collect();
        return Ok(evaluation);
    }
    evaluation.losses = Some(values);
    evaluation.objective = numbers.take(1)?[0];
    let trained = |name: &str| derivation.gradient.iter().any(|gradient| model.context.tensor(gradient.parameter).name == name);
    evaluation.gradients = numbers.parameters_of(model)?.into_iter().filter(|gradient| trained(&gradient.name)).collect();
    if steps > 0 {
        evaluation.updated = numbers.parameters_of(model)?;
    }
    Ok(evaluation)
}

/// Gives a program parameters and examples.
///
/// # Errors
/// Where the program ended or refused.
pub fn load(driver: &mut Driver, parameters: &[Vec<f64>], examples: &Dataset) -> Result<(), ScratchError> {
    let parameters: Vec<f64> = parameters.iter().flatten().copied().collect();
    let example = |at: usize| examples.columns.iter().flat_map(move |column| column.example(at)).copied().collect();
    driver.load(&parameters, &(0..examples.count).map(example).collect::<Vec<_>>())
}

/// The numbers of a result, to be taken in order.
struct Numbers {
    rest: std::vec::IntoIter<f64>,
    examples: usize,
}

impl Numbers {
    fn take(&mut self, count: usize) -> Result<Vec<f64>, ScratchError> {
        let numbers: Vec<f64> = self.rest.by_ref().take(count).collect();
        if numbers.len() < count {
            return Err(ScratchError::Process("the generated program gave fewer numbers than the net has".to_owned()));
        }
        Ok(numbers)
    }

    /// The values of tensors, which lie together for each example.
    fn examples_of(&mut self, model: &Model, tensors: &[TensorId]) -> Result<Vec<Computed>, ScratchError> {
        let mut all: Vec<Computed> = tensors
            .iter()
            .map(|&tensor| {
                let tensor = model.context.tensor(tensor);
                let shape = [&[self.examples], &tensor.shape[..]].concat();
                Computed { name: tensor.name.clone(), shape, values: Vec::new() }
            })
            .collect();
        for _ in 0..self.examples {
            for computed in &mut all {
                let size = computed.shape[1..].iter().product();
                computed.values.extend(self.take(size)?);
            }
        }
        Ok(all)
    }

    fn parameters_of(&mut self, model: &Model) -> Result<Vec<Computed>, ScratchError> {
        let tensors = model.parameters.iter().map(|parameter| model.context.tensor(parameter.tensor));
        let parameter = |tensor: &crate::equation::Tensor| {
            Ok(Computed { name: tensor.name.clone(), shape: tensor.shape.clone(), values: self.take(tensor.size())? })
        };
        tensors.map(parameter).collect()
    }
}
