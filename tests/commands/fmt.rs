//! `deltarule fmt`: in place, checked, and from standard input.

use crate::workspace::{SPEC, Workspace};
use std::io::Write;
use std::process::{Command, Stdio};

const UNTIDY: &str = "network Tiny // small\ninput x [2]\n\n\n\ny=x|>dense( 3 )\n";
const TIDY: &str = "network Tiny // small\ninput x[2]\n\ny = x |> dense(3)\n";

fn text(workspace: &Workspace, name: &str) -> String {
    std::fs::read_to_string(workspace.path(name)).unwrap()
}

#[test]
fn a_spec_is_formatted_in_place_and_then_passes_the_check() {
    let workspace = Workspace::new(UNTIDY);
    assert_eq!(workspace.succeed(&["fmt", "net.spec"]), "");
    assert_eq!(text(&workspace, "net.spec"), TIDY);
    assert_eq!(workspace.files(), ["net.spec"]);
    assert_eq!(workspace.succeed(&["fmt", "net.spec", "--check"]), "");
}

#[test]
fn check_prints_what_would_change_names_the_files_and_writes_nothing() {
    let workspace = Workspace::new(UNTIDY);
    workspace.write("other.spec", SPEC);
    let done = workspace.run(&["fmt", "net.spec", "other.spec", "--check"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stdout.starts_with("--- net.spec\n+++ formatted\n@@"), "{}", done.stdout);
    assert!(done.stdout.contains("\n-input x [2]\n+input x[2]\n"), "{}", done.stdout);
    assert!(!done.stdout.contains("other.spec"), "{}", done.stdout);
    assert_eq!(done.stderr, "error: not formatted: net.spec\n  = hint: format them: deltarule fmt net.spec\n");
    assert_eq!(text(&workspace, "net.spec"), UNTIDY);
}

#[test]
fn a_spec_with_a_mistake_is_not_touched_and_the_others_are_formatted() {
    let workspace = Workspace::new(UNTIDY);
    workspace.write("bad.spec", "y=2\nx == 3\n");
    let message = workspace.fail(&["fmt", "bad.spec", "missing.spec", "net.spec"]);
    assert!(message.contains("bad.spec:2:3") && message.contains("--> missing.spec"), "{message}");
    assert_eq!(text(&workspace, "bad.spec"), "y=2\nx == 3\n");
    assert_eq!(text(&workspace, "net.spec"), TIDY);
}

#[test]
fn a_spec_need_not_mean_anything_and_what_it_includes_is_not_read() {
    let workspace = Workspace::new("include \"missing.spec\"\ny=nothing\n");
    workspace.succeed(&["fmt", "net.spec"]);
    assert_eq!(text(&workspace, "net.spec"), "include \"missing.spec\"\ny = nothing\n");
}

#[test]
fn standard_input_is_formatted_to_standard_output() {
    let workspace = Workspace::new(SPEC);
    let run = |arguments: &[&str], input: &[u8]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deltarule"));
        command
            .args(arguments)
            .current_dir(workspace.path(""))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(run(&["fmt", "-"], UNTIDY.as_bytes()), (Some(0), TIDY.to_owned(), String::new()));
    assert_eq!(run(&["fmt", "-", "--check"], TIDY.as_bytes()), (Some(0), String::new(), String::new()));
    let (code, output, message) = run(&["fmt", "-"], b"y = \xff");
    assert!(code == Some(1) && output.is_empty() && message.contains("standard input"), "{output}{message}");
    assert_eq!(workspace.files(), ["net.spec"]);
}
