//! Commands that build generated code.

use crate::eval::{EVAL, Expected, check_circuit, circuit, tiny};

#[test]
fn generated_code_evaluates_to_the_same_values() {
    let (workspace, weights, biases) = tiny();
    workspace.succeed(&[&EVAL[..], &["--scalar", "f64", "--steps", "3"]].concat());
    let updated = workspace.tensor("out.safetensors", "updated.dense1.w");
    workspace.succeed(&[&EVAL[..], &["--scalar", "f64", "--steps", "3", "--engine", "generated"]].concat());
    Expected::of(&weights, &biases).check(&workspace, "out.safetensors", 1e-14);
    let generated = workspace.tensor("out.safetensors", "updated.dense1.w");
    assert!(generated.iter().zip(&updated).all(|(a, b)| (a - b).abs() < 1e-14), "{generated:?}, not {updated:?}");
}

#[test]
fn generated_code_evaluates_an_objective_with_several_inputs() {
    let workspace = circuit();
    workspace.succeed(&["eval", "net.spec", "--data", "d.safetensors", "-o", "out.safetensors", "--engine", "generated"]);
    check_circuit(&workspace);
}

#[test]
fn compare_finds_both_engines_alike_and_generated_code_without_allocations() {
    let (workspace, ..) = tiny();
    let result =
        workspace.succeed(&["compare", "net.spec", "--minibatch", "4,33", "--repeats", "1", "--scalar", "f64", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&result).unwrap();
    for what in ["outputs", "loss", "gradients", "updated_parameters"] {
        assert!(json["largest_relative_difference"][what]["relative"].as_f64().unwrap() < 1e-12, "{what}: {json}");
    }
    for (at, examples) in [4, 33].into_iter().enumerate() {
        let timing = &json["minibatches"][at];
        assert_eq!(timing["examples"], examples, "{json}");
        assert_eq!(timing["generated"]["allocations"], 0.0, "{json}");
        assert!(timing["generic"]["allocations"].as_f64().unwrap() > 0.0, "{json}");
        assert!(timing["generated"]["least_nanoseconds"].as_f64() <= timing["generated"]["nanoseconds"].as_f64(), "{json}");
    }
    assert!(json["minibatches"][2].is_null(), "{json}");
    assert_eq!(json["bytes"]["parameters"], 9 * 8, "{json}");
}

#[test]
fn a_runtime_folder_without_a_crate_is_refused() {
    let (workspace, ..) = tiny();
    let message = workspace.fail(&["compare", "net.spec", "--runtime", "nowhere"]);
    assert!(message.contains("--> nowhere"), "{message}");
}
