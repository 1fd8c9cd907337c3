//! Data for any net.

use deltarule_compiler::equation::{Role, TensorId};
use deltarule_compiler::generic::Values;
use deltarule_compiler::model::Model;
use ndarray::{ArrayD, IxDyn};

use super::numbers;

/// Examples of [`data`].
pub(crate) const EXAMPLES: usize = 4;

/// Values for all inputs and targets of a net, by name: inputs without a pattern, labels of all classes, targets that are distributions over
/// their elements, as some losses want it.
pub(crate) fn data(model: &Model) -> Vec<(String, Values<f64>)> {
    model.inputs.iter().chain(&model.targets).enumerate().map(|(at, &id)| values(model, id, at)).collect()
}

fn values(model: &Model, id: TensorId, at: usize) -> (String, Values<f64>) {
    let tensor = model.context.tensor(id);
    let mut shape = [&[EXAMPLES], &tensor.shape[..]].concat();
    if tensor.label {
        let classes = shape.pop().unwrap_or(1);
        let mut label = at;
        let labels = ArrayD::from_shape_simple_fn(IxDyn(&shape), || {
            label = (label * 5 + 3) % 101;
            label % classes
        });
        return (tensor.name.clone(), Values::Labels(labels));
    }
    let mut numbers = numbers(&shape, 3.0 + 37.0 * at as f64);
    if tensor.role == Role::Target {
        for mut example in numbers.outer_iter_mut() {
            example.mapv_inplace(|value| 1.5 + value);
            let sum = example.sum();
            example.mapv_inplace(|value| value / sum);
        }
    }
    (tensor.name.clone(), Values::Numbers(numbers))
}
