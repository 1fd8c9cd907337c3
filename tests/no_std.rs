//! Nets in a crate without std, outside of the workspace.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;

#[test]
fn nets_without_std_allocator_or_panic_link_and_learn() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/no_std");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no_std");
    let build = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--locked"])
        .env_remove("RUSTFLAGS")
        .arg("--manifest-path")
        .arg(package.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .output()
        .expect("cargo runs");
    assert!(build.status.success(), "the program does not build:\n{}", String::from_utf8_lossy(&build.stderr));
    let run = Command::new(target.join("release/no-std-digits")).status().expect("the program starts");
    assert!(run.success(), "the program ends with {run}");
}
