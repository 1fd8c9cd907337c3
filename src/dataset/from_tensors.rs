//! Examples and parameters out of named tensors.

use super::{Column, Dataset, classes, data_shape, data_tensors};
use crate::equation::{Role, TensorId};
use crate::files::FileError;
use crate::files::tensors::{NamedTensor, TensorFile, shape_text};
use crate::model::Model;

/// Takes one tensor for each input and target, by name, with the examples along the first axis; and for noise where the file has it.
///
/// # Errors
/// Where a tensor is missing, unknown, of another shape or number of examples, or has an element that is no finite number or no label.
pub fn from_tensors(model: &Model, file: &TensorFile) -> Result<Dataset, FileError> {
    let name = |tensor: TensorId| model.context.tensor(tensor).name.as_str();
    let noise: Vec<TensorId> =
        model.context.tensors().filter(|(_, tensor)| tensor.role == Role::Noise).map(|(id, _)| id).collect();
    let known: Vec<&str> = data_tensors(model).chain(noise.iter().copied()).map(name).collect();
    file.only(known.iter().copied())?;
    let mut dataset = Dataset { count: 0, columns: Vec::new() };
    for tensor in data_tensors(model) {
        let what = if model.inputs.contains(&tensor) { "input" } else { "target" };
        let found = file.expect(what, name(tensor))?;
        add(model, file, tensor, found, &mut dataset)?;
    }
    for tensor in noise {
        if let Some(found) = file.get(name(tensor)) {
            add(model, file, tensor, found, &mut dataset)?;
        }
    }
    if dataset.count == 0 {
        return Err(FileError::new(&file.place, "there are no examples in this file"));
    }
    Ok(dataset)
}

fn add(model: &Model, file: &TensorFile, tensor: TensorId, found: &NamedTensor, dataset: &mut Dataset) -> Result<(), FileError> {
    let declared = model.context.tensor(tensor);
    let shape = data_shape(declared);
    let place = || format!("{}: {}", file.place, found.name);
    match found.shape.split_first() {
        Some((&count, rest)) if rest == shape => {
            if let Some(first) = dataset.columns.first().filter(|_| count != dataset.count) {
                let other = &model.context.tensor(first.tensor).name;
                let message = format!("{count} examples of `{}`, but {} of `{other}`", found.name, dataset.count);
                return Err(FileError::new(place(), message));
            }
            dataset.count = count;
        }
        _ => {
            let mut expected = vec!["N".to_owned()];
            expected.extend(shape.iter().map(usize::to_string));
            let message = format!("shape {} where [{}] is expected", shape_text(&found.shape), expected.join(", "));
            return Err(FileError::new(place(), message).hint("the examples are along the first axis"));
        }
    }
    let values = match declared.label {
        true => file.labels(found, classes(declared))?.into_iter().map(|label| label as f64).collect(),
        false => file.finite(found)?,
    };
    dataset.columns.push(Column { tensor, shape, label: declared.label, values });
    Ok(())
}

/// Takes one tensor for each parameter, by name: for each in the order of the model, its elements.
///
/// # Errors
/// Where a tensor is missing, unknown or of another shape, or has an element that is no finite number.
pub fn parameters_from_tensors(model: &Model, file: &TensorFile) -> Result<Vec<Vec<f64>>, FileError> {
    let tensors = || model.parameters.iter().map(|parameter| model.context.tensor(parameter.tensor));
    let names: Vec<&str> = tensors().map(|tensor| tensor.name.as_str()).collect();
    let values = tensors().map(|tensor| {
        let found = file.expect("parameter", &tensor.name)?;
        if found.shape != tensor.shape {
            let message = format!("shape {} where the spec has {}", shape_text(&found.shape), shape_text(&tensor.shape));
            return Err(FileError::new(format!("{}: {}", file.place, found.name), message));
        }
        file.finite(found)
    });
    let values = values.collect::<Result<_, _>>()?;
    file.only(names.iter().copied())?;
    Ok(values)
}
