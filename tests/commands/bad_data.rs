//! Every kind of mistake in data and parameters: a message with line and column or tensor and index, exit code 1, nothing written.

use crate::workspace::{SPEC, Workspace, tiny_data, tiny_parameters};
use deltarule_compiler::files::tensors::Values;

const TRAIN: &[&str] = &["train", "net.spec", "--data", "data.csv", "--save", "model.safetensors"];
const EVAL: &[&str] = &["eval", "net.spec", "--params", "p.safetensors", "--data", "d.safetensors", "-o", "out.safetensors"];

#[test]
fn every_mistake_in_a_table_has_a_message_with_line_and_column() {
    for (what, table, place, part) in [
        ("ragged row", "1,2,0\n3,4\n5,6,1\n", "data.csv:2:3", "a row of 2 columns in a table of 3"),
        ("text for a number", "1,2,0\n3,four,1\n", "data.csv:2:3", "\"four\""),
        ("NaN", "a,b,class\n1,2,0\n3,NaN,1\n", "data.csv:3:3", "NaN where a finite number is expected, in column `b`"),
        ("infinity", "1,2,0\ninf,4,1\n", "data.csv:2:1", "inf where a finite number is expected"),
        ("label out of range", "1,2,0\n3,4,3\n", "data.csv:2:5", "label 3 where an integer in 0..3 is expected"),
        ("label that is no integer", "1,2,0\n3,4,0.5\n", "data.csv:2:5", "label 0.5"),
        ("too few columns", "1,0\n3,1\n", "data.csv", "1 column for the spec's inputs, which have 2 values"),
        ("no rows", "a,b,class\n", "data.csv", "no rows"),
        ("empty", "", "data.csv", "no rows"),
        ("damaged gzip", "\u{1f}\u{8b}garbage", "data.csv", "error:"),
    ] {
        let workspace = Workspace::new(SPEC);
        workspace.write("data.csv", table);
        let message = workspace.fail(TRAIN);
        assert!(message.contains(&format!("--> {place}")), "{what}: {message}");
        assert!(message.contains(part), "{what}: {message}");
    }
}

#[test]
fn an_unknown_column_is_named_and_a_near_one_offered() {
    let workspace = Workspace::new(SPEC);
    workspace.write("data.csv", "length,width,species\n1,2,0\n3,4,1\n");
    let message = workspace.fail(&[TRAIN, &["--target", "specie"]].concat());
    assert!(message.contains("there is no column `specie`") && message.contains("did you mean `species`?"), "{message}");
}

#[test]
fn a_missing_table_is_named() {
    let message = Workspace::new(SPEC).fail(TRAIN);
    assert!(message.contains("--> data.csv") && message.contains("no such file"), "{message}");
}

#[test]
fn every_mistake_in_named_tensors_has_a_message_with_tensor_and_index() {
    type Change = fn(&mut Vec<(&'static str, &'static [usize], Values)>);
    let wrong_parameters: &[(&str, Change, &str, &str)] = &[
        ("missing", |tensors| drop(tensors.remove(1)), "p.safetensors", "there is no tensor `dense1.b`"),
        ("unknown", |tensors| tensors[1].0 = "dense1.bias", "p.safetensors", "there is no tensor `dense1.b`"),
        (
            "too many",
            |tensors| tensors.push(("dense2.w", &[1], Values::F64(vec![0.0]))),
            "p.safetensors: dense2.w",
            "no tensor of this name",
        ),
        ("other shape", |tensors| tensors[0].1 = &[3, 2], "p.safetensors: dense1.w", "shape [3, 2] where the spec has [2, 3]"),
        (
            "NaN",
            |tensors| tensors[0].2 = Values::F32(vec![0.0, 0.0, 0.0, 0.0, f32::NAN, 0.0]),
            "p.safetensors: dense1.w[1, 1]",
            "NaN where a finite number is expected",
        ),
    ];
    let wrong_data: &[(&str, Change, &str, &str)] = &[
        ("missing", |tensors| drop(tensors.remove(1)), "d.safetensors", "there is no tensor `t` for the target"),
        (
            "too many",
            |tensors| tensors.push(("u", &[2], Values::F64(vec![0.0; 2]))),
            "d.safetensors: u",
            "no tensor of this name",
        ),
        ("other shape", |tensors| tensors[0].1 = &[4], "d.safetensors: x", "shape [4] where [N, 2] is expected"),
        (
            "other number of examples",
            |tensors| tensors[1] = ("t", &[3], Values::Integers(vec![0; 3])),
            "d.safetensors: t",
            "3 examples of `t`, but 2 of `x`",
        ),
        (
            "label out of range",
            |tensors| tensors[1].2 = Values::Integers(vec![0, 3]),
            "d.safetensors: t[1]",
            "label 3 where an integer in 0..3 is expected",
        ),
        ("negative label", |tensors| tensors[1].2 = Values::Integers(vec![-1, 0]), "d.safetensors: t[0]", "label -1"),
        (
            "infinity",
            |tensors| tensors[0].2 = Values::F64(vec![0.0, 0.0, f64::INFINITY, 0.0]),
            "d.safetensors: x[1, 0]",
            "inf where a finite number is expected",
        ),
        (
            "no examples",
            |tensors| *tensors = vec![("x", &[0, 2], Values::F64(vec![])), ("t", &[0], Values::Integers(vec![]))],
            "d.safetensors",
            "no examples",
        ),
    ];
    let cases = wrong_parameters.iter().map(|case| (true, case)).chain(wrong_data.iter().map(|case| (false, case)));
    for (in_parameters, (what, change, place, part)) in cases {
        let workspace = Workspace::new(SPEC);
        let (mut parameters, mut data) = (tiny_parameters(), tiny_data());
        change(if in_parameters { &mut parameters } else { &mut data });
        workspace.write_tensors("p.safetensors", &parameters);
        workspace.write_tensors("d.safetensors", &data);
        let message = workspace.fail(EVAL);
        assert!(message.contains(&format!("--> {place}\n")), "{what}: {message}");
        assert!(message.contains(part), "{what}: {message}");
    }
}

#[test]
fn a_truncated_parameter_file_names_the_tensor_that_is_cut() {
    let workspace = Workspace::new(SPEC);
    workspace.write_tensors("p.safetensors", &tiny_parameters());
    workspace.write_tensors("d.safetensors", &tiny_data());
    let whole = std::fs::read(workspace.path("p.safetensors")).unwrap();
    for (length, part) in [(whole.len() - 1, "p.safetensors: dense1.w"), (20, "--> p.safetensors"), (0, "--> p.safetensors")] {
        workspace.write("p.safetensors", &whole[..length]);
        let message = workspace.fail(EVAL);
        assert!(message.contains(part), "{length} bytes: {message}");
    }
}

#[test]
fn a_result_that_stood_there_is_not_touched_by_a_failure() {
    let workspace = Workspace::new(SPEC);
    workspace.write("out.safetensors", "precious");
    workspace.write_tensors("d.safetensors", &tiny_data());
    workspace.fail(EVAL);
    assert_eq!(std::fs::read(workspace.path("out.safetensors")).unwrap(), b"precious");
}

#[test]
fn parameters_are_asked_for_where_the_spec_has_some() {
    let workspace = Workspace::new(SPEC);
    workspace.write_tensors("d.safetensors", &tiny_data());
    let message = workspace.fail(&["eval", "net.spec", "--data", "d.safetensors", "-o", "out.safetensors"]);
    assert!(message.contains("dense1.w, dense1.b") && message.contains("--params"), "{message}");
}
