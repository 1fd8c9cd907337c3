//! Evaluation with the generic engine.

use super::{Computed, Evaluation};
use crate::dataset::Dataset;
use crate::derivation::Derivation;
use crate::generic::{Batch, DataError, Engine, Named, Parameters, Scalar, Values};
use crate::model::Model;
use ndarray::{ArrayD, IxDyn};

/// Examples as a minibatch of the engine.
///
/// # Errors
/// Where the engine does not take them.
pub fn batch_of<T: Scalar>(engine: &Engine<T>, model: &Model, examples: &Dataset) -> Result<Batch<T>, DataError> {
    engine.batch(examples.columns.iter().map(|column| {
        let shape: Vec<usize> = std::iter::once(examples.count).chain(column.shape.iter().copied()).collect();
        let values = match column.label {
            true => Values::Labels(array(&shape, column.values.iter().map(|&label| label as usize))),
            false => Values::Numbers(array(&shape, column.values.iter().map(|&value| T::from_f64(value)))),
        };
        (model.context.tensor(column.tensor).name.as_str(), values)
    }))
}

/// Parameters of the engine from the elements of each, in the order of the model.
///
/// # Errors
/// Where the engine does not take them.
pub fn parameters_of<T: Scalar>(engine: &Engine<T>, model: &Model, parameters: &[Vec<f64>]) -> Result<Parameters<T>, DataError> {
    engine.parameters(model.parameters.iter().zip(parameters).map(|(parameter, values)| {
        let tensor = model.context.tensor(parameter.tensor);
        (tensor.name.as_str(), array(&tensor.shape, values.iter().map(|&value| T::from_f64(value))))
    }))
}

/// An array of that shape. Where there are fewer values than it has places it is empty, which the engine then refuses by its shape.
fn array<V>(shape: &[usize], values: impl Iterator<Item = V>) -> ArrayD<V> {
    let values: Vec<V> = values.collect();
    ArrayD::from_shape_vec(IxDyn(shape), values).unwrap_or_else(|_| ndarray::Array1::from_vec(Vec::new()).into_dyn())
}

/// Evaluates a net on all examples at once, and again after `steps` updates.
///
/// # Errors
/// Where the engine does not take the data or the parameters.
pub fn evaluate<T: Scalar>(
    engine: &Engine<T>,
    derivation: &Derivation,
    parameters: &[Vec<f64>],
    examples: &Dataset,
    steps: usize,
) -> Result<Evaluation, DataError> {
    let model = &derivation.model;
    let batch = batch_of(engine, model, examples)?;
    let mut parameters = parameters_of(engine, model, parameters)?;
    let forward = engine.forward(&parameters, &batch)?;
    let mut evaluation = Evaluation { outputs: computed_all(&forward.outputs), ..Evaluation::default() };
    if model.objective.is_some() {
        evaluation.objective = engine.objective(&parameters, &batch)?.into_f64();
        let derivatives = computed_all(&engine.derivatives(&parameters, &batch)?);
        evaluation.gradients = derivatives.into_iter().map(|derivative| whole_derivative(model, derivative)).collect();
        return Ok(evaluation);
    }
    evaluation.losses = Some(forward.loss.iter().map(|loss| loss.into_f64()).collect());
    let gradient = engine.gradient(&parameters, &batch)?;
    evaluation.objective = gradient.objective.into_f64();
    evaluation.gradients = computed_all(gradient.gradient.iter());
    if steps > 0 {
        let mut state = engine.state();
        for _ in 0..steps {
            engine.train(&mut parameters, &mut state, &batch)?;
        }
        evaluation.updated = computed_all(parameters.iter());
    }
    Ok(evaluation)
}

fn computed_all<'a, T: Scalar>(named: impl IntoIterator<Item = &'a Named<T>>) -> Vec<Computed> {
    let computed = |named: &Named<T>| Computed {
        name: named.name.clone(),
        shape: named.values.shape().to_vec(),
        values: named.values.iter().map(|value| value.into_f64()).collect(),
    };
    named.into_iter().map(computed).collect()
}

/// The derivative of the objective by a parameter is the mean of the examples'; that by an input is each example's own.
pub(crate) fn whole_derivative(model: &Model, derivative: Computed) -> Computed {
    let parameter = |parameter: &crate::model::Parameter| model.context.tensor(parameter.tensor).name == derivative.name;
    if !model.parameters.iter().any(parameter) {
        return derivative;
    }
    let (examples, shape) = derivative.shape.split_first().map_or((1, &[][..]), |(&examples, shape)| (examples, shape));
    let size: usize = shape.iter().product();
    let mean = |at: usize| derivative.values.iter().skip(at).step_by(size).sum::<f64>() / examples as f64;
    Computed { name: derivative.name.clone(), shape: shape.to_vec(), values: (0..size).map(mean).collect() }
}
