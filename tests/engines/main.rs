//! Generated against generic code: every activation, loss, regularizer and optimizer, and two hundred random networks, all
//! in one program that is built from what the emitter wrote.
#![cfg(feature = "cli")]

#[path = "../common/mod.rs"]
mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::random::{network, runner, spec};
use common::specs::{OPTIMIZERS, Spec, activations_with_losses, net, regularizers, shapes_of_nets};
use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::emit::{EmitOptions, ScalarType, emit_file};
use deltarule_compiler::generic::{Engine, Values};
use proptest::strategy::{Strategy, ValueTree};

/// The program around the generated modules.
const PROGRAM: &str = include_str!("program.txt");
const EXAMPLES: usize = 4;
const SEED: u64 = 17;
const UPDATES: usize = 3;

/// All nets that both engines run: one input `x`, one target `t`.
fn specs() -> Vec<Spec> {
    let mut specs = activations_with_losses();
    specs.extend(regularizers());
    let has_x_and_t = |spec: &Spec| spec.text.contains("input x[") && spec.text.contains("target t[");
    specs.extend(shapes_of_nets().into_iter().filter(has_x_and_t));
    specs.extend(OPTIMIZERS.iter().map(|optimizer| {
        let Spec { name, text } = net("relu", "softmax", "cross_entropy(y, t)", "t: class[4]");
        Spec { name: format!("{name}, {optimizer}"), text: text.replace("sgd(0.1)", optimizer) }
    }));
    let mut runner = runner(200);
    for number in 0..200 {
        let network = network().new_tree(&mut runner).expect("a network can be made").current();
        specs.push(Spec { name: format!("random network {number}"), text: spec(&network) });
    }
    specs
}

/// The inputs and targets of a net; of each example, first the inputs.
struct Data {
    batch: Vec<(String, Values<f64>)>,
    flat: Vec<f64>,
}

fn data(derivation: &Derivation) -> Data {
    let model = &derivation.model;
    let [input, target] = [model.inputs[0], model.targets[0]].map(|tensor| model.context.tensor(tensor));
    let x = common::numbers(&[EXAMPLES, input.size()], 3.0);
    let mut flat = Vec::new();
    let targets = if target.label {
        let labels: Vec<usize> = (0..EXAMPLES).map(|example| example % target.shape[0]).collect();
        for (row, &label) in x.rows().into_iter().zip(&labels) {
            flat.extend(row);
            flat.push(label as f64);
        }
        Values::labels(labels)
    } else {
        // Each a distribution, as some losses want it.
        let mut t = common::numbers(&[EXAMPLES, target.size()], 40.0).mapv(|value| 1.5 + value);
        for (row, mut target) in x.rows().into_iter().zip(t.rows_mut()) {
            let sum = target.sum();
            target.mapv_inplace(|value| value / sum);
            flat.extend(row);
            flat.extend(&target);
        }
        Values::Numbers(t)
    };
    Data { batch: vec![("x".to_owned(), Values::Numbers(x)), ("t".to_owned(), targets)], flat }
}

/// What the generic engine computes, in the order in which the program writes it.
fn generic(derivation: &Derivation, data: Data) -> Vec<(&'static str, Vec<f64>)> {
    let engine = Engine::<f64>::new(derivation).expect("the engine takes the net");
    let batch = engine.batch(data.batch).expect("the data fits");
    let (mut parameters, mut state) = (engine.initialize(SEED), engine.state());
    let forward = engine.forward(&parameters, &batch).expect("the net runs");
    let outputs = forward.outputs.iter().flat_map(|output| output.values.iter().copied()).collect();
    let gradient = engine.gradient(&parameters, &batch).expect("the net runs");
    let mut results = vec![
        ("initial parameters", parameters.to_vec()),
        ("outputs", outputs),
        ("losses", forward.loss.iter().copied().collect()),
        ("mean loss and objective", vec![gradient.loss, gradient.objective]),
        ("gradient", gradient.gradient.to_vec()),
    ];
    for _ in 0..UPDATES {
        engine.train(&mut parameters, &mut state, &batch).expect("the net runs");
    }
    results.push(("parameters after three updates", parameters.to_vec()));
    results
}

/// Writes a crate with the code of all nets, and builds it. It stays where it is, so that a second run builds what changed.
fn build(derivations: &[(Spec, Derivation)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("engines");
    fs::create_dir_all(folder.join("src")).expect("the folder can be made");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        if fs::read_to_string(&path).ok().as_deref() != Some(text) {
            fs::write(path, text).expect("the file can be written");
        }
    };
    let mut modules = String::new();
    for (number, (Spec { name, .. }, derivation)) in derivations.iter().enumerate() {
        let options = EmitOptions { scalar: ScalarType::F64, ..EmitOptions::new("Net") };
        let code = emit_file(derivation, &options).unwrap_or_else(|message| panic!("{name} is not emitted: {message}"));
        write(&format!("src/net{number}.rs"), &code);
        modules += &format!(" net{number}");
    }
    write("src/main.rs", &PROGRAM.replace("MODULES", &modules));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let runtime = serde_json::Value::from(root.join("runtime").display().to_string());
    write(
        "Cargo.toml",
        &format!(
            "[package]\nname = \"engines\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
             deltarule = {{ path = {runtime}, default-features = false }}\n\n[profile.dev]\ndebug = false\n\n[workspace]\n"
        ),
    );
    // The versions of this workspace are those at hand.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).expect("the lock file can be copied");
    let target = folder.join("target");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--manifest-path"]).arg(folder.join("Cargo.toml")).arg("--target-dir").arg(&target);
    let built = cargo.output().expect("cargo starts");
    assert!(built.status.success(), "the generated code is refused:\n{}", String::from_utf8_lossy(&built.stderr));
    target.join("debug").join("engines").with_extension(std::env::consts::EXE_EXTENSION)
}

/// Gives a program numbers, and takes those it answers.
fn ask(program: &Path, numbers: Vec<f64>) -> Vec<f64> {
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
    let bytes: Vec<u8> = numbers.into_iter().flat_map(f64::to_le_bytes).collect();
    let mut input = child.stdin.take().expect("it has an input");
    // It reads all before it answers.
    input.write_all(&bytes).expect("the program reads");
    drop(input);
    let answer = child.wait_with_output().expect("the program ends");
    assert!(answer.status.success(), "the program failed");
    answer.stdout.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
}

#[test]
fn generated_code_and_the_generic_engine_agree_within_rounding() {
    let derivations: Vec<(Spec, Derivation)> = specs()
        .into_iter()
        .map(|spec| {
            let derivation = common::derivation(&spec.name, &spec.text);
            (spec, derivation)
        })
        .collect();
    let program = build(&derivations);
    let numbers = derivations.iter().flat_map(|(_, derivation)| data(derivation).flat).collect();
    let mut answers = ask(&program, numbers).into_iter();
    let mut complaints = String::new();
    for (Spec { name, text }, derivation) in &derivations {
        for (what, expected) in generic(derivation, data(derivation)) {
            let found: Vec<f64> = answers.by_ref().take(expected.len()).collect();
            let greatest = expected.iter().fold(1e-3, |greatest: f64, value| greatest.max(value.abs()));
            let difference = expected
                .iter()
                .zip(&found)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, |most: f64, one| if one > most || one.is_nan() { one } else { most });
            let agrees = found.len() == expected.len() && difference <= 1e-11 * greatest;
            if !agrees {
                complaints +=
                    &format!("{name}: {what} differ by {difference}\n  generic   {expected:?}\n  generated {found:?}\n{text}\n");
            }
        }
    }
    assert_eq!(answers.next(), None, "the program says more than was asked");
    assert!(complaints.is_empty(), "{complaints}");
}
