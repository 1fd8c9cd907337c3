//! Lecture 000: every unit a rectifier with a threshold.

use super::running::{Data, Lecture, assert_close, text};
use deltarule_compiler::pipeline::compile;

const THETA: f64 = 0.25;

/// Chosen so that the units of the hidden layer lie at the kink, above it, below it and above it, and the outputs above it and at it.
const DATA: Data<'static> = &[
    ("x", &[1.0, 0.5, -0.5]),
    ("t", &[1.0, 0.0]),
    ("dense1.w", &[0.25, 0.5, 0.0, 1.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.5, 0.0]),
    ("dense2.w", &[0.5, 0.5, 0.25, 0.25, 0.5, 0.0, 0.25, 0.0]),
];

/// The derivatives by the sums of both layers as the chain rule gives them by hand, with that slope at the kink.
fn derivatives_by_hand(slope: f64) -> ([f64; 4], [f64; 2]) {
    let outputs = [-1.0 / 0.625, 1.0 / (1.0 - THETA) * slope];
    let weights = DATA[3].1;
    let slopes = [slope, 1.0, 0.0, 1.0];
    (std::array::from_fn(|j| slopes[j] * (weights[2 * j] * outputs[0] + weights[2 * j + 1] * outputs[1])), outputs)
}

#[test]
fn values_and_derivatives_are_the_notes_for_each_slope_at_the_kink() {
    for (name, slope) in [("slope_0", 0.0), ("slope_half", 0.5), ("slope_1", 1.0)] {
        let lecture = Lecture::open(&format!("000/threshold_{name}"));
        let run = lecture.run(DATA);
        assert_close("h", run.of("h"), &[THETA, 0.5, THETA, 1.0]);
        assert_close("y", run.of("y"), &[0.625, THETA]);
        let (hidden, outputs) = derivatives_by_hand(slope);
        assert_close("the derivative by the outputs' sums", run.by("dense2.s"), &outputs);
        assert_close("the derivative by the hidden sums", run.by("dense1.s"), &hidden);
    }
}

#[test]
fn every_slope_of_the_subdifferential_is_admitted_and_no_other() {
    let with = |slope: f64| text("000/threshold_slope_1").replace("slope_at_kink = 1", &format!("slope_at_kink = {slope}"));
    for slope in [0.0, 0.1, 0.5, 0.75, 1.0] {
        let lecture = Lecture::of_text("any.spec", &with(slope));
        assert_close("the derivative by the hidden sums", lecture.run(DATA).by("dense1.s"), &derivatives_by_hand(slope).0);
    }
    for slope in [-0.1, 1.5] {
        let messages = compile("wrong.spec", &with(slope)).expect_err("the slope lies outside").render();
        assert!(messages.contains("subdifferential"), "{messages}");
    }
}

#[test]
fn the_rules_change_only_in_the_slope_of_the_activation() {
    Lecture::open("000/threshold_slope_1").assert_states(&[
        "sum¹ⱼ = Σᵢ₌₁³ w¹ᵢⱼ xᵢ",
        "∂ℓ/∂sum²ⱼ = ∂ℓ/∂σ²ⱼ · [sum²ⱼ ≥ 1/4]",
        "∂ℓ/∂sum¹ⱼ = ∂ℓ/∂σ¹ⱼ · [sum¹ⱼ ≥ 1/4]",
        "∂ℓ/∂w¹ᵢⱼ = ∂ℓ/∂sum¹ⱼ · xᵢ",
    ]);
    Lecture::open("000/threshold_slope_0").assert_states(&["∂ℓ/∂sum¹ⱼ = ∂ℓ/∂σ¹ⱼ · [sum¹ⱼ > 1/4]"]);
}

/// The notes have `-y/σ - (1-y)/(1-σ)`, but the derivative of `-(1-y) ln(1-σ)` is positive.
#[test]
fn the_second_fraction_of_the_derivative_of_cross_entropy_is_added() {
    let lecture = Lecture::open("000/threshold_slope_1");
    lecture.assert_states(&["∂ℓ/∂σ²ⱼ = (1 − tⱼ)/(1 − σ²ⱼ) − tⱼ/σ²ⱼ"]);
    assert_close("the derivative by y", lecture.run(DATA).by("y"), &[-1.6, 1.0 / 0.75]);
}

/// The notes have `λ/2m w`, but the derivative of `λ/2m w²` is `λ/m w`.
#[test]
fn the_derivative_of_the_regularizer_is_twice_the_notes() {
    let lecture = Lecture::open("000/threshold_slope_1");
    lecture.assert_states(&["∂E/∂w¹ᵢⱼ = (1/m) Σₙ₌₁ᵐ ∂ℓ⁽ⁿ⁾/∂w¹ᵢⱼ + (λ/m) w¹ᵢⱼ"]);
    let run = lecture.run(DATA);
    let gradient = lecture.gradient(DATA, 1).gradient;
    for name in ["dense1.w", "dense2.w"] {
        let found: Vec<f64> = gradient.get(name).expect("it is trained").iter().copied().collect();
        let expected: Vec<f64> = run.by(name).iter().zip(run.of(name)).map(|(slope, w)| slope + 0.5 * w).collect();
        assert_close(name, &found, &expected);
    }
}

/// The notes write `Σₚ ∂E/∂σⱼ^(l+1) · ∂σⱼ^(l+1)/∂sumⱼ^(l+1) · wⱼₚ`, with a `j` where the sum's `p` belongs.
#[test]
fn the_sum_over_the_next_layer_runs_over_its_derivatives_too() {
    Lecture::open("000/threshold_slope_1").assert_states(&["∂ℓ/∂σ¹ⱼ = Σₖ₌₁² ∂ℓ/∂sum²ₖ · w²ⱼₖ"]);
}

/// The notes' loop goes from `L - 1` down to 2, which would leave the weights of the first and the last layer as they are.
#[test]
fn the_first_and_the_last_layer_learn_as_well() {
    let lecture = Lecture::open("000/threshold_slope_1");
    let (mut parameters, mut state) = (lecture.parameters(DATA), lecture.engine.state());
    let before = parameters.clone();
    lecture.engine.train(&mut parameters, &mut state, &lecture.batch(DATA, 1)).expect("the net runs");
    for name in ["dense1.w", "dense2.w"] {
        assert_ne!(parameters.get(name), before.get(name), "{name} stays as it is");
    }
}
