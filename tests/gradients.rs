//! Gradients of the generic engine against central differences in `f64`.
#![cfg(feature = "generic")]

mod common;

use common::derivation;
use common::specs::{OPTIMIZERS, Spec, activations_with_losses, net, regularizers, shapes_of_nets};
use deltarule_compiler::generic::{Engine, Values, check_gradients};
use ndarray::{ArrayD, array};

/// Fails with every tensor of every spec whose gradient is not that of its objective.
fn all_agree(specs: Vec<Spec>) {
    let mut complaints = String::new();
    for Spec { name, text } in &specs {
        let derivation = derivation(name, text);
        for seed in [1, 2] {
            match check_gradients(&derivation, seed) {
                Ok(report) if report.passes() && report.checks.iter().any(|check| check.compared > 0) => {}
                Ok(report) => complaints += &format!("{name}, seed {seed}:\n{report}"),
                Err(error) => complaints += &format!("{name}, seed {seed}: {error}\n"),
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}

#[test]
fn every_activation_agrees_with_every_loss_it_goes_with() {
    all_agree(activations_with_losses());
}

#[test]
fn every_regularizer_is_in_the_gradient() {
    all_agree(regularizers());
}

#[test]
fn nets_that_are_no_chain_agree() {
    all_agree(shapes_of_nets());
}

#[test]
fn the_optimizer_does_not_change_the_gradient() {
    let specs = OPTIMIZERS.iter().map(|optimizer| {
        let Spec { name, text } = net("relu", "softmax", "cross_entropy(y, t)", "t: class[4]");
        Spec { name: format!("{name}, {optimizer}"), text: text.replace("sgd(0.1)", optimizer) }
    });
    all_agree(specs.collect());
}

/// Loss and gradient of `x w` with one example, `w` such that the logits are 1000 and -1000.
fn at_extreme_logits<T: deltarule_compiler::generic::Scalar>(
    activation: &str,
    loss: &str,
    target: Values<f64>,
) -> (f64, Vec<f64>) {
    let is_label = matches!(target, Values::Labels(_));
    let target_text = if is_label { "t: class[2]" } else { "t[2]" };
    let text = format!(
        "input x[1]\ntarget {target_text}\ny = x |> dense(2, bias = false) |> {activation}\nloss {loss}\noptimizer sgd(0.1)\n"
    );
    let derivation = derivation(loss, &text);
    let engine = Engine::<T>::new(&derivation).expect("the engine takes the net");
    let to = |array: ArrayD<f64>| array.mapv(T::from_f64);
    let target = match target {
        Values::Numbers(numbers) => Values::Numbers(to(numbers)),
        Values::Labels(labels) => Values::Labels(labels),
    };
    let batch = engine.batch([("x", to(array![[1.0]].into_dyn()).into()), ("t", target)]).expect("the data fits");
    let parameters = engine.parameters([("dense1.w", to(array![[1000.0, -1000.0]].into_dyn()))]).expect("they fit");
    let gradient = engine.gradient(&parameters, &batch).expect("the net runs");
    let forward = engine.forward(&parameters, &batch).expect("the net runs");
    assert_eq!(forward.loss.iter().map(|loss| loss.into_f64()).collect::<Vec<_>>(), [gradient.loss.into_f64()]);
    (gradient.loss.into_f64(), gradient.gradient.to_vec().into_iter().map(|slope| slope.into_f64()).collect())
}

#[test]
fn losses_and_gradients_are_finite_and_right_at_logits_of_a_thousand() {
    let numbers = |first: f64, second: f64| Values::Numbers(array![[first, second]].into_dyn());
    // Activation, loss, target, the loss there, and its derivative by the two logits.
    let cases = [
        ("softmax", "cross_entropy(y, t)", numbers(0.25, 0.75), 1500.0, [0.75, -0.75]),
        ("softmax", "cross_entropy(y, t)", Values::labels([0]), 0.0, [0.0, 0.0]),
        ("softmax", "cross_entropy(y, t)", Values::labels([1]), 2000.0, [1.0, -1.0]),
        ("log_softmax", "-sum(k: t[k] * y[k])", Values::labels([1]), 2000.0, [1.0, -1.0]),
        ("sigmoid", "binary_cross_entropy(y, t)", numbers(0.0, 1.0), 2000.0, [1.0, -1.0]),
        ("sigmoid", "binary_cross_entropy(y, t)", numbers(1.0, 0.0), 0.0, [0.0, 0.0]),
        ("sigmoid", "weighted_binary_cross_entropy(y, t, 3, 2)", numbers(0.0, 1.0), 5000.0, [2.0, -3.0]),
        ("softplus", "squared_error(y, t)", numbers(0.0, 0.0), 500_000.0, [1000.0, 0.0]),
        ("softmax", "squared_error(y, t)", numbers(0.0, 1.0), 1.0, [0.0, 0.0]),
        ("swish", "squared_error(y, t)", numbers(0.0, 0.0), 500_000.0, [1000.0, 0.0]),
        ("elu", "squared_error(y, t)", numbers(1000.0, 0.0), 0.5, [0.0, 0.0]),
        ("tanh", "squared_error(y, t)", numbers(0.0, 0.0), 1.0, [0.0, 0.0]),
    ];
    for (activation, loss, target, expected, slopes) in cases {
        for (scalar, (found, gradient)) in [
            ("f64", at_extreme_logits::<f64>(activation, loss, target.clone())),
            ("f32", at_extreme_logits::<f32>(activation, loss, target.clone())),
        ] {
            let what = format!("{activation}, {loss}, {target:?} in {scalar}");
            assert!((found - expected).abs() <= 1e-5 * expected.max(1e-30), "{what}: a loss of {found}, not {expected}");
            for (found, expected) in gradient.iter().zip(slopes) {
                assert!((found - expected).abs() <= 1e-5 * expected.abs(), "{what}: a slope of {found}, not {expected}");
            }
        }
    }
}
