//! Saved models: parameters, the net they belong to, and how its inputs were scaled.

use super::FileError;
use super::tensors::{NamedTensor, TensorFile, Values};
use crate::dataset::{Scaling, parameters_from_tensors};
use crate::identity;
use crate::model::Model;
use std::collections::BTreeMap;
use std::path::Path;

/// Keys of the metadata.
mod key {
    pub(super) const NETWORK: &str = "network";
    pub(super) const NET_HASH: &str = "net_hash";
    pub(super) const NET: &str = "net";
    pub(super) const SCALING: &str = "scaling";
}

/// The parameters of a net, in the order of the model, and the scaling its inputs were trained with.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedModel {
    /// For each parameter, its elements.
    pub parameters: Vec<Vec<f64>>,
    /// How inputs are scaled before they enter the net.
    pub scaling: Option<Scaling>,
}

impl SavedModel {
    /// Reads the parameters of a net. A file that other programs wrote has no metadata; names and shapes then decide alone.
    ///
    /// # Errors
    /// Where the file belongs to another net, naming what differs, or has a tensor that is missing, unknown, of another shape, or not finite.
    pub fn read(path: &Path, model: &Model) -> Result<SavedModel, FileError> {
        let file = TensorFile::read(path)?;
        // A difference in the tensors says more than the first difference in the equations.
        let parameters = parameters_from_tensors(model, &file).map_err(|error| match file.metadata.get(key::NETWORK) {
            Some(network) => error.hint(format!("the file was saved for the net `{network}`")),
            None => error,
        })?;
        if let Some(net) = file.metadata.get(key::NET) {
            same_net(&file.place, &net.lines().collect::<Vec<_>>(), &identity::lines(model))?;
        }
        let scaling = file.metadata.get(key::SCALING).map(|text| scaling_from_json(&file.place, model, text)).transpose()?;
        Ok(SavedModel { parameters, scaling })
    }

    /// Writes the parameters, as `f32` where `single`.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&self, path: &Path, model: &Model, single: bool) -> Result<(), FileError> {
        let tensors = model.parameters.iter().zip(&self.parameters).map(|(parameter, values)| {
            let tensor = model.context.tensor(parameter.tensor);
            NamedTensor { name: tensor.name.clone(), shape: tensor.shape.clone(), values: Values::floats(values.clone(), single) }
        });
        let mut metadata = BTreeMap::from([
            (key::NETWORK.to_owned(), model.name.clone()),
            (key::NET_HASH.to_owned(), format!("{:016x}", identity::hash(model))),
            (key::NET.to_owned(), identity::lines(model).join("\n")),
        ]);
        if let Some(scaling) = &self.scaling {
            metadata.insert(key::SCALING.to_owned(), scaling_to_json(model, scaling));
        }
        TensorFile { place: path.display().to_string(), tensors: tensors.collect(), metadata }.write(path)
    }
}

/// That two nets are the same, line by line.
fn same_net(place: &str, file: &[&str], spec: &[String]) -> Result<(), FileError> {
    let length = file.len().max(spec.len());
    let line = |lines: Option<&str>| lines.map_or_else(|| "nothing".to_owned(), |line| format!("`{line}`"));
    let differs = (0..length).find(|&at| file.get(at).copied() != spec.get(at).map(String::as_str));
    let Some(at) = differs else { return Ok(()) };
    let (found, expected) = (line(file.get(at).copied()), line(spec.get(at).map(String::as_str)));
    let error = FileError::new(place, "this file was saved for another net");
    Err(error.hint(format!("the file's net has {found} where the spec has {expected}")))
}

fn scaling_to_json(model: &Model, scaling: &Scaling) -> String {
    let inputs: serde_json::Map<_, _> =
        scaling.inputs.iter().map(|(id, scales)| (model.context.tensor(*id).name.clone(), serde_json::json!(scales))).collect();
    serde_json::Value::Object(inputs).to_string()
}

fn scaling_from_json(place: &str, model: &Model, text: &str) -> Result<Scaling, FileError> {
    let unusable = || FileError::new(place, "the scaling of inputs in this file does not fit the spec");
    let mut scales: BTreeMap<String, Vec<(f64, f64)>> = serde_json::from_str(text).map_err(|_| unusable())?;
    let mut inputs = Vec::new();
    for &id in &model.inputs {
        let tensor = model.context.tensor(id);
        if let Some(found) = scales.remove(&tensor.name) {
            if found.len() != tensor.size() {
                return Err(unusable());
            }
            inputs.push((id, found));
        }
    }
    if scales.is_empty() { Ok(Scaling { inputs }) } else { Err(unusable()) }
}
