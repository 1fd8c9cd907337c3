//! Layers of the prelude against another library: `tests/fixtures/layers.json` holds what JAX and Flax computed, made by
//! `tests/fixtures/layers.py`.
#![cfg(feature = "cli")]

mod common;

use common::derivation;
use deltarule_compiler::generic::Engine;
use ndarray::{ArrayD, IxDyn};
use serde_json::Value;

/// How far a number may be from the other library's, relative to the largest of its tensor.
const TOLERANCE: f64 = 1e-10;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn array(value: &Value) -> ArrayD<f64> {
    let shape: Vec<usize> = numbers(&value["shape"]).into_iter().map(|extent| extent as usize).collect();
    ArrayD::from_shape_vec(IxDyn(&shape), numbers(&value["values"])).expect("as many values as the shape says")
}

fn named(value: &Value) -> Vec<(String, ArrayD<f64>)> {
    value.as_object().expect("tensors by name").iter().map(|(name, tensor)| (name.clone(), array(tensor))).collect()
}

/// What differs between two tensors.
fn complaint(what: &str, found: &ArrayD<f64>, expected: &ArrayD<f64>) -> String {
    if found.shape() != expected.shape() {
        return format!("{what} has the shape {:?}, not {:?}\n", found.shape(), expected.shape());
    }
    let scale = expected.iter().fold(1.0, |scale: f64, value| scale.max(value.abs()));
    let difference = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    if difference <= TOLERANCE * scale { String::new() } else { format!("{what} differs by {difference:e}\n") }
}

#[test]
fn outputs_losses_and_gradients_of_layers_are_those_of_another_library() {
    let text = include_str!("fixtures/layers.json");
    let fixture: Value = serde_json::from_str(text).expect("the file is JSON");
    let mut complaints = String::new();
    for case in fixture["cases"].as_array().expect("cases") {
        let name = case["name"].as_str().expect("a name");
        let derivation = derivation(name, case["spec"].as_str().expect("a spec"));
        let engine = Engine::<f64>::new(&derivation).expect("the engine takes the net");
        let data = named(&case["data"]).into_iter().map(|(name, values)| (name, values.into()));
        let batch = engine.batch(data).expect("the data fits");
        let parameters = engine.parameters(named(&case["parameters"])).expect("the parameters fit");
        let forward = engine.forward(&parameters, &batch).expect("the net runs");
        let gradient = engine.gradient(&parameters, &batch).expect("the net runs");
        complaints += &complaint(&format!("{name}: the output"), &forward.outputs[0].values, &array(&case["output"]));
        let loss = case["loss"].as_f64().expect("a loss");
        if (gradient.loss - loss).abs() > TOLERANCE * loss {
            complaints += &format!("{name}: the loss is {}, not {loss}\n", gradient.loss);
        }
        for (tensor, expected) in named(&case["gradient"]) {
            match gradient.gradient.get(&tensor) {
                Some(found) => complaints += &complaint(&format!("{name}: the gradient of {tensor}"), found, &expected),
                None => complaints += &format!("{name}: no gradient of {tensor}\n"),
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}
