//! Which net it is: what a file of parameters says about the spec it belongs to.
//!
//! Two specs describe the same net where their data, parameters and forward equations are the same, whatever their comments, their
//! regularizers and their optimizers: parameters trained with one fit the other.

use crate::equation::TensorId;
use crate::model::Model;

/// The net in lines of text: inputs, targets and parameters with their shapes, then the forward equations.
pub fn lines(model: &Model) -> Vec<String> {
    let declaration = |what: &str, id: TensorId| {
        let tensor = model.context.tensor(id);
        format!("{what} {}{}{:?}", tensor.name, if tensor.label { ": class" } else { "" }, tensor.shape)
    };
    let inputs = model.inputs.iter().map(|&id| declaration("input", id));
    let targets = model.targets.iter().map(|&id| declaration("target", id));
    let parameters = model.parameters.iter().map(|parameter| declaration("param", parameter.tensor));
    let equations = model.equations.iter().map(|equation| model.context.equation_text(equation));
    inputs.chain(targets).chain(parameters).chain(equations).collect()
}

/// A hash of [`lines`], the same on every machine (FNV-1a of 64 bits: against mix-ups, not against attacks).
pub fn hash(model: &Model) -> u64 {
    let lines = lines(model);
    let bytes = lines.iter().flat_map(|line| line.bytes().chain([b'\n']));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
