//! What `regularizer` lines add, to which parameters, and how shared parameters are counted.
#![cfg(feature = "generic")]

mod common;

use common::{derivation, numbers};
use deltarule_compiler::generic::{Engine, Parameters};
use ndarray::ArrayD;

const EXAMPLES: usize = 4;
const NET: &str =
    "input x[3]\ntarget t[2]\ny = x |> dense(4) |> tanh |> dense(2)\nloss squared_error(y, t)\noptimizer sgd(0.1)\n";

/// The objective and the gradient of a spec with inputs `x[3]` and targets `t[2]`, at its initial parameters.
fn gradient(text: &str) -> (f64, Parameters<f64>, Parameters<f64>) {
    let engine = Engine::<f64>::new(&derivation("regularized", text)).expect("the engine takes the net");
    let (x, t) = (numbers(&[EXAMPLES, 3], 1.0), numbers(&[EXAMPLES, 2], 50.0));
    let batch = engine.batch([("x", x.into()), ("t", t.into())]).expect("the data fits");
    let parameters = engine.initialize(3);
    let gradient = engine.gradient(&parameters, &batch).expect("the net runs");
    (gradient.objective, gradient.gradient, parameters)
}

/// A parameter: its name, what is added to the gradient by it, and its value.
type Added = (String, ArrayD<f64>, ArrayD<f64>);

/// What lines add to the objective, and to the gradient by each parameter.
fn added(lines: &str) -> (f64, Vec<Added>) {
    let (plain, regularized) = (gradient(NET), gradient(&format!("{NET}{lines}\n")));
    let differences = plain.1.iter().zip(regularized.1.iter()).zip(plain.2.iter()).map(|((plain, regularized), parameter)| {
        (plain.name.clone(), &regularized.values - &plain.values, parameter.values.clone())
    });
    (regularized.0 - plain.0, differences.collect())
}

/// Checks that lines add `a w` to the gradients of these parameters, and nothing to others.
fn assert_adds(lines: &str, wanted: &[(&str, f64)]) {
    let (objective, gradients) = added(lines);
    let mut expected_objective = 0.0;
    for (name, added, w) in gradients {
        let a = wanted.iter().find(|wanted| wanted.0 == name).map_or(0.0, |wanted| wanted.1);
        expected_objective += a / 2.0 * w.mapv(|w| w * w).sum();
        let off = (&added - &(&w * a)).mapv(f64::abs).sum();
        assert!(off < 1e-13, "{lines}: {added} is added to the gradient by {name}, not {a} times {w}");
    }
    assert!((objective - expected_objective).abs() < 1e-13, "{lines}: {objective} is added, not {expected_objective}");
}

#[test]
fn a_line_without_names_is_for_every_weight_and_no_bias() {
    assert_adds("regularizer l2(0.3)", &[("dense1.w", 0.3), ("dense2.w", 0.3)]);
}

#[test]
fn a_line_with_names_is_for_these_alone() {
    assert_adds("regularizer l2(0.3) on dense1.w", &[("dense1.w", 0.3)]);
    assert_adds("regularizer l2(0.3) on dense2.b, dense1.w", &[("dense1.w", 0.3), ("dense2.b", 0.3)]);
}

#[test]
fn a_parameter_that_two_lines_name_gets_both() {
    assert_adds("regularizer l2(0.3)\nregularizer l2(0.2) on dense1.w", &[("dense1.w", 0.5), ("dense2.w", 0.3)]);
}

#[test]
fn m_is_the_size_of_the_minibatch() {
    let share = 0.3 / EXAMPLES as f64;
    assert_adds("regularizer l2(0.3) / m", &[("dense1.w", share), ("dense2.w", share)]);
    assert_adds("regularizer 0.3 / 2 / m * sum(i, j: dense1.w[i, j]^2)", &[("dense1.w", share)]);
}

#[test]
fn a_parameter_used_twice_is_regularized_once_and_has_the_sum_of_both_slopes() {
    let net = |declared: &str, first: &str, second: &str| {
        format!(
            "input x[3]\ntarget t[2]\n{declared}h[j] = tanh(sum(i: {first}[i, j] * x[i]))\nq[j] = sum(i: {second}[i, j] * h[i])\n\
             y = q |> last(2)\nlayer last(x[i], n) -> s[j: n] {{\n    param v[i, j] ~ 0.3\n    s[j] = sum(i: v[i, j] * x[i])\n}}\n\
             loss squared_error(y, t)\nregularizer l2(0.2)\noptimizer sgd(0.1)\n"
        )
    };
    let (_, shared, _) = gradient(&net("param w[i: 3, j: 3] ~ 0.4\n", "w", "w"));
    let (_, apart, parameters) = gradient(&net("param w[i: 3, j: 3] ~ 0.4\nparam u[i: 3, j: 3] ~ 0.4\n", "w", "u"));
    let penalty = parameters.get("w").expect("it is there") * 0.2;
    let sum = apart.get("w").expect("it is there") + apart.get("u").expect("it is there") - &penalty;
    let off = (shared.get("w").expect("it is there") - &sum).mapv(f64::abs).sum();
    assert!(off < 1e-14, "{shared:?} is not {sum}");
    assert!(penalty.sum() > 0.1, "counted twice it would show");
}
