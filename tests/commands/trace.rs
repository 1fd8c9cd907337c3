//! `deltarule trace`: both passes in print, as JSON and as a drawing, from values on the command line and from files.

use super::eval::{circuit, tiny};
use std::fs;

const VALUES: [&str; 5] = ["trace", "net.spec", "x=-2", "y=5", "z=-4"];

#[test]
fn both_passes_are_printed_in_order_and_the_circuit_is_drawn() {
    let workspace = circuit();
    let text = workspace.succeed(&[&VALUES[..], &["-o", "c.svg"]].concat());
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    let place = |words: &[&str]| lines.iter().position(|line| line == words).unwrap_or_else(|| panic!("no {words:?} in\n{text}"));
    let order = [
        place(&["q", "=", "x", "+", "y", "3"]),
        place(&["f", "=", "z", "*", "q", "-12"]),
        place(&["q", "-4"]),
        place(&["z", "3"]),
        place(&["y", "-4"]),
        place(&["x", "-4"]),
    ];
    assert!(order.is_sorted(), "{text}");
    assert!(fs::read_to_string(workspace.path("c.svg")).unwrap().starts_with("<svg"));
}

#[test]
fn json_holds_each_gate_with_its_formula() {
    let json: serde_json::Value = serde_json::from_str(&circuit().succeed(&[&VALUES[..], &["--json"]].concat())).unwrap();
    assert_eq!(json["result"], "f");
    assert_eq!(
        json["gates"][3],
        serde_json::json!({"name": "q", "formula": "x + y", "operands": ["x", "y"], "value": 3.0, "adjoint": -4.0})
    );
}

#[test]
fn one_example_of_a_data_file_is_traced_with_the_parameters_of_a_file() {
    let workspace = circuit();
    let text = workspace.succeed(&["trace", "net.spec", "--data", "d.safetensors", "--example", "1"]);
    assert!(text.contains("f = 6"), "{text}");
    let refused = workspace.run(&["trace", "net.spec", "--data", "d.safetensors", "--example", "2"]);
    assert!(refused.code == 1 && refused.stderr.contains("no example 2, only 0 to 1"), "{}", refused.stderr);

    let (workspace, ..) = tiny();
    let traced = |more: &[&str]| workspace.succeed(&[&["trace", "net.spec", "--data", "d.safetensors"], more].concat());
    assert_ne!(traced(&["--params", "p.safetensors"]), traced(&[]), "parameters that are not given are drawn");
    assert_ne!(traced(&["--seed", "2"]), traced(&[]));
}

#[test]
fn a_value_that_is_missing_or_unknown_is_named() {
    let workspace = circuit();
    let missing = workspace.run(&["trace", "net.spec", "x=1", "y=2"]);
    assert!(missing.code == 1 && missing.stderr.contains("there is no value for z"), "{}", missing.stderr);
    let unknown = workspace.run(&["trace", "net.spec", "q=1"]);
    assert!(unknown.code == 1 && unknown.stderr.contains("there are: x, y, z"), "{}", unknown.stderr);
    let twice = workspace.run(&["trace", "net.spec", "x=1", "y=2", "z=3", "x = 4"]);
    assert!(twice.code == 1 && twice.stderr.contains("`x` is given twice"), "{}", twice.stderr);
}
