//! Every bound on what a spec may mean, at it and one past it; and specs that are made to cost time.

use deltarule_compiler::{limits, pipeline};

/// The first message that is an error.
fn error(spec: &str) -> Option<String> {
    match pipeline::build("net.spec", spec) {
        Ok(_) => None,
        Err(diagnostics) => diagnostics.messages.into_iter().map(|message| message.message).next(),
    }
}

#[track_caller]
fn is_bounded(spec: impl Fn(usize) -> String, limit: usize, words: &str) {
    assert_eq!(error(&spec(limit)), None, "at the bound");
    let message = error(&spec(limit + 1)).expect("one past the bound is an error");
    assert!(message.contains(words), "{message}");
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|number| line(number) + "\n").collect()
}

#[test]
fn axis_extent() {
    is_bounded(|extent| format!("input x[{extent}]\nloss sum(i: x[i])"), limits::AXIS_EXTENT, "a size is at most 16777216");
}

#[test]
fn axes() {
    let shape = |count| vec!["1"; count].join(", ");
    is_bounded(|count| format!("input x[{}]\nparam p ~ 1\nloss p", shape(count)), limits::AXES, "a tensor may have 8");
    let indices = |count| lines(count, |number| format!("i{number} in 0..1,")).replace(",\n", ", ");
    let bound = |count| format!("param p ~ 1\nloss sum({}: p)", indices(count).trim_end_matches(", "));
    is_bounded(bound, limits::AXES, "may bind 8");
}

#[test]
fn tensor_elements() {
    let rows = limits::TENSOR_ELEMENTS / 1024;
    is_bounded(|rows| format!("input x[{rows}, 1024]\nloss sum(i, j: x[i, j])"), rows, "a tensor may have 268435456 elements");
}

#[test]
fn parameters() {
    let half = limits::PARAMETERS / 32;
    let spec = |extent| {
        format!("param a[i: 16, j: {half}] ~ 0\nparam b[i: 16, j: {extent}] ~ 0\nloss sum(i, j: a[i, j]) + sum(i, j: b[i, j])")
    };
    is_bounded(spec, half, "more than 268435456 elements");
}

#[test]
fn statements() {
    let spec = |count| format!("param p ~ 1\nloss p\n{}", lines(count - 2, |number| format!("let n{number} = 1")));
    is_bounded(spec, limits::STATEMENTS, "at most 10000 statements");
}

#[test]
fn equations() {
    // Each line makes two, and the loss is one more.
    let spec = |count: usize| {
        let lines = lines((count - 1) / 2, |number| format!("y{number} = exp(sigmoid({number} + 1 + x))"));
        format!("input x\n{lines}\n{}loss x", if count.is_multiple_of(2) { "z = x\n" } else { "" })
    };
    is_bounded(spec, limits::EQUATIONS, "more than 10000 equations");
}

#[test]
fn formals() {
    let spec = |count: usize| {
        let formals = lines(count, |number| format!("a{number} = 1,")).replace('\n', "");
        format!("function f({}) = a0\nparam p ~ 1\nloss p * f()", formals.trim_end_matches(','))
    };
    is_bounded(spec, limits::FORMALS, "a definition may have 64");
}

#[test]
fn expansion_depth() {
    let spec = |count: usize| {
        let functions = lines(count - 1, |number| format!("function f{number}(x) = f{}(x)", number + 1));
        format!("{functions}function f{}(x) = x\nparam p ~ 1\nloss f0(p)", count - 1)
    };
    is_bounded(spec, limits::EXPANSION_DEPTH, "more than 32 deep");
}

#[test]
fn expansions() {
    let spec = |count: usize| {
        let calls = lines(count / 100, |number| format!("let n{number} = {}", vec!["step(1)"; 100].join("+")));
        format!("{calls}param p ~ 1\nloss p {}", "+ step(1)".repeat(count % 100))
    };
    is_bounded(spec, limits::EXPANSIONS, "expands more than 50000 calls");
}

#[test]
fn elaboration_depth() {
    // Each function takes the depth of its brackets and of the call of the next.
    let spec = |rest: usize| {
        let functions =
            lines(7, |number| format!("function f{number}(x) = {}f{}(x){}", "-(".repeat(31), number + 1, ")".repeat(31)));
        format!("{functions}function f7(x) = {}x{}\nparam p ~ 1\nloss f0(p)", "-(".repeat(rest), ")".repeat(rest))
    };
    is_bounded(spec, limits::ELABORATION_DEPTH - 7 * 32 - 1, "nested too deep");
}

#[test]
fn evaluations() {
    let spec = |count: usize| format!("let n = sum(i in 0..{count}: i)\nparam p ~ 1\nloss p * n");
    // A sum is one part, and so is its body at each place; both are looked at, as is the sum around them.
    let limit = (limits::EVALUATIONS / 2) as usize;
    is_bounded(spec, limit, "known before any data");
}

#[test]
fn messages() {
    let spec = lines(limits::MODEL_MESSAGES * 3, |number| format!("y{number} = unknown{number}"));
    let diagnostics = pipeline::build("net.spec", &spec).expect_err("nothing is known");
    assert_eq!(diagnostics.messages.len(), limits::MODEL_MESSAGES);
}

#[test]
fn functions_that_double_their_argument_end_in_a_message() {
    let doubling = lines(31, |number| format!("function f{number}(x) = f{}(x * (1 + x)) * f{}(x)", number + 1, number + 1));
    let spec = format!("{doubling}function f31(x) = x + 1\nparam p ~ 1\nloss if p > 0 {{ f0(p) }} else {{ 0 }}");
    let message = error(&spec).expect("this would be 2^31 calls");
    assert!(message.contains("expands more than") || message.contains("parts"), "{message}");
    let doubling = lines(31, |number| format!("function f{number}(x) = f{}(x * x - x)", number + 1));
    let spec = format!("{doubling}function f31(x) = x + 1\nparam p ~ 1\nloss if p > 0 {{ f0(p) }} else {{ 0 }}");
    assert!(error(&spec).expect("this would have 2^31 parts").contains("more than 20000 parts"));
    let sums = lines(31, |number| format!("function f{number}(x) = f{}(x + x)", number + 1));
    let spec = format!("{sums}function f31(x) = x\nparam p ~ 1\nloss p\noptimizer sgd(f0(k))");
    assert!(error(&spec).expect("this would be 2^31 summands").contains("more than 20000 parts"));
}

#[test]
fn a_constant_that_takes_forever_is_not_computed() {
    let spec = "let n = sum(i in 0..9999999, j in 0..9999999: i * j)\ninput x[n]\nloss sum(i: x[i])";
    assert!(error(spec).expect("this has no size").contains("known before any data"));
    let spec = "param p ~ 1\nloss if sum(i in 0..9999999, j in 0..9999999: i * j) > 1 { p } else { 0 }";
    assert_eq!(error(spec), None);
}

#[test]
fn a_chain_written_backwards_needs_no_deep_stack() {
    let chain = lines(4_000, |number| format!("y{number} = y{} + 1", number + 1));
    assert_eq!(error(&format!("loss y0\n{chain}y4000 = p\nparam p ~ 1")), None);
}
