//! The programs of all nets: their files, and a conversation with them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use deltarule_compiler::emit::{EmitOptions, ExampleType, Interface, emit_file};

use crate::Case;
use crate::common::specs::Spec;

/// All nets are shared out among so many programs of one crate, which are compiled side by side.
pub(crate) const PROGRAMS: usize = 2;
/// A program around generated modules.
const PROGRAM: &str = include_str!("program.txt");

/// What joins a net to the program: its module with the structs of its examples, and the call that runs it.
fn join(number: usize, case: &Case, options: &EmitOptions) -> (String, String) {
    let model = &case.derivation.model;
    let interface = Interface::new(&case.derivation, options);
    let examples = [Some(&interface.input), Some(&interface.target), Some(&interface.output), interface.gradient.as_ref()];
    let mut module = format!("mod net{number};\n");
    for example in examples.into_iter().flatten() {
        if let ExampleType { of_type, fields: Some(fields) } = example {
            let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
            module += &format!("flat_struct!(net{number}::{of_type} {{ {} }});\n", fields.join(", "));
        }
    }
    let name = |tensor| &model.context.tensor(tensor).name;
    let parameters: Vec<&String> = model.parameters.iter().map(|parameter| name(parameter.tensor)).collect();
    let noise: Vec<&str> = model.noises.iter().map(|noise| &name(noise.tensor)[..]).collect();
    let call = if model.objective.is_some() {
        format!("objective!(net{number}, {parameters:?}, numbers, results);\n")
    } else {
        let state = if model.optimizers.is_empty() { "" } else { "NetState" };
        let noise = noise.join(", ");
        format!("supervised!(net{number}, {parameters:?}, noise [{noise}], trains [{state}], numbers, results);\n")
    };
    (module, call)
}

/// Writes a crate with the code of all nets, and builds its programs.
pub(crate) fn build(package: &str, cases: &[Case]) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(package);
    fs::create_dir_all(folder.join("src")).expect("the folder can be made");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        if fs::read_to_string(&path).ok().as_deref() != Some(text) {
            fs::write(path, text).expect("the file can be written");
        }
    };
    let mut parts = vec![(String::new(), String::new()); PROGRAMS];
    for (number, case) in cases.iter().enumerate() {
        let options = EmitOptions { scalar: case.scalar, ..EmitOptions::new("Net") };
        let Spec { name, .. } = &case.spec;
        let code = emit_file(&case.derivation, &options).unwrap_or_else(|message| panic!("{name} is not emitted: {message}"));
        write(&format!("src/net{number}.rs"), &code);
        let (module, call) = join(number, case, &options);
        let (modules, calls) = &mut parts[number % PROGRAMS];
        *modules += &module;
        *calls += &call;
    }
    for (part, (modules, calls)) in parts.iter().enumerate() {
        write(&format!("src/part{part}.rs"), &PROGRAM.replace("NETS", modules).replace("RUNS", calls));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let runtime = serde_json::Value::from(root.join("runtime").display().to_string());
    let bins: String =
        (0..PROGRAMS).map(|part| format!("\n[[bin]]\nname = \"part{part}\"\npath = \"src/part{part}.rs\"\n")).collect();
    write(
        "Cargo.toml",
        &format!(
            "[package]\nname = \"{package}\"\nversion = \"0.0.0\"\nedition = \"2024\"\nautobins = false\n\n[dependencies]\n\
             deltarule = {{ path = {runtime}, default-features = false }}\n\n[profile.dev]\ndebug = false\nincremental = false\n\n\
             [workspace]\n{bins}"
        ),
    );
    // The versions of this workspace are those at hand.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).expect("the lock file can be copied");
    let target = folder.join("target");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--manifest-path"]).arg(folder.join("Cargo.toml")).arg("--target-dir").arg(&target);
    let built = cargo.output().expect("cargo starts");
    assert!(built.status.success(), "the generated code is refused:\n{}", String::from_utf8_lossy(&built.stderr));
    let program = |part| target.join("debug").join(format!("part{part}")).with_extension(std::env::consts::EXE_EXTENSION);
    (0..PROGRAMS).map(program).collect()
}

/// Gives a program numbers, and takes those it answers.
pub(crate) fn ask(program: &Path, numbers: Vec<f64>) -> Vec<f64> {
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
