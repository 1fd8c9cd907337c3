//! `include`: definitions from other files, and what becomes of those that cannot be included.

#![allow(clippy::err_expect, reason = "what compiles cannot be printed")]

use deltarule_compiler::limits;
use deltarule_compiler::pipeline::{Compiled, compile_with};

/// Names of files and what they hold.
type Files<'f> = &'f [(&'f str, &'f str)];

/// Compiles the first of these files.
fn compiled(files: Files<'_>) -> Result<Compiled, String> {
    let (name, text) = files[0];
    let mut loader = |path: &str| {
        let found = files.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "there is no such file".to_owned())
    };
    compile_with(name, text, &mut loader).map_err(|messages| messages.render())
}

/// The messages about a spec that cannot be used.
fn refused(files: Files<'_>) -> String {
    compiled(files).err().expect("the spec cannot be used")
}

const NET: &str = "include \"parts/layers.spec\"\ninput x[3]\ny = x |> twice(width)\nloss sum(i: y[i])\n";

#[test]
fn definitions_come_from_files_below_the_folder() {
    let layers = "include \"sizes.spec\"\ninclude \"./more/f.spec\"\nlayer twice(x[i], n) -> y[j: n] { y = x |> dense(n) |> f }";
    let sizes = "let width = 5\ninclude \"more/f.spec\"";
    let files = [
        ("net.spec", NET),
        ("parts/layers.spec", layers),
        ("parts/sizes.spec", sizes),
        ("parts/more/f.spec", "function f(s) = 2 * s"),
    ];
    let compiled = compiled(&files).unwrap_or_else(|messages| panic!("{messages}"));
    assert_eq!(compiled.included, ["parts/layers.spec", "parts/sizes.spec", "parts/more/f.spec"]);
    let model = &compiled.derivation.model;
    assert_eq!(model.context.tensor(model.outputs[0]).shape, [5]);
}

#[test]
fn a_mistake_in_an_included_file_is_shown_there() {
    let messages =
        refused(&[("net.spec", NET), ("parts/layers.spec", "let width = 2\nlayer twice(x[i], n) -> y[j: n] { y = x |> }")]);
    assert!(messages.contains("--> parts/layers.spec:2:"), "{messages}");
}

#[test]
fn files_that_include_each_other_are_refused() {
    let messages =
        refused(&[("net.spec", NET), ("parts/layers.spec", "include \"a.spec\""), ("parts/a.spec", "include \"layers.spec\"")]);
    assert!(messages.contains("`layers.spec` includes itself"), "{messages}");
    assert!(messages.contains("parts/layers.spec → parts/a.spec → parts/layers.spec"), "{messages}");
    let messages = refused(&[("net.spec", "include \"net.spec\"")]);
    assert!(messages.contains("includes itself"), "{messages}");
}

#[test]
fn no_file_outside_of_the_folder_is_asked_for() {
    for path in ["../other.spec", "/etc/passwd", "a/../../other.spec", "C:/other.spec", "a\\other.spec", "", "."] {
        let spec = format!("include \"{path}\"\ninput x\nobjective x^2 by x");
        let messages = compile_with("net.spec", &spec, &mut |path| panic!("{path} is asked for"));
        assert!(messages.is_err(), "{path} is accepted");
    }
}

#[test]
fn a_missing_file_is_named_where_it_is_included() {
    let messages = refused(&[("net.spec", NET)]);
    assert!(messages.contains("cannot include `parts/layers.spec`: there is no such file"), "{messages}");
    assert!(messages.contains("--> net.spec:1:9"), "{messages}");
}

#[test]
fn an_included_file_holds_definitions_and_nothing_else() {
    let messages = refused(&[("net.spec", NET), ("parts/layers.spec", "network Other\ninput z\nloss z")]);
    assert_eq!(messages.matches("an included file holds definitions, and this is none").count(), 3, "{messages}");
}

#[test]
fn files_include_each_other_to_a_bound() {
    let chain = |depth: usize| {
        let outer = "include \"f1.spec\"\ninput x\nobjective x^2 by x";
        compile_with("net.spec", outer, &mut |path| {
            let number: usize = path[1..path.len() - 5].parse().expect("a number");
            Ok(if number < depth { format!("include \"f{}.spec\"", number + 1) } else { String::new() })
        })
        .map_err(|messages| messages.render())
    };
    assert!(chain(limits::INCLUDE_DEPTH).is_ok());
    let messages = chain(limits::INCLUDE_DEPTH + 1).err().expect("too deep");
    assert!(messages.contains("files include each other more than 16 deep"), "{messages}");
}

#[test]
fn a_spec_includes_a_bounded_number_of_files() {
    let wide = |count: usize| {
        let includes: String = (0..count).map(|number| format!("include \"f{number}.spec\"\n")).collect();
        compile_with("net.spec", &format!("{includes}input x\nobjective x^2 by x"), &mut |_| Ok(String::new())).is_ok()
    };
    assert!(wide(limits::INCLUDED_FILES));
    assert!(!wide(limits::INCLUDED_FILES + 1));
}

#[test]
fn each_mistake_has_a_message_at_its_place() {
    let deep: Vec<(String, String)> = (1..=limits::INCLUDE_DEPTH + 1)
        .map(|number| (format!("f{number}.spec"), format!("include \"f{}.spec\"\n", number + 1)))
        .collect();
    let deep: Vec<(&str, &str)> = deep.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let mistakes: [(&str, &str, Files<'_>); 9] = [
        ("a cycle", "parts/a.spec", &[("parts/a.spec", "include \"b.spec\""), ("parts/b.spec", "\n  include \"a.spec\"")]),
        ("the spec itself", "net.spec", &[]),
        ("a file above", "parts/a.spec", &[("parts/a.spec", "include \"../net.spec\"")]),
        ("a file elsewhere", "/etc/passwd", &[]),
        ("too deep", "f1.spec", &deep),
        ("a missing file", "parts/a.spec", &[("parts/a.spec", "include \"b.spec\"")]),
        ("no definition", "a.spec", &[("a.spec", "input z\nloss z^2")]),
        (
            "defined in two files",
            "a.spec",
            &[("a.spec", "include \"b.spec\"\nfunction f(s) = s"), ("b.spec", "function f(s) = 2 * s")],
        ),
        ("a mistake in what is called", "a.spec", &[("a.spec", "function f(s) = s + skale")]),
    ];
    let mut all = String::new();
    for (mistake, path, others) in mistakes {
        let spec = format!("include \"{path}\"\ninput x\nparam p ~ 1\nloss f(p * x)\n");
        let files: Vec<(&str, &str)> = std::iter::once(("net.spec", spec.as_str())).chain(others.iter().copied()).collect();
        all.push_str(&format!("# {mistake}\n\n{}\n", refused(&files)));
    }
    insta::assert_snapshot!(all);
}
