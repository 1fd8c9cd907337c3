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
    let message = workspace.fail(&["explain", "net.spec", "dense3.w[0,0]"]);
    assert!(message.contains("there are: dense1.w"), "{message}");
    assert_eq!(message.matches("dense1.w").count(), 1, "{message}");
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
    let loss = format!("{:.3e}", Expected::of(&weights, &biases).losses[0]).parse::<f64>().unwrap().to_string();
    let sheet = workspace.succeed(&["sheet", "net.spec", "--worked", "--data", "d.safetensors", "--params", "p.safetensors"]);
    assert!(sheet.contains(&loss), "{loss} is not in\n{sheet}");
}

#[test]
fn a_table_is_an_example_too_and_parameters_that_are_not_given_are_drawn() {
    let workspace = Workspace::new(SPEC);
    workspace.write("d.csv", "a,b,c\n1,2,3\n4,5,6\n");
    let sheet = workspace.succeed(&["sheet", "net.spec", "--worked", "--data", "d.csv", "--example", "1", "--seed", "7"]);
    assert!(sheet.contains("example 1, counted from 0, of d.csv"), "{sheet}");
    assert!(sheet.contains("initial values, drawn with seed 7") && sheet.contains("x = (4, 5)\n"), "{sheet}");
    let sheet = workspace.succeed(&["sheet", "net.spec", "--worked", "--data", "d.csv", "--target", "a", "--features", "c,b"]);
    assert!(sheet.contains("x = (3, 2)\n") && sheet.contains("t₁ = 1\n"), "{sheet}");
}

#[test]
fn a_net_with_too_many_numbers_to_follow_is_told_what_else_there_is() {
    let workspace = Workspace::new(SPEC.replace("dense(2)", "dense(8000)"));
    workspace.write("d.csv", "1,2,3\n");
    let message = workspace.fail(&["sheet", "net.spec", "--worked", "--data", "d.csv"]);
    assert!(message.contains("at most 20000") && message.contains("narrow the layers"), "{message}");
}

#[test]
fn data_that_do_not_fit_are_refused_with_their_place() {
    let workspace = Workspace::new(SPEC);
    workspace.write("d.csv", "a,b,c\n1,2,3\n4,5,6\n");
    workspace.write("wide.csv", "1,2,3,4\n");
    workspace.write("nan.csv", "1,2,nan\n");
    let worked = |arguments: &[&str]| workspace.fail(&[&["sheet", "net.spec", "--worked"], arguments].concat());
    for (arguments, expected) in [
        (&["--data", "none.csv"][..], "none.csv"),
        (&["--data", "d.csv", "--example", "2"], "there is no example 2, only 0 to 1"),
        (&["--data", "wide.csv"], "3 columns for the spec's inputs, which have 2 values"),
        (&["--data", "nan.csv"], "nan.csv:1:5"),
        (&["--data", "d.csv", "--target", "d"], "there is no column `d`"),
        (&["--data", "d.csv", "--params", "none.safetensors"], "none.safetensors"),
    ] {
        let message = worked(arguments);
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
}
