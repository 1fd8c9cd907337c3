//! A spec that includes others gives every command what the same definitions in one file give it.

use crate::workspace::{Workspace, tiny_data};

const HALVED: &str = "function halved(s) = s / size\nlet size = 2\n";
const LAYERS: &str =
    "layer twice(x[i], n) -> y[j: n] { y = x |> dense(n) |> halved }\noptimizer slow(rate) { w' = w - rate * g / 10 }\n";
const NET: &str = "input x[2]\ntarget t: class[3]\ny = x |> twice(3) |> softmax\nloss cross_entropy(y, t)\noptimizer slow(0.1)\n";

/// A folder in which `net.spec` includes two files, one of them by the other, and one where it holds all they say.
fn both() -> [Workspace; 2] {
    let including = Workspace::new(format!("include \"parts/layers.spec\"\n{NET}"));
    std::fs::create_dir(including.path("parts")).unwrap();
    including.write("parts/layers.spec", format!("include \"halved.spec\"\n{LAYERS}"));
    including.write("parts/halved.spec", HALVED);
    let whole = Workspace::new(format!("{HALVED}{LAYERS}{NET}"));
    for workspace in [&including, &whole] {
        workspace.write("data.csv", "a,b,class\n1,2,0\n-1,0.5,2\n0.3,0.2,1\n2,1,0\n");
        workspace.write_tensors("data.safetensors", &tiny_data());
    }
    [including, whole]
}

#[test]
fn every_command_reads_what_a_spec_includes() {
    let commands: [&[&str]; 9] = [
        &["check", "net.spec"],
        &["sheet", "net.spec", "--format", "txt"],
        &["emit", "net.spec"],
        &["emit", "net.spec", "-o", "net.rs"],
        &["emit", "net.spec", "-o", "net.rs", "--check"],
        &[
            "train",
            "net.spec",
            "--data",
            "data.csv",
            "--target",
            "class",
            "--epochs",
            "2",
            "--test",
            "0",
            "--save",
            "p.safetensors",
        ],
        &["eval", "net.spec", "--params", "p.safetensors", "--data", "data.safetensors", "-o", "out.safetensors"],
        &["trace", "net.spec", "--data", "data.safetensors", "--params", "p.safetensors", "-o", "net.svg"],
        &["fmt", "net.spec"],
    ];
    let [including, whole] = both();
    for command in commands {
        let done = including.run(command);
        assert_eq!(done.code, 0, "{command:?}: {}", done.stderr);
        assert_eq!(done.stdout, whole.succeed(command), "{command:?}");
    }
    for file in ["net.rs", "net.svg", "p.safetensors", "out.safetensors"] {
        let read = |workspace: &Workspace| std::fs::read(workspace.path(file)).unwrap();
        assert!(read(&including) == read(&whole), "{file} differs");
    }
}

#[test]
fn generated_code_is_compared_for_a_spec_that_includes() {
    let [including, _] = both();
    let result = including.succeed(&["compare", "net.spec", "--minibatch", "2", "--repeats", "1", "--scalar", "f64", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&result).unwrap();
    assert!(json["largest_relative_difference"]["updated_parameters"]["relative"].as_f64().unwrap() < 1e-12, "{json}");
}

#[test]
fn files_are_found_beside_the_spec_wherever_the_command_is_run() {
    let [including, _] = both();
    let outside = Workspace::new("");
    let spec = including.path("net.spec");
    outside.succeed(&["check", spec.to_str().unwrap()]);
}

#[test]
fn what_is_wrong_in_an_included_file_is_shown_there_with_what_includes_it() {
    let [including, _] = both();
    including.write("parts/halved.spec", "function halved(s) = s / \n");
    let message = including.fail(&["check", "net.spec"]);
    assert!(message.contains("--> parts/halved.spec:1:"), "{message}");
    including.write("parts/halved.spec", b"let size = 2 // \xff\n");
    let message = including.fail(&["check", "net.spec"]);
    assert!(message.contains("--> parts/layers.spec:1:9") && message.contains("UTF-8"), "{message}");
    including.write("parts/layers.spec", "include \"../net.spec\"\n");
    let message = including.fail(&["check", "net.spec"]);
    assert!(message.contains("leaves the folder") && message.contains("--> parts/layers.spec:1:9"), "{message}");
    including.write("parts/layers.spec", "include \"layers.spec\"\n");
    let message = including.fail(&["check", "net.spec"]);
    assert!(message.contains("includes itself") && message.contains("--> parts/layers.spec:1:9"), "{message}");
    including.write("net.spec", format!("include \"missing.spec\"\n{NET}"));
    let message = including.fail(&["check", "net.spec"]);
    assert!(message.contains("there is no such file") && message.contains("--> net.spec:1:9"), "{message}");
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_folder_is_not_followed() {
    let [including, _] = both();
    let secret = tempfile::tempdir().unwrap();
    std::fs::write(secret.path().join("other.spec"), HALVED).unwrap();
    std::fs::remove_file(including.path("parts/halved.spec")).unwrap();
    std::os::unix::fs::symlink(secret.path().join("other.spec"), including.path("parts/halved.spec")).unwrap();
    let message = including.fail(&["check", "net.spec"]);
    assert!(message.contains("a link leads out of the folder"), "{message}");
}
