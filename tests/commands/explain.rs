//! `deltarule explain` and `sheet --worked`: one weight along all ways, and the numbers of an example in every equation.

use super::eval::{Expected, tiny};
use super::workspace::Workspace;
use std::fs;

const SPEC: &str =
    "network Two\ninput x[2]\ntarget t[1]\ny = x |> dense(2) |> relu |> dense(1)\nloss squared_error(y, t)\noptimizer sgd(0.1)\n";

#[test]
fn a_weight_is_expanded_and_its_ways_are_drawn() {
    let workspace = Workspace::new(SPEC);
    let text = workspace.succeed(&["explain", "net.spec", "dense1.w[1,0]", "-o", "ways.svg"]);
    assert!(text.contains("dense2.w[0, 0] * [dense1.s[0] > 0] * x[1]\n"), "{text}");
    assert!(fs::read_to_string(workspace.path("ways.svg")).unwrap().contains("The ways from dense1.w[1, 0] to loss"));
    let numbers = ["dense1.w=1,0,2,0", "dense1.b=0,0", "dense2.w=3,0", "dense2.b=0", "x=1,2", "t=14"];
    let text = workspace.succeed(&[&["explain", "net.spec", "dense1.w[1,0]"], &numbers[..]].concat());
    assert!(text.ends_with("dloss/ddense1.w[1, 0] = 6\n"), "{text}");
    let json: serde_json::Value =
        serde_json::from_str(&workspace.succeed(&[&["explain", "net.spec", "dense1.w[1,0]", "--json"], &numbers[..]].concat()))
            .unwrap();
    assert_eq!((&json["ways"], &json["elements"][0]["derivative"]), (&serde_json::json!(1), &serde_json::json!(6.0)));
}

#[test]
fn an_element_that_does_not_exist_is_refused() {
    let workspace = Workspace::new(SPEC);
    assert!(workspace.fail(&["explain", "net.spec", "dense1.w[2,0]"]).contains("0 to 1, 0 to 1"));
    assert!(workspace.fail(&["explain", "net.spec", "dense3.w[0,0]"]).contains("there are: dense1.w"));
}

#[test]
fn a_sheet_carries_the_numbers_of_an_example() {
    let (workspace, weights, biases) = tiny();
    for format in ["txt", "tex", "md", "html"] {
        let sheet = workspace.succeed(&[
            "sheet",
            "net.spec",
            "--worked",
            "--data",
            "d.safetensors",
            "--params",
            "p.safetensors",
            "--format",
            format,
        ]);
        assert!(sheet.contains("Worked example"), "{sheet}");
    }
    let loss = format!("{:.5}", Expected::of(&weights, &biases).losses[0]);
    let sheet = workspace.succeed(&["sheet", "net.spec", "--worked", "--data", "d.safetensors", "--params", "p.safetensors"]);
    assert!(sheet.contains(loss.trim_end_matches('0')), "{loss} is not in\n{sheet}");
}
