//! Lecture 003: modules with their Jacobians, and graphs of them.

use super::running::{Lecture, assert_close};

const R: [f64; 3] = [0.5, -2.0, 3.0];

/// The notes give the derivatives as columns here and as rows (`[1 × d]`) where they speak of Jacobians; the numbers are the same.
#[test]
fn linear_multiplies_by_the_transposed_weights_and_by_the_transposed_input() {
    let lecture = Lecture::open("003/linear");
    let (w, x, r) = ([1.0, 2.0, 3.0, -1.0, 0.5, 4.0], [2.0, -1.0, 0.5], [0.25, -3.0]);
    let run = lecture.run(&[("x", &x), ("r", &r), ("w", &w)]);
    assert_close("y", run.of("y"), &[1.5, -0.5]);
    assert_close("dC/dY", run.by("y"), &r);
    assert_close("dC/dX", run.by("x"), &[0.25 + 3.0, 0.5 - 1.5, 0.75 - 12.0]);
    assert_close("dC/dW", run.by("w"), &[0.5, -0.25, 0.125, -6.0, 3.0, -1.5]);
    lecture.assert_states(&["∂c/∂xᵢ = Σⱼ₌₁² ∂c/∂yⱼ · wⱼᵢ", "∂c/∂wⱼᵢ = ∂c/∂yⱼ · xᵢ"]);
}

#[test]
fn relu_stops_the_derivative_below_zero_and_lets_it_through_at_zero() {
    let lecture = Lecture::open("003/relu");
    let run = lecture.run(&[("x", &[-1.0, 0.0, 2.0]), ("r", &R)]);
    assert_close("y", run.of("y"), &[0.0, 0.0, 2.0]);
    assert_close("dC/dX", run.by("x"), &[0.0, -2.0, 3.0]);
    lecture.assert_states(&["∂c/∂xᵢ = ∂c/∂yᵢ · [xᵢ ≥ 0]"]);
}

#[test]
fn duplicate_sums_the_derivatives_of_its_copies() {
    let lecture = Lecture::open("003/duplicate");
    let run = lecture.run(&[("x", &[1.0, 2.0, 3.0]), ("r", &R), ("q", &[10.0, 20.0, 30.0])]);
    assert_close("dC/dX", run.by("x"), &[10.5, 18.0, 33.0]);
    lecture.assert_states(&["∂c/∂xᵢ = ∂c/∂y¹ᵢ + ∂c/∂y²ᵢ"]);
}

#[test]
fn add_passes_the_derivative_to_both_sides() {
    let lecture = Lecture::open("003/add");
    let run = lecture.run(&[("x1", &[1.0, 2.0, 3.0]), ("x2", &[4.0, 5.0, 6.0]), ("r", &R)]);
    assert_close("y", run.of("y"), &[5.0, 7.0, 9.0]);
    assert_close("dC/dX1", run.by("x1"), &R);
    assert_close("dC/dX2", run.by("x2"), &R);
    lecture.assert_states(&["∂c/∂x¹ᵢ = ∂c/∂yᵢ", "∂c/∂x²ᵢ = ∂c/∂yᵢ"]);
}

/// The notes leave out the second side; it gets what the first does not, so that nothing counts twice at a tie.
#[test]
fn max_passes_the_derivative_to_the_greater_side_and_at_a_tie_to_the_first() {
    let lecture = Lecture::open("003/max");
    let run = lecture.run(&[("x1", &[1.0, 2.0, 3.0]), ("x2", &[4.0, 2.0, 1.0]), ("r", &R)]);
    assert_close("y", run.of("y"), &[4.0, 2.0, 3.0]);
    assert_close("dC/dX1", run.by("x1"), &[0.0, -2.0, 3.0]);
    assert_close("dC/dX2", run.by("x2"), &[0.5, 0.0, 0.0]);
    lecture.assert_states(&["∂c/∂x¹ᵢ = ∂c/∂yᵢ · [x¹ᵢ ≥ x²ᵢ]", "∂c/∂x²ᵢ = ∂c/∂yᵢ · [x¹ᵢ < x²ᵢ]"]);
}

#[test]
fn a_value_that_influences_several_branches_sums_their_derivatives() {
    let lecture = Lecture::open("003/branches");
    let (z, w): (f64, [f64; 3]) = (0.75, [1.0, -0.5, 2.0]);
    let run = lecture.run(&[("z", &[z]), ("w", &w), ("r", &R)]);
    let slopes: Vec<f64> = (0..3).map(|i| R[i] * (1.0 - (w[i] * z).tanh().powi(2))).collect();
    assert_close("dC/ds", run.by("s"), &slopes);
    run.assert_derivatives(&[("z", (0..3).map(|i| w[i] * slopes[i]).sum())]);
    assert_close("dC/dw", run.by("w"), &[z * slopes[0], z * slopes[1], z * slopes[2]]);
    lecture.assert_states(&["∂c/∂z = Σᵢ₌₁³ ∂c/∂sᵢ · wᵢ"]);
}

#[test]
fn linear_and_nonlinear_blocks_alternate_on_the_way_back() {
    Lecture::open("003/traditional").assert_states(&[
        "s¹ⱼ = Σᵢ₌₁³ w⁰ⱼᵢ xᵢ",
        "z¹ⱼ = tanh s¹ⱼ",
        "∂ℓ/∂s³ⱼ = s³ⱼ − yⱼ",
        "∂ℓ/∂z²ⱼ = Σₖ₌₁² ∂ℓ/∂s³ₖ · w²ₖⱼ",
        "∂ℓ/∂s²ⱼ = ∂ℓ/∂z²ⱼ · [1 − (z²ⱼ)²]",
        "∂ℓ/∂w¹ⱼᵢ = ∂ℓ/∂s²ⱼ · z¹ᵢ",
    ]);
}

#[test]
fn a_stage_of_a_graph_multiplies_by_its_two_jacobians() {
    let lecture = Lecture::open("003/multistage");
    lecture.assert_states(&[
        "∂ℓ/∂z³ⱼ = ∂ℓ/∂z⁴ⱼ · [z¹ⱼ < z³ⱼ]",
        "∂ℓ/∂z¹ⱼ = Σᵢ₌₁⁴ ∂ℓ/∂sum²ᵢ · w²ⱼᵢ + ∂ℓ/∂z³ⱼ + ∂ℓ/∂z⁴ⱼ · [z¹ⱼ ≥ z³ⱼ]",
        "∂ℓ/∂w³ᵢⱼ = ∂ℓ/∂sum³ⱼ · z⁴ᵢ",
    ]);
    let weights = |count: usize, seed: f64| -> Vec<f64> { (0..count).map(|at| ((at as f64 + seed) * 12.9898).sin()).collect() };
    let (w1, w2, w3) = (weights(12, 1.0), weights(16, 30.0), weights(8, 60.0));
    let run =
        lecture.run(&[("x", &[1.0, -0.5, 0.25]), ("y", &[0.0, 1.0]), ("dense1.w", &w1), ("dense2.w", &w2), ("dense3.w", &w3)]);
    let (by, of) = (|name| run.by(name), |name| run.of(name));
    for j in 0..4 {
        assert_eq!(of("z4")[j], of("z1")[j].max(of("z3")[j]));
        let first = of("z1")[j] >= of("z3")[j];
        let (through_max, through_sum) = if first { (by("z4")[j], 0.0) } else { (0.0, by("z4")[j]) };
        let through_relu: f64 = (0..4).map(|k| by("dense2.s")[k] * w2[4 * j + k]).sum();
        assert_close("dC/dz1", &by("z1")[j..=j], &[through_relu + through_sum + through_max]);
    }
}
