//! Every kind of mistake in a spec: a message with file, line and column, exit code 1, and nothing written.

use crate::workspace::{SPEC, Workspace};

/// What is wrong; the spec; the place, and what the message says.
type Case = (&'static str, &'static str, &'static str, &'static [&'static str]);

const CASES: &[Case] = &[
    ("wrong syntax", "input x[2\n", "net.spec:1:", &["error:"]),
    (
        "unknown function",
        "input x[2]\ntarget t[2]\ny = x |> sigmoit\nloss squared_error(y, t)\noptimizer sgd(0.1)\n",
        "net.spec:3:",
        &["sigmoit", "sigmoid"],
    ),
    (
        "unknown name",
        "input picture[2]\ntarget t[2]\ny = pictur |> sigmoid\nloss squared_error(y, t)\noptimizer sgd(0.1)\n",
        "net.spec:3:5",
        &["pictur", "`picture`"],
    ),
    (
        "shape mismatch",
        "input x[2]\ntarget t[3]\ny = x |> sigmoid\nloss squared_error(y, t)\noptimizer sgd(0.1)\n",
        "net.spec:4:",
        &["2", "3"],
    ),
    (
        "wrong arity",
        "input x[2]\ntarget t[2]\ny = x |> sigmoid\nloss squared_error(y)\noptimizer sgd(0.1)\n",
        "net.spec:4:",
        &["squared_error"],
    ),
    ("missing loss", "input x[2]\ny = x |> dense(2)\n", "net.spec:", &["loss"]),
    (
        "size 0",
        "input x[0]\ntarget t[2]\ny = x |> dense(2)\nloss squared_error(y, t)\noptimizer sgd(0.1)\n",
        "net.spec:1:",
        &["0"],
    ),
    (
        "negative size",
        "input x[-3]\ntarget t[2]\ny = x |> dense(2)\nloss squared_error(y, t)\noptimizer sgd(0.1)\n",
        "net.spec:1:",
        &["error:"],
    ),
    (
        "size past the bounds",
        "input x[99999999999]\ntarget t[2]\ny = x |> dense(2)\nloss squared_error(y, t)\noptimizer sgd(0.1)\n",
        "net.spec:1:",
        &["99999999999"],
    ),
    (
        "an index that is never inside",
        "input x[4]\ntarget t[3]\ny[i: 3] = x[i + 4]\nloss squared_error(y, t)\noptimizer sgd(0.1)\n",
        "net.spec:3:",
        &["outside of `x`"],
    ),
];

#[test]
fn every_mistake_in_a_spec_has_a_message_with_its_place() {
    for (what, spec, place, parts) in CASES {
        let workspace = Workspace::new(spec);
        for arguments in [
            &["check", "net.spec"][..],
            &["sheet", "net.spec", "-o", "sheet.tex"],
            &["emit", "net.spec", "-o", "net.rs"],
            &["train", "net.spec", "--data", "data.csv", "--save", "model.safetensors"],
        ] {
            let message = workspace.fail(arguments);
            assert!(message.contains(&format!("--> {place}")), "{what}: {message}");
            for part in *parts {
                assert!(message.contains(part), "{what}: no {part} in {message}");
            }
        }
    }
}

#[test]
fn nesting_past_the_bound_is_a_message_and_no_crash() {
    for depth in [100, 100_000] {
        let spec = format!("input x\ny = {}x{}\nobjective y by x\n", "(".repeat(depth), ")".repeat(depth));
        let message = Workspace::new(spec).fail(&["check", "net.spec"]);
        assert!(message.contains("--> net.spec:2:"), "{message}");
    }
}

#[test]
fn all_mistakes_of_a_spec_are_reported_at_once() {
    let spec = "input x[2]\ntarget t[2]\ny = x |> sigmoit\nz = x |> tanhh\nloss squared_error(z, t)\noptimizer sgdd(0.1)\n";
    let message = Workspace::new(spec).fail(&["check", "net.spec"]);
    for part in ["sigmoit", "tanhh", "sgdd"] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn text_that_is_not_utf8_is_reported_with_line_column_and_offset() {
    let message = Workspace::new(b"input x[2]\ninput y\xff\n").fail(&["check", "net.spec"]);
    assert!(message.contains("--> net.spec:2:8") && message.contains("offset 18"), "{message}");
}

#[test]
fn a_spec_that_cannot_be_read_is_named() {
    let workspace = Workspace::new(SPEC);
    let message = workspace.fail(&["check", "missing.spec"]);
    assert!(message.contains("--> missing.spec") && message.contains("no such file"), "{message}");
    std::fs::create_dir(workspace.path("folder.spec")).unwrap();
    let message = workspace.fail(&["check", "folder.spec"]);
    assert!(message.contains("--> folder.spec"), "{message}");
}
