//! What `eval` writes, against values worked out here.

use crate::workspace::{SPEC, Workspace, tiny_data, tiny_parameters};
use deltarule_compiler::files::tensors::Values;

/// The net of [`SPEC`] with its parameters and data, worked out directly: outputs, losses, objective and gradients of weights and biases.
pub(crate) struct Expected {
    pub(crate) outputs: Vec<f64>,
    pub(crate) losses: Vec<f64>,
    pub(crate) objective: f64,
    pub(crate) weights: Vec<f64>,
    pub(crate) biases: Vec<f64>,
}

impl Expected {
    pub(crate) fn of(weights: &[f64], biases: &[f64]) -> Expected {
        let (inputs, labels) = ([[1.0, 2.0], [-1.0, 0.5]], [2, 0]);
        let mut expected =
            Expected { outputs: vec![], losses: vec![], objective: 0.0, weights: vec![0.0; 6], biases: vec![0.0; 3] };
        for (input, label) in inputs.iter().zip(labels) {
            let sum = |j: usize| (0..2).map(|i| weights[3 * i + j] * input[i]).sum::<f64>() + biases[j];
            let total: f64 = (0..3).map(|j| sum(j).exp()).sum();
            for j in 0..3 {
                let probability = sum(j).exp() / total;
                let error = (probability - f64::from(u8::from(j == label))) / 2.0;
                expected.outputs.push(probability);
                expected.biases[j] += error;
                (0..2).for_each(|i| expected.weights[3 * i + j] += error * input[i]);
            }
            expected.losses.push(total.ln() - sum(label));
        }
        let squares: f64 = weights.iter().map(|weight| weight * weight).sum();
        expected.objective = expected.losses.iter().sum::<f64>() / 2.0 + 0.005 * squares;
        expected.weights.iter_mut().zip(weights).for_each(|(gradient, weight)| *gradient += 0.01 * weight);
        expected
    }

    pub(crate) fn check(&self, workspace: &Workspace, file: &str, tolerance: f64) {
        let objective = [self.objective];
        for (name, expected) in [
            ("output.y", &self.outputs[..]),
            ("loss", &self.losses),
            ("objective", &objective),
            ("gradient.dense1.w", &self.weights),
            ("gradient.dense1.b", &self.biases),
        ] {
            let found = workspace.tensor(file, name);
            let close = |(a, b): (&f64, &f64)| (a - b).abs() <= tolerance;
            assert!(
                found.len() == expected.len() && found.iter().zip(expected).all(close),
                "{name}: {found:?}, not {expected:?}"
            );
        }
    }
}

pub(crate) fn tiny() -> (Workspace, Vec<f64>, Vec<f64>) {
    let workspace = Workspace::new(SPEC);
    workspace.write_tensors("p.safetensors", &tiny_parameters());
    workspace.write_tensors("d.safetensors", &tiny_data());
    let [(_, _, weights), (_, _, biases)] = &tiny_parameters()[..] else { unreachable!("two parameters") };
    (workspace, weights.to_f64(), biases.to_f64())
}

pub(crate) const EVAL: [&str; 8] =
    ["eval", "net.spec", "--params", "p.safetensors", "--data", "d.safetensors", "-o", "out.safetensors"];

#[test]
fn outputs_losses_objective_and_gradients_are_those_of_the_mathematics() {
    let (workspace, weights, biases) = tiny();
    workspace.succeed(&[&EVAL[..], &["--scalar", "f64"]].concat());
    Expected::of(&weights, &biases).check(&workspace, "out.safetensors", 1e-14);
    workspace.succeed(&EVAL);
    Expected::of(&weights, &biases).check(&workspace, "out.safetensors", 1e-6);
}

#[test]
fn steps_update_with_all_examples_at_once() {
    let (workspace, mut weights, mut biases) = tiny();
    workspace.succeed(&[&EVAL[..], &["--scalar", "f64", "--steps", "3"]].concat());
    for _ in 0..3 {
        let expected = Expected::of(&weights, &biases);
        weights.iter_mut().zip(&expected.weights).for_each(|(weight, gradient)| *weight -= 0.1 * gradient);
        biases.iter_mut().zip(&expected.biases).for_each(|(bias, gradient)| *bias -= 0.1 * gradient);
    }
    for (name, expected) in [("updated.dense1.w", &weights), ("updated.dense1.b", &biases)] {
        let found = workspace.tensor("out.safetensors", name);
        let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-14;
        assert!(found.iter().zip(expected).all(close), "{name}: {found:?}, not {expected:?}");
    }
}

/// `f = (x + y) z` at two points.
pub(crate) fn circuit() -> Workspace {
    let workspace = Workspace::new("network Circuit\ninput x, y, z\nq = x + y\nf = q * z\nobjective f by x, y, z\n");
    let values = |a, b| Values::F64(vec![a, b]);
    workspace.write_tensors(
        "d.safetensors",
        &[("x", &[2], values(-2.0, 1.0)), ("y", &[2], values(5.0, 1.0)), ("z", &[2], values(-4.0, 3.0))],
    );
    workspace
}

pub(crate) fn check_circuit(workspace: &Workspace) {
    for (name, expected) in [
        ("output.f", &[-12.0, 6.0][..]),
        ("objective", &[-3.0]),
        ("gradient.x", &[-4.0, 3.0]),
        ("gradient.y", &[-4.0, 3.0]),
        ("gradient.z", &[3.0, 2.0]),
    ] {
        assert_eq!(workspace.tensor("out.safetensors", name), expected, "{name}");
    }
}

#[test]
fn an_objective_by_inputs_gives_each_example_its_own_derivatives_and_needs_no_parameters() {
    let workspace = circuit();
    workspace.succeed(&["eval", "net.spec", "--data", "d.safetensors", "-o", "out.safetensors"]);
    check_circuit(&workspace);
}

#[test]
fn a_frozen_parameter_has_no_gradient_and_keeps_its_value() {
    let (workspace, ..) = tiny();
    workspace.write("net.spec", format!("{SPEC}optimizer none on dense1.w\n"));
    let listing = workspace.succeed(&[&EVAL[..], &["--steps", "2", "--json", "--scalar", "f64"]].concat());
    assert!(listing.contains("gradient.dense1.b") && !listing.contains("gradient.dense1.w"), "{listing}");
    assert_eq!(workspace.tensor("out.safetensors", "updated.dense1.w"), workspace.tensor("p.safetensors", "dense1.w"));
    assert_ne!(workspace.tensor("out.safetensors", "updated.dense1.b"), workspace.tensor("p.safetensors", "dense1.b"));
}

#[test]
fn logits_far_out_give_finite_losses_and_gradients() {
    let (workspace, ..) = tiny();
    workspace.write_tensors("d.safetensors", &[("x", &[2, 2], Values::F64(vec![1e3, -1e3, -1e3, 1e3])), tiny_data()[1].clone()]);
    workspace.succeed(&EVAL);
    for name in ["loss", "objective", "gradient.dense1.w"] {
        assert!(workspace.tensor("out.safetensors", name).iter().all(|value| value.is_finite()), "{name}");
    }
}

#[test]
fn steps_without_an_optimizer_are_refused() {
    let (workspace, ..) = tiny();
    workspace.write("net.spec", SPEC.replace("optimizer sgd(rate = 0.1)\n", ""));
    let refused = workspace.run(&[&EVAL[..], &["--steps", "2"]].concat());
    assert!(refused.code == 1 && refused.stderr.contains("no optimizer to update by"), "{}", refused.stderr);
}

#[test]
fn noise_is_data_of_the_generic_engine_and_else_has_its_mean() {
    let spec =
        "input x[2]\ntarget t[2]\nparam w[i: 2] ~ 1\nh[i] = w[i] * x[i]\ny = h |> dropout(0.5)\nloss squared_error(y, t)\n";
    let workspace = Workspace::new(spec);
    workspace.write_tensors("p.safetensors", &[("w", &[2], Values::F64(vec![3.0, 5.0]))]);
    let data = |name, values: [f64; 4]| -> (&str, &[usize], Values) { (name, &[2, 2], Values::F64(values.to_vec())) };
    let (x, t) = (data("x", [1.0, 2.0, -1.0, 0.5]), data("t", [0.0, 1.0, 0.0, 0.0]));
    workspace.write_tensors("d.safetensors", &[x.clone(), t.clone()]);
    workspace.succeed(&[&EVAL[..], &["--scalar", "f64"]].concat());
    assert_eq!(workspace.tensor("out.safetensors", "output.y"), [3.0, 10.0, -3.0, 2.5]);
    workspace.write_tensors("d.safetensors", &[x, t, data("dropout1.m", [1.0, 0.0, 0.0, 1.0])]);
    workspace.succeed(&[&EVAL[..], &["--scalar", "f64"]].concat());
    assert_eq!(workspace.tensor("out.safetensors", "output.y"), [6.0, 0.0, 0.0, 5.0]);
    assert_eq!(workspace.tensor("out.safetensors", "gradient.w"), [6.0, 2.5]);
    let refused = workspace.run(&[&EVAL[..], &["--engine", "generated"]].concat());
    assert!(refused.code == 1 && refused.stderr.contains("`dropout1.m` is given"), "{}", refused.stderr);
}
