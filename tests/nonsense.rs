//! Specs that read well and mean nothing: each mistake has a message that underlines its place.
//!
//! `tests/syntax.rs` has those that do not read well.

use deltarule_compiler::diagnostic::Severity;
use deltarule_compiler::pipeline;

/// What is wrong, and a spec in which it is.
const MISTAKES: &[(&str, &str)] = &[
    ("unknown name", "input scale\nparam p ~ 1\ny = p * skale\nloss y^2"),
    ("unknown function", "input x[3]\ny = x |> dense(2) |> sigmoyd\nloss sum(i: y[i])"),
    ("unknown layer, and an unknown name besides", "input x[3]\ny = x |> dence(2)\nz = q\nloss sum(i: y[i]) + z"),
    ("unknown named argument", "input x[3]\ny = x |> dense(2, bios = false)\nloss sum(i: y[i])"),
    ("named argument twice", "input x[3]\ny = x |> dense(2, n = 3)\nloss sum(i: y[i])"),
    ("too many arguments", "input x[3]\ny = x |> dense(2, true, 4)\nloss sum(i: y[i])"),
    ("too few arguments", "input x[3]\ny = x |> dense\nloss sum(i: y[i])"),
    ("too few arguments of an elementary function", "input x\nloss max(x) + exp()"),
    ("element-wise shapes", "input a[3], b[4]\ny = a + b\nloss sum(i: y[i])"),
    ("shapes of a loss", "input x[3]\ntarget t[4]\nloss squared_error(x |> dense(3), t)"),
    (
        "shape through a definition",
        "function f(a[i], b[i]) = sum(i: a[i] * b[i])\ninput x[3], z[4]\nparam p ~ 1\nloss p * f(x, z)",
    ),
    ("rank of an argument", "input x\ny = x |> dense(3)\nloss sum(i: y[i])"),
    ("rank of an access", "input x[3, 4]\nloss sum(i: x[i])"),
    ("an index with two ranges", "input a[3], b[4]\nloss sum(i: a[i] * b[i])"),
    ("an index without a range", "input a[3]\nloss sum(i: 2)"),
    ("a left-hand index without a range", "input a\ny[i] = a\nloss sum(i: y[i])"),
    ("a left-hand index with another range", "input a[3]\ny[i: 4] = a[i]\nloss sum(i: y[i])"),
    ("a left-hand index twice", "input a[3, 3]\ny[i, i] = a[i, i]\nloss sum(i: y[i])"),
    ("an empty range", "input a[3]\nloss sum(i in 2..2: a[i])"),
    ("a range past the axis", "input a[3]\nloss sum(i in 1..4: a[i])"),
    ("an element outside", "input a[3]\nparam p ~ 1\nloss p * a[3] + p"),
    ("a tensor where an element is defined", "input a[3]\ny[i] = a\nloss sum(i: y[i])"),
    ("a condition as a number", "input x\nloss 2 * (x > 0)"),
    ("a number as a condition", "input x\nloss if x { 1 } else { 0 }"),
    ("a number in Iverson's bracket", "input x\nloss [x + 1]"),
    ("a text as a value", "input x\nparam p ~ 1\nloss p * exp(\"x\")"),
    ("declared twice", "input x[3]\nparam x[i: 3] ~ 0\nloss sum(i: x[i])"),
    ("defined twice", "input x\ny = x\ny = 2 * x\nloss y"),
    ("a function defined twice", "function f(x) = x\nfunction f(x) = 2 * x\ninput x\nloss f(x)"),
    ("a label given twice", "input x[3]\ny = x |> dense(2) as a |> dense(2) as a\nloss sum(i: y[i])"),
    ("a label on a function", "input x[3]\ny = x |> sigmoid as a\nloss sum(i: y[i])"),
    ("a cycle", "input x\na = b + x\nb = c\nc = 2 * a\nloss a"),
    ("an equation that needs itself", "input x\na = a + x\nloss a"),
    ("lets in a cycle", "let n = m\nlet m = n\ninput x[n]\nloss sum(i: x[i])"),
    ("a recursive function", "function f(x) = g(x)\nfunction g(x) = f(x) + 1\ninput x\nloss f(x)"),
    ("a recursive layer", "layer f(x[i]) -> s { s = f(x) }\ninput x[3]\ny = x |> f\nloss sum(i: y[i])"),
    ("size 0", "input x[0]\nloss sum(i: x[i])"),
    ("a negative size", "input x[3]\ny = x |> dense(-2)\nloss sum(i: y[i])"),
    ("a fractional size", "let n = 5\ninput x[n / 2]\nloss sum(i: x[i])"),
    ("a size that is too great", "input x[1e9]\nloss sum(i: x[i])"),
    ("too many elements", "input x[30000, 30000]\nloss sum(i, j: x[i, j])"),
    ("too many parameters", "input x[16000]\ny = x |> dense(16000) |> dense(16000)\nloss sum(i: y[i])"),
    ("too many axes", "input x[1, 1, 1, 1, 1, 1, 1, 1, 1]\nloss 1"),
    ("a size that depends on data", "input x\ny = x\ninput z[x]\nloss y"),
    ("division by zero", "input x\nloss x / 0"),
    ("a number outside its interval", "input x[3]\ny = x |> dense(2) |> relu(slope_at_kink = 2)\nloss sum(i: y[i])"),
    ("no loss", "input x[3]\ntarget t: class[2]\ny = x |> dense(2) |> softmax"),
    ("nothing at all", ""),
    ("loss and objective", "input x\nparam p ~ 1\nloss p * x\nobjective p * x by x"),
    ("a loss that is a tensor", "input x[3]\ny = x |> dense(2)\nloss y"),
    ("an objective by an equation", "input x\ny = x^2\nobjective y by y"),
    ("an objective by what is unknown", "input x\nobjective x^2 by z"),
    ("an objective with an optimizer", "input x\nobjective x^2 by x\noptimizer sgd(1)\nregularizer l2(1)"),
    (
        "a regularizer on what is no parameter",
        "input x[3]\ny = x |> dense(2)\nloss sum(i: y[i])\nregularizer l2(1) on dense1, dense1.v, y",
    ),
    ("a regularizer that depends on data", "input x[3]\ny = x |> dense(2)\nloss sum(i: y[i])\nregularizer l2(y[0])"),
    ("a regularizer of nothing", "input x[3]\ny = x |> dense(2)\nloss sum(i: y[i])\nregularizer 0.5"),
    ("an unknown optimizer", "input x[3]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer adamm(0.1)"),
    ("an optimizer without its rate", "input x[3]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer adam"),
    ("two optimizers for all", "input x[3]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer sgd(1)\noptimizer adam(1)"),
    (
        "two optimizers for one",
        "input x[3]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer sgd(1) on dense1.w\noptimizer adam(1) on dense1.w, dense1.b",
    ),
    (
        "one parameter named twice",
        "input x[3]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer sgd(1) on dense1.w, dense1.w, dense1.b",
    ),
    ("a parameter without an optimizer", "input x[3]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer sgd(1) on dense1.w"),
    ("an optimizer that reads data", "input x[3]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer sgd(x[0])"),
    (
        "a rule without a next value",
        "optimizer lazy(rate) {\nstate v ~ 0\nw' = w - rate * v\n}\ninput x[3]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer lazy(1)",
    ),
    (
        "a rule with the next value of nothing",
        "optimizer odd(rate) {\nw' = w - rate * g\nu' = g\n}\ninput x[3]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer odd(1)",
    ),
    ("k outside of an optimizer", "input x\nparam p ~ 1\nloss p * x / k"),
    ("a distribution in an expression", "input x\nparam p ~ 1\nloss p * x * normal(0, 1)"),
    ("an unknown distribution", "input x\nparam p ~ norml(0, 1)\nparam q ~ gaussian\nloss p * x + q"),
    ("a negative deviation", "input x\nparam p ~ normal(0, -1)\nloss p * x"),
    ("a probability above 1", "input x\nparam p ~ 1\nnoise m ~ bernoulli(1.5)\nloss p * x * m"),
    ("a probability of dropping below 0", "input x[3]\ny = x |> dense(2) |> dropout(-0.1)\nloss sum(i: y[i])"),
    ("noise with fans", "input x\nparam p ~ 1\nnoise m ~ he\nloss p * x * m"),
    ("noise over the axes of no header", "input x[3]\nparam p ~ 1\nnoise m[..] ~ bernoulli(0.5)\nloss sum(i: p * x[i] * m[i])"),
    ("noise that nothing reads", "input x\nparam p ~ 1\nnoise m ~ normal(0, 1)\nloss p * x"),
    ("an objective by noise", "input x\nnoise m ~ normal(0, 1)\nobjective m * x by m"),
    ("an infinite initial value", "input x\nparam p ~ inf\nloss p * x"),
    ("a layer in a function", "function f(x[i]) = dense(x, 3)\ninput x[3]\ny = f(x)\nloss sum(i: y[i])"),
    ("a layer without a result", "layer f(x[i]) -> s[i] { u[i] = x[i] }\ninput x[3]\ny = x |> f\nloss sum(i: y[i])"),
    ("a layer with another result", "layer f(x[i], n) -> s[j: n] { s[j] = x[j] }\ninput x[3]\ny = x |> f(4)\nloss sum(i: y[i])"),
    ("a word for a number", "input x[3]\ny = x |> dense(many)\nloss sum(i: y[i])"),
    ("an index of an index", "input x[3], y[3]\nloss sum(i: x[y[i]])"),
    ("a product of indices", "input x[3]\nloss sum(i in 0..2, j in 0..2: x[i * j])"),
    ("leading axes outside of a definition", "input x[3]\nloss sum(..: x)"),
    ("a derivative by a label", "input x: class[3]\nobjective sum(k: x[k]) by x"),
    ("a state outside of an optimizer", "state v ~ 0\ninput x\nparam p ~ 1\nloss p * x"),
    (
        "parameters, data and targets that nothing reads",
        "input x, z\ntarget t\nparam p ~ 1\nparam q ~ 1\nparam r ~ 1\ny = q * x\nloss p * x",
    ),
    ("nothing to learn", "input x\nloss x^2"),
    ("a misspelled size", "let count = 3\ninput x[3]\ny = x |> dense(cuont)\nloss sum(i: y[i])"),
    ("indices that are never inside", "input x[9]\nparam p ~ 1\ny[i: 8] = p * x[i + 9] + x[-2 * i - 1]\nloss sum(i: y[i])"),
    ("an affine index without a range", "input x[9]\nparam p ~ 1\ny[i] = p * x[2 * i + 1]\nloss sum(i: y[i])"),
    ("a recurrence that looks ahead", "input x[9]\nh[t] = x[t] + h[t + 1]\nloss sum(t: h[t])"),
    ("a recurrence that looks both ways", "input x[9]\nh[t] = x[t] + h[t + 1] * h[t - 1]\nloss sum(t: h[t])"),
    (
        "a recurrence that looks ahead in one of two equations",
        "input x[9]\na[t] = x[t] + b[t - 1]\nb[t: 9] = sigmoid(a[t + 2]) + b[t - 1]\nloss sum(t: a[t])",
    ),
    ("a recurrence at the same step", "input x[9]\na[t] = x[t] * b[t] + a[t - 1]\nb[t] = a[t]\nloss sum(t: a[t])"),
    ("a recurrence without an earlier value", "input x[1]\nh[t] = x[t] + h[t - 1]\nloss sum(t: h[t])"),
    ("a recurrence without a fixed step", "input x[9]\nh[t] = x[t] + h[2 * t - 9] + h[t - 1]\nloss sum(t: h[t])"),
    ("a recurrence that reads one place", "input x[9]\nh[t] = x[t] * h[0] + h[t - 1]\nloss sum(t: h[t])"),
    ("a recurrence without a range", "input x\nparam p ~ 1\nh[t, j: 2] = p * x + h[t - 1, j]\nloss sum(t, j: h[t, j])"),
    ("a recurrence with two ranges", "input x[9], y[8]\nh[t] = x[t] + y[t] * h[t - 1]\nloss sum(t: h[t])"),
    ("a recurrence that is not element by element", "input x[9]\nh[t] = g[t - 1] + x[t]\ng = sigmoid(h)\nloss sum(t: h[t])"),
    ("a recurrence of what is unknown", "input x[9]\nh[t] = x[t] * y[t] + h[t - 1]\nloss sum(t: h[t])"),
    ("a fractional index", "input x[9]\nparam p ~ 1\nloss p * x[1.5]"),
    ("a layer of a fractional size", "input x[9]\ny = x |> dense(5 / 2)\nloss sum(i: y[i])"),
    ("clipping by what is unknown", "input x[9]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer sgd(0.1) |> clip_nrm(1)"),
    ("clipping without a limit", "input x[9]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer sgd(0.1) |> clip_norm"),
    ("clipping with two limits", "input x[9]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer sgd(0.1) |> clip_value(1, 2)"),
    (
        "clipping with a limit of another name",
        "input x[9]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer sgd(0.1) |> clip_norm(most = 1)",
    ),
    ("clipping to a negative length", "input x[9]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer sgd(0.1) |> clip_norm(-1)"),
    (
        "clipping to a length that data decides",
        "input x[9]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer sgd(0.1) |> clip_norm(x[0])",
    ),
    (
        "clipping of an unknown optimizer",
        "input x[9]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer sdg(0.1) |> clip_norm(1) |> clip_vlaue(1)",
    ),
    ("two optimizers in one line", "input x[9]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer sgd(0.1) |> adam(0.1)"),
    (
        "a function where the optimizer should be",
        "input x[9]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer clip_norm(1) |> sgd(0.1)",
    ),
    ("a layer where a gradient is clipped", "input x[9]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer sgd(0.1) |> dense(2)"),
    ("a label on what clips", "input x[9]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer sgd(0.1) |> clip_norm(1) as clipping"),
    ("a number where a gradient is clipped", "input x[9]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer sgd(0.1) |> 5"),
    (
        "clipping that leaves one number",
        "input x[9]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer sgd(0.1) |> total\nfunction total(g[..]) = sum(..: g)",
    ),
    (
        "clipping of gradients of one shape alone",
        "input x[9]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer sgd(0.1) |> own\nfunction own(g[i, j]) = g[i, j] / 2",
    ),
    ("no optimizer, and clipping of it", "input x[9]\ny = x |> dense(2)\nloss sum(i: y[i])\noptimizer none |> clip_norm(1)"),
    ("a layer and a parameter of one name", "input x[3]\nparam w[i: 2] ~ 0\ny = w * (x |> dense(2) as w)\nloss sum(i: y[i])"),
    (
        "a layer and noise of one name",
        "input x[3]\nnoise m[i: 2] ~ normal(0, 1)\ny = m * (x |> dense(2) as m)\nloss sum(i: y[i])",
    ),
    ("a probability of dropping above 1", "input x[3]\ny = x |> dense(2) |> dropout(1.2)\nloss sum(i: y[i])"),
    ("a slope above the subdifferential", "input x[3]\ny = x |> dense(2) |> relu(0, 1.5)\nloss sum(i: y[i])"),
    ("a slope below the subdifferential", "input x[3]\ny = x |> dense(2) |> relu(slope_at_kink = -0.1)\nloss sum(i: y[i])"),
    (
        "an index that two layers' outputs disagree on",
        "input x[3]\na = x |> dense(2)\nb = x |> dense(4)\ny[i] = a[i] * b[i]\nloss sum(i: y[i])",
    ),
];

fn messages(spec: &str) -> String {
    match pipeline::build("net.spec", spec) {
        Ok((_, diagnostics)) | Err(diagnostics) => diagnostics.render(),
    }
}

#[test]
fn each_mistake_has_a_message_at_its_place() {
    let mut all = String::new();
    for (mistake, spec) in MISTAKES {
        let messages = messages(spec);
        assert!(!messages.is_empty(), "nothing is said about {mistake}");
        all.push_str(&format!("# {mistake}\n\n{messages}\n"));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_mistake_and_nothing_but_a_mistake_leaves_no_model() {
    for (mistake, spec) in MISTAKES {
        if let Ok((_, diagnostics)) = pipeline::build("net.spec", spec) {
            let errors = diagnostics.messages.iter().filter(|message| message.severity == Severity::Error).count();
            assert_eq!(errors, 0, "{mistake}: a model, and errors");
        }
    }
}

/// A spec with some of its words left out, doubled or put in another's place.
fn mutated(words: &[String], seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut draw = |below: usize| {
        // Marsaglia's xorshift (2003).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % below
    };
    let mut words = words.to_vec();
    for _ in 0..1 + draw(3) {
        let (at, other) = (draw(words.len()), draw(words.len()));
        match draw(4) {
            0 => words[at].clear(),
            1 => words[at] = words[other].clone(),
            2 => words.swap(at, other),
            _ => words[at] = ["0", "-1", "x", "[", "]", "(i: ", "..", "1.5", "w", "k", "|> softmax", "\n"][draw(12)].to_owned(),
        }
    }
    words.concat()
}

/// The text in pieces: names and numbers, and each other character by itself.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    for character in text.chars() {
        let is_name = character.is_alphanumeric() || character == '_';
        let last_is_name =
            words.last().and_then(|word| word.chars().last()).is_some_and(|last| last.is_alphanumeric() || last == '_');
        if is_name && last_is_name {
            words.last_mut().expect("there is one").push(character);
        } else {
            words.push(character.to_string());
        }
    }
    words
}

#[test]
fn no_mutation_of_a_spec_makes_the_compiler_panic() {
    for name in ["digits", "circuit", "neuron", "autoencoder", "definitions", "expressions", "sequence", "affine", "recurrences"]
    {
        let text = std::fs::read_to_string(format!("tests/specs/{name}.spec")).expect("the fixture is in the repository");
        let words = words(&text);
        for seed in 1..=400 {
            let spec = mutated(&words, seed);
            let outcome =
                std::panic::catch_unwind(|| pipeline::compile("net.spec", &spec).map_err(|diagnostics| diagnostics.render()));
            assert!(outcome.is_ok(), "a panic on\n{spec}");
        }
    }
}
