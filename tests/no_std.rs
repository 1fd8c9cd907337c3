//! Nets in a crate without std, outside of the workspace.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Builds a program of that crate as its users would, whatever this build is like.
fn build(program: &str) -> (Output, PathBuf) {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/no_std");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no_std");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--quiet", "--locked", "--bin", program]);
    for variable in ["RUSTFLAGS", "CARGO_INCREMENTAL", "CARGO_PROFILE_DEV_OPT_LEVEL"] {
        cargo.env_remove(variable);
    }
    cargo.arg("--manifest-path").arg(package.join("Cargo.toml")).arg("--target-dir").arg(&target);
    (cargo.output().expect("cargo runs"), target.join("release").join(program))
}

#[test]
fn nets_without_std_allocator_or_panic_link_and_learn() {
    let (built, program) = build("no-std-digits");
    assert!(built.status.success(), "the program does not build:\n{}", String::from_utf8_lossy(&built.stderr));
    let run = Command::new(program).status().expect("the program starts");
    assert!(run.success(), "the program ends with {run}");
}

#[test]
fn a_program_with_a_path_to_a_panic_does_not_link() {
    let (built, _) = build("control");
    let messages = String::from_utf8_lossy(&built.stderr);
    assert!(!built.status.success(), "the control links: a path to a panic would not be found");
    assert!(messages.contains("a_path_to_a_panic_is_left"), "the control fails for another reason:\n{messages}");
}
