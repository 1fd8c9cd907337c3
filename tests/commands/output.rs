//! Help, usage, and where results go.

use crate::workspace::{SPEC, Workspace};

const COMMANDS: [&str; 9] = ["check", "sheet", "emit", "trace", "jacobian", "eval", "train", "compare", "fmt"];

#[test]
fn every_command_has_a_help_text_with_an_example_of_itself() {
    let workspace = Workspace::new(SPEC);
    for command in COMMANDS {
        let help = workspace.succeed(&[command, "--help"]);
        assert!(help.contains("Examples:"), "{command}: {help}");
        assert!(help.contains(&format!("\n  deltarule {command} ")), "{command}: {help}");
    }
    let all = workspace.succeed(&["--help"]);
    assert!(COMMANDS.iter().all(|command| all.contains(command)), "{all}");
}

#[test]
fn wrong_usage_is_exit_code_2_and_says_so_on_standard_error() {
    let workspace = Workspace::new(SPEC);
    for arguments in [
        &["no-such-command"][..],
        &["check"],
        &["sheet", "net.spec", "--format", "docx"],
        &["emit", "net.spec", "--check"],
        &["emit", "net.spec", "--name", "not a name"],
        &["emit", "net.spec", "--examples", "0"],
        &["emit", "net.spec", "--scratch", "16kB"],
        &["eval", "net.spec", "-o", "out.safetensors"],
        &["train", "net.spec", "--data", "data.csv", "--minibatch", "0"],
        &["train", "net.spec", "--data", "data.csv", "--standardize", "--scale"],
        &["train", "net.spec", "--data", "data.csv", "--test", "1.5"],
    ] {
        let done = workspace.run(arguments);
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{arguments:?}: {}", done.stderr);
        assert!(done.stderr.contains("error"), "{arguments:?}: {}", done.stderr);
    }
}

#[test]
fn check_summarizes_the_net_and_its_gradients_as_text_and_as_json() {
    let workspace = Workspace::new(SPEC);
    let text = workspace.succeed(&["check", "net.spec"]);
    for part in ["network     Tiny", "x[2]", "t: class[3]", "dense1.w[2, 3]", "dense1.b[3]", "dense1.w: 6 elements compared"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let json: serde_json::Value = serde_json::from_str(&workspace.succeed(&["check", "net.spec", "--json"])).unwrap();
    assert_eq!(json["passes"], true);
    assert_eq!(json["parameter_count"], 9);
    assert_eq!(json["targets"][0]["classes"], 3);
}

#[test]
fn a_sheet_is_written_in_the_format_that_the_file_ends_in() {
    let workspace = Workspace::new(SPEC);
    for (file, start) in [("sheet.tex", "\\documentclass"), ("sheet.html", "<!"), ("sheet.md", "# "), ("sheet.txt", "")] {
        assert_eq!(workspace.succeed(&["sheet", "net.spec", "-o", file]), "");
        let text = std::fs::read_to_string(workspace.path(file)).unwrap();
        assert!(text.trim_start().starts_with(start) || text.contains(start), "{file}: {}", &text[..text.len().min(200)]);
        assert!(text.contains("Tiny"), "{file}");
        let printed = workspace.succeed(&["sheet", "net.spec", "--format", &file[6..]]);
        assert_eq!(printed, text, "{file}");
    }
}

#[test]
fn emitted_code_is_checked_against_its_spec() {
    let workspace = Workspace::new(SPEC);
    workspace.succeed(&["emit", "net.spec", "-o", "net.rs"]);
    let code = std::fs::read_to_string(workspace.path("net.rs")).unwrap();
    assert!(code.contains("pub struct Tiny"), "{code}");
    assert_eq!(workspace.succeed(&["emit", "net.spec"]), code);
    assert_eq!(workspace.succeed(&["emit", "net.spec", "-o", "net.rs", "--check"]), "");
    workspace.write("net.rs", code.replacen("pub struct Tiny", "pub struct Tidy", 1));
    let line = code.lines().position(|line| line.contains("pub struct Tiny")).unwrap() + 1;
    let message = workspace.fail(&["emit", "net.spec", "-o", "net.rs", "--check"]);
    assert!(message.contains(&format!("net.rs:{line}:1")), "{message}");
    assert!(message.contains("the same command without --check"), "{message}");
    workspace.fail(&["emit", "net.spec", "-o", "missing.rs", "--check"]);
}

#[test]
fn emitted_code_takes_the_examples_and_keeps_the_budgets_that_the_attribute_has() {
    let workspace = Workspace::new(SPEC);
    let code = workspace.succeed(&["emit", "net.spec", "--examples", "1", "--scratch", "1 MiB", "--values", "1MiB"]);
    assert_ne!(code, workspace.succeed(&["emit", "net.spec"]));
    let message = workspace.fail(&["emit", "net.spec", "--scratch", "9bytes", "--values", "2"]);
    for part in ["the scratch space of training takes", "more than the 9 bytes", "the values of inference take"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_named_and_nothing_is_left() {
    let workspace = Workspace::new(SPEC);
    std::fs::create_dir(workspace.path("folder")).unwrap();
    for arguments in [&["sheet", "net.spec", "-o", "folder"], &["emit", "net.spec", "-o", "folder"]] {
        let message = workspace.fail(arguments);
        assert!(message.contains("--> folder"), "{message}");
    }
}
