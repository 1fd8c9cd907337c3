//! Derivations are right line by line, in the forms that a lecture writes, and cost little however deep the network.
#![allow(missing_docs)]

use deltarule_compiler::audit::audit;
use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::pipeline::compile;

fn derive(spec: &str) -> Derivation {
    compile("net.spec", spec).unwrap_or_else(|messages| panic!("{}\n{spec}", messages.render())).derivation
}

/// Fails where a step of the derivation changes a value; gives the number of equalities that were checked.
fn assert_every_line_holds(spec: &str) -> usize {
    let derivation = derive(spec);
    let mut checked = 0;
    for seed in 1..4 {
        let report = audit(&derivation, seed);
        checked += report.checked;
        if let Some(wrong) = report.discrepancies.first() {
            panic!("{wrong}\n{spec}");
        }
    }
    checked
}

const ACTIVATIONS: &[&str] = &[
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "relu(0.3)",
    "relu(0, 0.5)",
    "relu(0, 1)",
    "leaky_relu",
    "leaky_relu(1)",
    "elu",
    "elu(0.3)",
    "selu",
    "softplus",
    "softsign",
    "swish",
    "swish(1.7)",
    "gelu",
    "hard_sigmoid",
    "step",
    "step(0.2)",
    "softmax",
    "log_softmax",
];

const LOSSES: &[&str] = &[
    "squared_error(y, t)",
    "absolute_error(y, t)",
    "huber(y, t)",
    "huber(y, t, 0.3)",
    "binary_cross_entropy(y, t)",
    "weighted_binary_cross_entropy(y, t, 2, 0.7)",
    "cross_entropy(y, t)",
    "hinge(y, t)",
    "kl_divergence(y, t)",
];

#[test]
fn every_line_holds_for_every_activation_with_every_loss() {
    for activation in ACTIVATIONS {
        for loss in LOSSES {
            let spec = format!(
                "input x[3]\ntarget t[4]\ny = x |> dense(4) |> {activation}\nloss {loss}\nregularizer elastic_net(0.1, 0.2) / m\n"
            );
            assert_every_line_holds(&spec);
        }
    }
}

#[test]
fn every_line_holds_where_values_are_used_twice() {
    let checked = assert_every_line_holds(
        "input x[3], z[3]\ntarget t: class[4]\nparam a[i: 3, k: 2] ~ glorot\nparam b[k: 2, j: 3] ~ glorot\n\
         p[j] = sum(i, k: a[i, k] * b[k, j] * x[i] * z[j])\nq = tanh(p) + p * sigmoid(x)\n\
         r[i, j] = q[i] * max(k: p[k] * q[j])\nu[i] = product(j: 1 + r[i, j] / 4) - min(j: r[j, i])\n\
         y = u |> dense(4) |> softmax\nloss cross_entropy(y, t)\nloss squared_error(q, z) / 7\n",
    );
    assert!(checked > 60, "only {checked} equalities were checked");
}

/// The equations of the backward pass that are computed, as text, by the name of the adjoint.
fn computed_adjoint(derivation: &Derivation, name: &str) -> String {
    let context = &derivation.model.context;
    let adjoint = derivation.backward.iter().find(|adjoint| context.tensor(adjoint.equation.target).name == name);
    let adjoint = adjoint.unwrap_or_else(|| panic!("no adjoint is called {name}"));
    assert!(adjoint.is_computed, "{name} was merged away");
    context.equation_text(&adjoint.equation)
}

#[test]
fn losses_on_matching_activations_give_y_minus_t() {
    for (activation, loss, target, expected) in [
        ("sigmoid", "binary_cross_entropy", "t[4]", "y[j] - t[j]"),
        ("softmax", "cross_entropy", "t: class[4]", "y[j] - t[j]"),
        ("softmax", "cross_entropy", "t[4]", "y[j] * sum(k: t[k]) - t[j]"),
    ] {
        let derivation = derive(&format!(
            "input x[3]\ntarget {target}\ny = x |> dense(4) |> {activation}\nloss {loss}(y, t)\noptimizer sgd(0.1)\n"
        ));
        assert_eq!(computed_adjoint(&derivation, "ddense1.s"), format!("ddense1.s[j] = {expected}"));
    }
}

#[test]
fn a_distribution_as_target_gives_y_minus_t_under_a_condition() {
    let derivation = derive("input x[3]\ntarget t[4]\ny = x |> dense(4) |> softmax\nloss cross_entropy(y, t)\n");
    let context = &derivation.model.context;
    let special: Vec<_> = derivation.backward.iter().filter_map(|adjoint| adjoint.record.special_case.as_ref()).collect();
    let [special] = special[..] else { panic!("{} special cases", special.len()) };
    assert_eq!(context.expression_text(special.value), "y[j] - t[j]");
    assert!(special.condition.is_some(), "the form without its condition would be wrong for targets that do not sum to 1");
}

#[test]
fn a_users_own_activation_is_derived_in_terms_of_its_output() {
    let derivation = derive(
        "function squash(s) = 3 / (2 + exp(-2 * s)) - 1\ninput x[3]\ntarget t[4]\ny = x |> dense(4) |> squash\n\
         loss squared_error(y, t)\noptimizer sgd(0.1)\n",
    );
    let text = computed_adjoint(&derivation, "ddense1.s");
    assert!(!text.contains("exp"), "the output would do in place of an exponential: {text}");
}

#[test]
fn frozen_parameters_have_no_adjoint_and_nothing_that_only_they_need() {
    let derivation = derive(
        "input x[3]\ntarget t[2]\nh = x |> dense(4) |> tanh\ny = h |> dense(2)\nloss squared_error(y, t)\n\
         optimizer sgd(0.1)\noptimizer none on dense1.w, dense1.b\n",
    );
    let context = &derivation.model.context;
    let names: Vec<_> = derivation.backward.iter().map(|adjoint| context.tensor(adjoint.equation.target).name.as_str()).collect();
    assert_eq!(names, ["dy", "ddense2.w", "ddense2.b"]);
}

#[test]
fn a_thousand_layers_are_derived_with_as_many_steps_for_each_as_ten() {
    let steps_per_layer = |layers: usize| {
        let mut spec = "input x[4]\ntarget t[4]\nh0 = x |> dense(4) |> tanh\n".to_owned();
        for layer in 1..layers {
            spec += &format!("h{layer} = h{} |> dense(4) |> tanh\n", layer - 1);
        }
        let derivation = derive(&format!("{spec}loss squared_error(h{}, t)\noptimizer sgd(0.1)\n", layers - 1));
        let steps: usize = derivation.backward.iter().map(|adjoint| adjoint.record.steps.len()).sum();
        steps / layers
    };
    assert_eq!(steps_per_layer(1000), steps_per_layer(10));
}
