//! A Jacobian in numbers, by the generic engine.

use super::{JacobianError, reads};
use crate::derivation::{Derivation, derive};
use crate::equation::{Equation, Role, Tensor, TensorId};
use crate::generic::{Engine, Parameters, Values};
use crate::limits;
use crate::model::{Model, Objective};
use crate::trace::Given;
use ndarray::{ArrayD, IxDyn};

/// Elements of a tensor for all rows that are computed at once.
const ELEMENTS_AT_ONCE: usize = 1 << 20;

/// The Jacobian of a tensor by another at one example, row by row: a row for each element of `of` and a column for each of `by`, both in row-major order.
///
/// A row is the derivative of `Σ seed · of` by `by` where the seed is 1 at one element: the derivation of that sum, with an example for each row.
///
/// # Errors
/// Where a tensor that is needed has no value, or there are more numbers than the bound.
pub fn numbers(derivation: &Derivation, of: TensorId, by: TensorId, given: &Given) -> Result<Vec<f64>, JacobianError> {
    let model = &derivation.model;
    let (rows, columns) = (model.context.tensor(of).size(), model.context.tensor(by).size());
    if rows.saturating_mul(columns) > limits::JACOBIAN_NUMBERS {
        return Err(JacobianError::TooLarge { rows, columns });
    }
    let mut needed = reads(&model.context, &model.equations, of);
    needed.insert(of);
    let is_given = |tensor: &&TensorId| model.context.tensor(**tensor).role != Role::Value;
    let missing: Vec<String> = (needed.iter().filter(is_given))
        .filter(|&&tensor| !given.has(tensor))
        .map(|&tensor| model.context.tensor(tensor).name.clone())
        .collect();
    if !missing.is_empty() {
        return Err(JacobianError::Missing { names: missing });
    }
    let (seeded, seed) = seeded(model, of, by, |target| needed.contains(&target));
    let engine = Engine::<f64>::new(&seeded).map_err(|error| JacobianError::Engine(error.to_string()))?;
    let data: Vec<TensorId> = needed.into_iter().filter(|&tensor| model.context.tensor(tensor).role != Role::Parameter).collect();
    let parameters = parameters(&engine, model, given)?;
    let widest = seeded.model.context.tensors().map(|(_, tensor)| tensor.size()).max().unwrap_or(1);
    let at_once = (ELEMENTS_AT_ONCE / widest.max(1)).clamp(1, rows.max(1));
    let mut numbers = Vec::with_capacity(rows * columns);
    for first in (0..rows).step_by(at_once) {
        let count = at_once.min(rows - first);
        numbers.extend(some_rows(&engine, &seeded.model, seed, &data, &parameters, given, first..first + count)?);
    }
    Ok(numbers)
}

/// The derivation of `Σ seed · of` by `by`, and the seed.
fn seeded(model: &Model, of: TensorId, by: TensorId, is_needed: impl Fn(TensorId) -> bool) -> (Derivation, TensorId) {
    let mut model = model.clone();
    let context = &mut model.context;
    // No name of a spec has a blank in it.
    let seed = Tensor { name: "the seed".to_owned(), role: Role::Input, label: false, ..context.tensor(of).clone() };
    let seed = context.add_tensor(seed);
    let (name, origin) = ("the sum".to_owned(), None);
    let sum = Tensor { name, shape: Vec::new(), axes: Vec::new(), role: Role::Value, label: false, origin };
    let sum = context.add_tensor(sum);
    let indices = context.fresh_axes(of);
    let (left, right) = (context.access_at(seed, &indices), context.access_at(of, &indices));
    let product = context.multiply([left, right]);
    let value = if indices.is_empty() { product } else { context.sum(&indices, product) };
    model.equations.retain(|equation| is_needed(equation.target));
    model.equations.push(Equation { target: sum, indices: Vec::new(), value, computed: value, number: 0, origin });
    model.inputs.push(seed);
    model.outputs.clear();
    model.loss = None;
    model.objective = Some(Objective { value: sum, by: vec![by] });
    model.regularizers.clear();
    model.optimizers.clear();
    model.constants.clear();
    (derive(model), seed)
}

fn parameters(engine: &Engine<f64>, model: &Model, given: &Given) -> Result<Parameters<f64>, JacobianError> {
    let mut parameters = engine.initialize(0);
    for parameter in &model.parameters {
        let tensor = model.context.tensor(parameter.tensor);
        if given.has(parameter.tensor) {
            let values = array(&tensor.shape, given.of(parameter.tensor).to_vec())?;
            parameters.set(&tensor.name, values).map_err(|error| JacobianError::Engine(error.to_string()))?;
        }
    }
    Ok(parameters)
}

fn array<T>(shape: &[usize], values: Vec<T>) -> Result<ArrayD<T>, JacobianError> {
    ArrayD::from_shape_vec(IxDyn(shape), values).map_err(|error| JacobianError::Engine(error.to_string()))
}

/// Some rows: as many examples that differ in their seeds alone.
fn some_rows(
    engine: &Engine<f64>,
    model: &Model,
    seed: TensorId,
    data: &[TensorId],
    parameters: &Parameters<f64>,
    given: &Given,
    rows: std::ops::Range<usize>,
) -> Result<Vec<f64>, JacobianError> {
    let count = rows.len();
    let mut batch = Vec::new();
    for &id in data.iter().filter(|&&id| model.context.tensor(id).role != Role::Value) {
        let tensor = model.context.tensor(id);
        let values = given.of(id);
        batch.push((
            tensor.name.clone(),
            match tensor.shape.split_last() {
                Some((&classes, leading)) if tensor.label => {
                    let labels: Vec<usize> = values.chunks(classes.max(1)).map(label).collect();
                    Values::Labels(array(&examples(count, leading), labels.repeat(count))?)
                }
                _ => Values::Numbers(array(&examples(count, &tensor.shape), values.repeat(count))?),
            },
        ));
    }
    let seeds = model.context.tensor(seed);
    let size = seeds.size();
    let mut ones = vec![0.0; count * size];
    for (at, row) in rows.enumerate() {
        ones[at * size + row] = 1.0;
    }
    batch.push((seeds.name.clone(), Values::Numbers(array(&examples(count, &seeds.shape), ones)?)));
    let failed = |error: crate::generic::DataError| JacobianError::Engine(error.to_string());
    let batch = engine.batch(batch).map_err(failed)?;
    let derivatives = engine.derivatives(parameters, &batch).map_err(failed)?;
    Ok(derivatives.into_iter().flat_map(|derivative| derivative.values.into_iter().collect::<Vec<_>>()).collect())
}

fn examples(count: usize, shape: &[usize]) -> Vec<usize> {
    std::iter::once(count).chain(shape.iter().copied()).collect()
}

/// The place of the 1 in a row.
fn label(row: &[f64]) -> usize {
    row.iter().position(|&value| value != 0.0).unwrap_or(0)
}
