//! `deltarule jacobian`: symbols, numbers from the command line and from files, and files of numbers.

use super::eval::{circuit, tiny};
use crate::workspace::{SPEC, Workspace};

#[test]
fn symbols_are_printed_as_text_and_as_latex() {
    let workspace = Workspace::new(SPEC);
    let text = workspace.succeed(&["jacobian", "net.spec", "y", "by", "x", "--notation", "plain"]);
    assert!(text.starts_with("Jacobian of y[3] by x[2] in Tiny: 3 × 2\n"), "{text}");
    assert!(text.contains("dy/dx = ∂y/∂dense1.s · ∂dense1.s/∂x\n                3 × 3          3 × 2\n"), "{text}");
    assert!(!text.contains("numbers"), "{text}");
    let latex = workspace.succeed(&["jacobian", "net.spec", "y", "by", "dense1.w", "--format", "latex"]);
    assert!(latex.contains("\\begin{align*}") && latex.contains("\\underset{3 \\times 6}"), "{latex}");
}

#[test]
fn numbers_follow_where_values_are_given() {
    let workspace = circuit();
    let rows = |by: &str, format: &str| {
        let text = workspace.succeed(&["jacobian", "net.spec", "f", "by", by, "x=-2", "y=5", "z=-4", "--format", format]);
        text.lines().rev().take(2).map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(rows("z", "text")[0], "3");
    assert_eq!(rows("q", "text")[0], "-4");
    assert_eq!(rows("x", "latex"), ["\\end{pmatrix} \\]", "-4"]);
}

#[test]
fn numbers_at_one_example_of_a_file_are_written_as_a_tensor_or_a_table() {
    let (workspace, ..) = tiny();
    let command = ["jacobian", "net.spec", "dense1.s", "by", "x", "--data", "d.safetensors", "--params", "p.safetensors"];
    let printed = workspace.succeed(&[&command[..], &["--example", "1", "-o", "j.safetensors"]].concat());
    assert!(!printed.contains("numbers"), "{printed}");
    workspace.succeed(&[&command[..], &["-o", "j.csv"]].concat());
    let w = workspace.tensor("p.safetensors", "dense1.w");
    let transposed: Vec<f64> = (0..3).flat_map(|j| [w[j], w[3 + j]]).collect();
    assert_eq!(workspace.tensor("j.safetensors", "dense1.s by x"), transposed);
    let table = std::fs::read_to_string(workspace.path("j.csv")).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!((lines[0], lines.len()), ("x[0],x[1]", 4));
    assert_eq!(lines[1], format!("{},{}", transposed[0], transposed[1]));
    let other = workspace.run(&[&command[..], &["--example", "7"]].concat());
    assert!(other.code == 1 && other.stderr.contains("no example 7"), "{}", other.stderr);
}

#[test]
fn what_cannot_be_done_is_refused_before_anything_is_printed() {
    let workspace = circuit();
    let failed = |arguments: &[&str]| workspace.fail(&[&["jacobian", "net.spec"], arguments].concat());
    assert!(failed(&["f", "by", "zz"]).contains("did you mean `z`?"));
    assert!(failed(&["f", "by", "x", "x=1"]).contains("there is no value for y, z"));
    assert!(failed(&["f", "by", "x", "-o", "j.csv"]).contains("no values are given"));
    assert!(failed(&["f", "by", "x", "x=1", "y=1", "z=1", "-o", "j.txt"]).contains("neither .safetensors nor .csv"));
    let usage = workspace.run(&["jacobian", "net.spec", "f", "of", "x"]);
    assert_eq!((usage.code, usage.stdout.as_str()), (2, ""), "{}", usage.stderr);
}
