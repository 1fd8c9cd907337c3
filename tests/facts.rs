//! Facts about networks: each is found where it holds, and not where it does not.

use deltarule_compiler::facts::{Fact, FactKind, facts};
use deltarule_compiler::pipeline::compile;

fn all(text: &str) -> Vec<Fact> {
    let compiled = compile("net.spec", text).unwrap_or_else(|messages| panic!("{}", messages.render()));
    facts(&compiled.derivation)
}

fn of(kind: FactKind, text: &str) -> Vec<Fact> {
    all(text).into_iter().filter(|fact| fact.kind == kind).collect()
}

/// The only fact of a kind.
fn only(kind: FactKind, text: &str) -> Fact {
    let mut found = of(kind, text);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

fn net(layers: &str, loss: &str) -> String {
    format!("input x[4]\ntarget t[2]\ny = x |> {layers}\nloss {loss}(y, t)\noptimizer sgd(0.1)")
}

#[test]
fn a_chain_of_sigmoids_bounds_the_gradient_by_a_quarter_each() {
    let deep = net(&format!("{}dense(2)", "dense(3) |> sigmoid |> ".repeat(6)), "squared_error");
    let fact = only(FactKind::Vanishing, &deep);
    assert!(fact.is_mistake && fact.what.contains("(1/4)^6"), "{}", fact.what);
    assert!(fact.what.contains("`dense2.w`") && !fact.what.contains("weights on the way, `dense1.w`"), "{}", fact.what);
    let shallow = only(FactKind::Vanishing, &net("dense(3) |> sigmoid |> dense(2)", "squared_error"));
    assert!(!shallow.is_mistake && shallow.what.contains("the factor 1/4 at most"), "{}", shallow.what);
}

#[test]
fn a_function_of_ones_own_is_bounded_as_well() {
    let own = "function mine(s) = 1 / (1 + exp(-2 * s))\n".to_owned() + &net("dense(3) |> mine |> dense(2)", "squared_error");
    let fact = only(FactKind::Vanishing, &own);
    assert!(fact.what.contains("1/2"), "{}", fact.what);
}

#[test]
fn a_sigmoid_that_is_merged_with_the_loss_does_not_count() {
    assert_eq!(of(FactKind::Vanishing, &net("dense(2) |> sigmoid", "binary_cross_entropy")), []);
    assert_eq!(of(FactKind::Vanishing, &net("dense(3) |> tanh |> dense(2)", "squared_error")), []);
    assert_eq!(of(FactKind::Vanishing, &net("dense(3) |> relu |> dense(2)", "squared_error")), []);
}

#[test]
fn constant_weights_on_both_sides_leave_units_identical() {
    let zero = |first: &str, second: &str| {
        format!(
            "input x[4]\ntarget t[2]\nparam w[i: 4, j: 3] ~ {first}\nparam v[j: 3, k: 2] ~ {second}\nh[j] = tanh(sum(i: w[i, j] * x[i]))\n\
             y[k] = sum(j: v[j, k] * h[j])\nloss squared_error(y, t)\noptimizer sgd(0.1)"
        )
    };
    let fact = only(FactKind::Symmetry, &zero("0", "0.5"));
    assert!(fact.is_mistake && fact.what.contains("the 3 units of `h`"), "{}", fact.what);
    assert!(fact.reason.contains("`w`, `v`"), "{}", fact.reason);
    assert_eq!(of(FactKind::Symmetry, &zero("0", "glorot")), []);
    assert_eq!(of(FactKind::Symmetry, &zero("glorot", "0")), []);
}

#[test]
fn units_that_are_numbered_are_not_taken_for_identical() {
    let numbered = "input x[4]\ntarget t\nparam w[i: 4, j: 3] ~ 0\nparam v[j: 3] ~ 1\nh[j] = sum(i: w[i, j] * x[i]) + j\n\
                    y = sum(j: v[j] * h[j])\nloss squared_error(y, t)\noptimizer sgd(0.1)";
    assert_eq!(of(FactKind::Symmetry, numbered), []);
}

#[test]
fn a_logarithm_of_a_rectifier_is_undefined() {
    let labels = |last: &str| {
        format!("input x[4]\ntarget t: class[3]\ny = x |> dense(3) |> {last}\nloss cross_entropy(y, t)\noptimizer sgd(0.1)")
    };
    let fact = only(FactKind::Logarithm, &labels("relu"));
    assert!(fact.is_mistake && fact.what.contains("infinite where `y[j]` is 0"), "{}", fact.what);
    assert!(fact.reason.contains("`y` may be 0 and all above"), "{}", fact.reason);
    assert_eq!(of(FactKind::Logarithm, &labels("softmax")), []);
    assert_eq!(of(FactKind::Logarithm, &labels("softplus")), []);
    assert!(only(FactKind::Logarithm, &labels("tanh")).what.contains("0 or negative"));
    assert_eq!(of(FactKind::Logarithm, &net("dense(2) |> sigmoid", "binary_cross_entropy")), []);
    assert_eq!(of(FactKind::Logarithm, &net("dense(2) |> softmax", "binary_cross_entropy")), []);
    assert_eq!(of(FactKind::Logarithm, &net("dense(2) |> softmax", "kl_divergence")), []);
    assert_eq!(of(FactKind::Logarithm, &net("dense(2) |> relu", "binary_cross_entropy")).len(), 2, "of y and of 1 - y");
}

#[test]
fn leaky_relu_with_slope_1_collapses_and_it_is_said_to_what() {
    let fact = only(FactKind::Collapse, &net("dense(3) |> leaky_relu(1) |> dense(2)", "squared_error"));
    assert!(fact.is_mistake && fact.what.ends_with("together one linear layer"), "{}", fact.what);
    assert_eq!(fact.formulas.len(), 2, "{:?}", fact.formulas);
    assert!(fact.formulas[0].starts_with("W[i, j] = sum("), "{}", fact.formulas[0]);
    assert!(fact.formulas[0].contains("dense1.w[i, ") && fact.formulas[0].contains("dense2.w["), "{}", fact.formulas[0]);
    assert!(fact.formulas[1].contains("dense2.b[j]"), "{}", fact.formulas[1]);
    assert_eq!(of(FactKind::Collapse, &net("dense(3) |> leaky_relu(0.5) |> dense(2)", "squared_error")), []);
    assert_eq!(of(FactKind::Collapse, &net("dense(3) |> tanh |> dense(2)", "squared_error")), []);
    let narrow = only(FactKind::Collapse, &net("dense(1) |> dense(2)", "squared_error"));
    assert!(!narrow.is_mistake && narrow.what.contains("rank 1 at most"), "a narrow layer may be meant: {}", narrow.what);
}

#[test]
fn schedules_are_held_against_both_sums() {
    let rate = |rate: &str| {
        let text = format!("input x[4]\ntarget t[2]\ny = x |> dense(2)\nloss squared_error(y, t)\noptimizer {rate}");
        only(FactKind::Schedule, &text).what
    };
    let both = "satisfies sum eta = inf and sum eta^2 < inf";
    let noisy = "sum eta^2 is infinite too";
    let short = "sum eta = inf fails";
    for (schedule, expected) in [
        ("sgd(0.1)", noisy),
        ("sgd(0.1 / k)", both),
        ("sgd(0.1 / sqrt(k))", noisy),
        ("sgd(0.1 / k^0.6)", both),
        ("sgd(0.1 / k^2)", short),
        ("sgd(0.1 / (k * ln(k + 1)))", both),
        ("sgd(inverse_time(0.1, 0.01))", both),
        ("sgd(exponential_decay(0.1, 0.01))", short),
        ("sgd(step_decay(0.1, 0.5, every = 200))", short),
        ("sgd(cosine_decay(0.1, 100))", short),
        ("sgd(warmup(0.1, 100))", noisy),
        ("sgd(lerp(0.1, 0.001, min(k / 1000, 1)))", noisy),
        ("momentum(0.1 / k)", both),
        ("nesterov(0.1)", noisy),
        ("adam(0.1 / k)", both),
        ("adagrad(0.1)", noisy),
    ] {
        let what = rate(schedule);
        assert!(what.contains(expected), "{schedule}: {what}");
    }
}

#[test]
fn parameters_that_no_gradient_reaches_are_named() {
    let aside = "input x[4]\ntarget t[2]\ny = x |> dense(2)\nz = x |> dense(3)\nloss squared_error(y, t)\noptimizer sgd(0.1)";
    let found = of(FactKind::Unreached, aside);
    let names: Vec<bool> =
        ["`dense2.w`", "`dense2.b`"].iter().map(|name| found.iter().any(|fact| fact.what.contains(name))).collect();
    assert_eq!((names, found.len()), (vec![true, true], 2), "{found:#?}");
    assert!(found[0].reason.contains("does not depend"), "{}", found[0].reason);
    let stepped = of(FactKind::Unreached, &net("dense(3) |> step |> dense(2)", "squared_error"));
    assert_eq!(stepped.len(), 2, "{stepped:#?}");
    assert!(stepped[0].reason.contains("slope is 0"), "{}", stepped[0].reason);
    assert_eq!(of(FactKind::Unreached, &net("dense(3) |> relu |> dense(2)", "squared_error")), []);
}

#[test]
fn each_activation_is_said_to_be_continuous_or_not() {
    let said = |activation: &str| {
        let fact = only(FactKind::Activation, &net(&format!("dense(3) |> {activation} |> dense(2)"), "squared_error"));
        format!("{}; {}", fact.what, fact.reason)
    };
    for (activation, expected) in [
        ("relu", "continuous, but not differentiable at s = 0"),
        ("relu", "the slopes 0 and 1; the derivation takes 0"),
        ("relu(0.5)", "not differentiable at s = 0.5"),
        ("leaky_relu(0.2)", "the slopes 0.2 and 1"),
        ("elu", "continuous and differentiable everywhere"),
        ("elu(0.5)", "the slopes 0.5 and 1"),
        ("step", "not continuous at s = 0"),
        ("sigmoid", "differentiable everywhere"),
        ("sigmoid", "at most 1/4 in absolute value"),
        ("tanh", "at most 1 in absolute value"),
        ("softsign", "differentiable everywhere"),
        ("softplus", "differentiable everywhere"),
        ("gelu", "differentiable everywhere"),
        ("hard_sigmoid", "at most 1/6 in absolute value"),
    ] {
        let said = said(activation);
        assert!(said.contains(expected), "{activation}: {said}");
    }
}
