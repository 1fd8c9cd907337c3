//! What `train` learns and saves.

use crate::workspace::{SPEC, Workspace};
use deltarule_compiler::files::tensors::TensorFile;

/// Three clusters of points, a class each, in a table with a header.
fn clusters() -> String {
    let mut table = "a,b,class\n".to_owned();
    for at in 0..60 {
        let (class, shift) = (at % 3, f64::from(at) * 0.01);
        table += &format!("{},{},{class}\n", 100.0 * f64::from(class) + shift, if class == 1 { 5.0 } else { -5.0 } - shift);
    }
    table
}

const TRAIN: &[&str] =
    &["train", "net.spec", "--data", "data.csv", "--target", "class", "--standardize", "--epochs", "40", "--minibatch", "8"];

#[test]
fn a_table_is_learned_and_the_same_seed_gives_the_same_file() {
    let workspace = Workspace::new(SPEC);
    workspace.write("data.csv", clusters());
    let result = workspace.succeed(&[TRAIN, &["--save", "first.safetensors", "--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&result).unwrap();
    let epochs = json["epochs"].as_array().unwrap();
    assert_eq!((json["train_examples"].as_u64(), json["test_examples"].as_u64(), epochs.len()), (Some(48), Some(12), 40));
    assert!(epochs[39]["test_accuracy"].as_f64().unwrap() > 0.9, "{result}");
    assert!(epochs[39]["loss"].as_f64() < epochs[0]["loss"].as_f64(), "{result}");
    workspace.succeed(&[TRAIN, &["--save", "second.safetensors"]].concat());
    let read = |name| std::fs::read(workspace.path(name)).unwrap();
    assert_eq!(read("first.safetensors"), read("second.safetensors"));
}

#[test]
fn a_saved_model_knows_its_spec_and_is_where_training_goes_on() {
    let workspace = Workspace::new(SPEC);
    workspace.write("data.csv", clusters());
    workspace.succeed(&[TRAIN, &["--save", "model.safetensors"]].concat());
    let file = TensorFile::read(&workspace.path("model.safetensors")).unwrap();
    assert_eq!(file.metadata["network"], "Tiny");
    assert_eq!(file.metadata["net_hash"].len(), 16);
    let again = [
        "train",
        "net.spec",
        "--data",
        "data.csv",
        "--target",
        "class",
        "--load",
        "model.safetensors",
        "--epochs",
        "1",
        "--json",
    ];
    let json: serde_json::Value = serde_json::from_str(&workspace.succeed(&again)).unwrap();
    assert!(json["epochs"][0]["test_accuracy"].as_f64().unwrap() > 0.9, "the scaling is that of the saved model: {json}");
}

#[test]
fn a_model_of_another_net_is_refused_by_naming_what_differs() {
    let workspace = Workspace::new(SPEC);
    workspace.write("data.csv", clusters());
    workspace.succeed(&[TRAIN, &["--save", "model.safetensors"]].concat());
    for (from, to, differs) in [
        ("dense(3) |> softmax", "dense(3) |> sigmoid |> softmax", &["saved for another net", "where the spec has"][..]),
        ("dense(3)", "dense(4) |> dense(3)", &["model.safetensors: dense1.w", "shape [2, 3] where the spec has [2, 4]"]),
        ("dense(3)", "dense(3, bias = false)", &["model.safetensors: dense1.b", "the spec has no tensor of this name"]),
    ] {
        workspace.write("net.spec", SPEC.replacen(from, to, 1));
        let message = workspace.fail(&[TRAIN, &["--load", "model.safetensors"]].concat());
        assert!(differs.iter().all(|part| message.contains(part)), "{to}: {message}");
    }
    workspace.write("net.spec", SPEC.replace("rate = 0.1)", "rate = 0.2) // faster"));
    workspace.succeed(&[TRAIN, &["--load", "model.safetensors"]].concat());
}

#[test]
fn a_loss_that_is_not_finite_stops_training_and_saves_nothing() {
    let spec = "input x[2]\ntarget t\ns = x |> dense(1)\ny = sum(j: s[j])\nloss (y - t)^2\noptimizer sgd(rate = 1000)\n";
    let workspace = Workspace::new(spec);
    workspace.write("data.csv", clusters());
    let message = workspace.fail(&["train", "net.spec", "--data", "data.csv", "--save", "model.safetensors"]);
    assert!(message.contains("not a finite number"), "{message}");
}

#[test]
fn targets_are_labels_of_one_column_for_a_target_without_classes() {
    let workspace = Workspace::new(SPEC.replace("t: class[3]", "t[3]"));
    workspace.write("data.csv", clusters());
    let json: serde_json::Value = serde_json::from_str(&workspace.succeed(&[TRAIN, &["--json"]].concat())).unwrap();
    assert!(json["epochs"][39]["test_accuracy"].as_f64().unwrap() > 0.9, "{json}");
}

#[test]
fn a_net_that_nothing_updates_is_not_trained() {
    for (without, missing) in [("optimizer sgd(rate = 0.1)\n", "optimizer"), ("loss cross_entropy(y, t)\n", "loss")] {
        let workspace = Workspace::new(SPEC.replace(without, ""));
        workspace.write("data.csv", clusters());
        let message = workspace.fail(TRAIN);
        assert!(message.contains(missing), "without {missing}: {message}");
    }
}

#[test]
fn the_net_for_xor_learns_it_with_the_command_of_its_readme() {
    let workspace = Workspace::new("");
    workspace.write("xor.spec", include_str!("../../examples/xor/xor.spec"));
    workspace.write("xor.csv", include_str!("../../examples/xor/xor.csv"));
    let readme = include_str!("../../examples/xor/README.md");
    let command = readme.lines().find_map(|line| line.strip_prefix("deltarule train ")).expect("a command trains the net");
    let arguments: Vec<&str> = ["train"].into_iter().chain(command.split_whitespace()).collect();
    let text = workspace.succeed(&arguments);
    assert!(text.contains("4 examples to train on, the same to test with\n"), "{text}");
    assert!(text.contains("test accuracy  1.0000\n"), "{text}");
}
