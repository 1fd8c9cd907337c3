//! `deltarule verify`: what is printed and the exit codes.

use super::eval::circuit;
use super::workspace::Workspace;
use std::fs;

#[test]
fn the_rules_in_the_help_hold_for_the_digits() {
    let workspace = Workspace::new(include_str!("../../examples/digits/digits.spec"));
    let help = workspace.succeed(&["verify", "--help"]);
    // The help is wrapped.
    let help: Vec<&str> = help.split_whitespace().collect();
    let help = help.join(" ");
    for (notation, rule) in [
        ("lecture", "dE/ddense2.s[j] = y[j] - t[j]"),
        ("lecture", r"\frac{\partial E}{\partial b_j^1} = \frac{\partial E}{\partial \mathrm{sum}_j^1}"),
        ("lecture", "∂ℓ/∂wˡᵢⱼ = ∂ℓ/∂sumˡⱼ · σˡ⁻¹ᵢ, l = 1, 2"),
        ("matrix", "∂ℓ/∂W^[1] = x (∂ℓ/∂f^[1])ᵀ"),
    ] {
        assert!(help.contains(&format!("--rule '{rule}'")), "{rule} is not in {help}");
        let text = workspace.succeed(&["verify", "net.spec", "--notation", notation, "--rule", rule]);
        assert!(text.contains("holds"), "{text}");
    }
}

#[test]
fn rules_that_hold_are_said_to_and_the_exit_code_is_0() {
    let text = circuit().succeed(&["verify", "net.spec", "--rule", "df/dx = z", "--rule", "df/dz = x + y"]);
    assert_eq!(
        text,
        "df/dx = z\n  holds, exactly: also modulo large primes\ndf/dz = x + y\n  holds, exactly: also modulo large primes\n"
    );
}

#[test]
fn one_rule_of_a_file_that_does_not_hold_makes_the_exit_code_1() {
    let workspace = circuit();
    fs::write(workspace.path("notes.rules"), "// the lecture\ndq/dx = 1\n\ndf/dy = -z // a slip\n").unwrap();
    let run = workspace.run(&["verify", "net.spec", "--rules", "notes.rules"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        run.stdout.starts_with(
            "dq/dx = 1\n  holds, exactly: also modulo large primes\ndf/dy = -z\n  differs: the sign of the right side\n"
        ),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("right: df/dy = z") && run.stdout.contains("where"), "{}", run.stdout);
    assert!(run.stderr.contains("1 of 2 rules do not hold"), "{}", run.stderr);
}

#[test]
fn a_rule_that_cannot_be_read_makes_the_exit_code_2_and_is_drawn_at_its_place() {
    let workspace = circuit();
    fs::write(workspace.path("notes.rules"), "dq/dx = 1\ndf/dy = (z\n").unwrap();
    let run = workspace.run(&["verify", "net.spec", "--rules", "notes.rules"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("notes.rules:2:9"), "{}", run.stderr);
    let none = workspace.run(&["verify", "net.spec"]);
    assert_eq!(none.code, 2, "{}", none.stderr);
    fs::write(workspace.path("empty.rules"), "// nothing\n").unwrap();
    assert_eq!(workspace.run(&["verify", "net.spec", "--rules", "empty.rules"]).code, 2);
}
