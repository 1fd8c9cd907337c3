//! `deltarule sheet --notation`, `--first-index` and `--pdf`.

use super::workspace::Workspace;

const SPEC: &str = "network Two
input x[3]
target t[2]
h = x |> dense(4) |> sigmoid
y = h |> dense(2) |> sigmoid
loss binary_cross_entropy(y, t)
optimizer sgd(rate = 0.1)
";

#[test]
fn a_file_gives_a_sheet_its_letters() {
    let workspace = Workspace::new(SPEC);
    workspace.write("mine.toml", "first-index = 0\n[letters]\nlayer-output = \"phi\"\nweighted-sum = \"z\"\n");
    let sheet = workspace.succeed(&["sheet", "net.spec", "--notation", "mine.toml"]);
    for expected in ["φˡⱼ = 1/(1 + e^(−zˡⱼ))", "indices from 0"] {
        assert!(sheet.contains(expected), "{expected} is not in\n{sheet}");
    }
    let counted = workspace.succeed(&["sheet", "net.spec", "--notation", "mine.toml", "--first-index", "1"]);
    assert!(counted.contains("indices from 1"), "{counted}");
}

#[test]
fn what_is_wrong_with_a_notation_is_said_at_its_place() {
    let workspace = Workspace::new(SPEC);
    workspace.write("mine.toml", "names = \"greek\"\n[letters]\nsum = \"s\"\n");
    let message = workspace.fail(&["sheet", "net.spec", "--notation", "mine.toml"]);
    for expected in ["mine.toml:1:1", "mine.toml:3:1", "names are \"letters\" or \"spec\""] {
        assert!(message.contains(expected), "{expected} is not in\n{message}");
    }
    let message = workspace.fail(&["sheet", "net.spec", "--notation", "greek"]);
    assert!(message.contains("try lecture, matrix or plain"), "{message}");
}

#[test]
fn a_pdf_is_written_or_the_message_says_what_is_missing() {
    let workspace = Workspace::new(SPEC);
    let done = workspace.run(&["sheet", "net.spec", "-o", "sheet.pdf"]);
    if done.code == 0 {
        assert!(std::fs::read(workspace.path("sheet.pdf")).unwrap().starts_with(b"%PDF"));
    } else {
        assert!(done.stderr.contains("pdflatex"), "{}", done.stderr);
        assert!(!workspace.path("sheet.pdf").exists());
    }
}
