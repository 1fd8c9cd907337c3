//! Lecture 004: matrices, weighted errors, one weight's path, and what goes wrong in deep networks.

use super::running::{Lecture, assert_close, sigmoid};

const X: [f64; 3] = [0.5, -1.0, 2.0];
const W: [f64; 3] = [1.0, 0.25, -0.5];
const W1: [f64; 6] = [0.5, 1.0, -1.0, -0.5, 0.25, 0.75];
const W2: [f64; 2] = [1.5, -2.0];

#[test]
fn one_example_gives_the_error_and_the_error_times_the_input() {
    let lecture = Lecture::open("004/simple");
    for target in [0.0, 1.0] {
        let run = lecture.run(&[("x", &X), ("t", &[target]), ("dense1.w", &W)]);
        let y = sigmoid(-0.75);
        run.assert_values(&[("y", y)]);
        run.assert_derivatives(&[("y", -target / y + (1.0 - target) / (1.0 - y)), ("dense1.s", y - target)]);
        assert_close("dE/dW", run.by("dense1.w"), &X.map(|x| (y - target) * x));
    }
    lecture.assert_states(&["∂ℓ/∂yⱼ = (1 − tⱼ)/(1 − yⱼ) − tⱼ/yⱼ", "∂ℓ/∂sum¹ⱼ = yⱼ − tⱼ", "∂ℓ/∂w¹ᵢⱼ = ∂ℓ/∂sum¹ⱼ · xᵢ"]);
}

/// The columns of `X` of the lecture, four examples.
const COLUMNS: [[f64; 3]; 4] = [X, [1.0, 0.0, -1.0], [-0.5, 0.75, 0.25], [2.0, 1.0, 1.0]];
const T: [f64; 4] = [1.0, 0.0, 1.0, 0.0];

/// The notes number the examples from 0 and let the last be `Ŷ_(0n)`; of n examples it is `Ŷ_(0,n-1)`.
#[test]
fn n_examples_give_the_mean_of_the_errors_times_the_inputs() {
    let error = |i: usize| sigmoid((0..3).map(|j| W[j] * COLUMNS[i][j]).sum()) - T[i];
    let matrix = Lecture::open("004/simple_matrix");
    let rows: Vec<f64> = (0..12).map(|at| COLUMNS[at % 4][at / 4]).collect();
    let run = matrix.run(&[("x", &rows), ("t", &T), ("w", &W)]);
    let errors: Vec<f64> = (0..4).map(|i| error(i) / 4.0).collect();
    assert_close("dE/df", run.by("f"), &errors);
    matrix.assert_states(&["∂ℓ/∂fᵢ = (yᵢ − tᵢ)/4"]);

    let minibatch = Lecture::open("004/simple");
    let gradient = minibatch.gradient(&[("x", &COLUMNS.concat()), ("t", &T), ("dense1.w", &W)], 4).gradient.to_vec();
    let expected: Vec<f64> = (0..3).map(|j| (0..4).map(|i| errors[i] * COLUMNS[i][j]).sum()).collect();
    assert_close("dE/dW of a minibatch", &gradient, &expected);
    assert_close("dE/dW of the matrix", run.by("w"), &expected);
}

#[test]
fn alpha_and_beta_weigh_the_two_kinds_of_error() {
    let lecture = Lecture::open("004/simple_weighted");
    let y = sigmoid(-0.75);
    for (target, expected) in [(1.0, (y - 1.0) / 100.0), (0.0, y / 1000.0)] {
        let run = lecture.run(&[("x", &X), ("t", &[target]), ("dense1.w", &W)]);
        run.assert_derivatives(&[("dense1.s", expected)]);
        run.assert_derivatives(&[("y", -0.01 * target / y + 0.001 * (1.0 - target) / (1.0 - y))]);
    }
}

#[test]
fn one_weight_s_path_through_the_deeper_network() {
    for (name, alpha, beta) in [("004/deep", 1.0, 1.0), ("004/deep_weighted", 0.01, 0.001)] {
        let lecture = Lecture::open(name);
        for target in [0.0, 1.0] {
            let run = lecture.run(&[("x", &X), ("t", &[target]), ("dense1.w", &W1), ("dense2.w", &W2)]);
            let f1: [f64; 2] = std::array::from_fn(|j| (0..3).map(|i| W1[2 * i + j] * X[i]).sum());
            assert!(f1[1] > 0.0, "the path is open");
            let f2 = W2[0] * f1[0].max(0.0) + W2[1] * f1[1];
            let y = sigmoid(f2);
            let indicator = f64::from(u8::from(f1[1] > 0.0));
            let path = (-alpha * target / y + beta * (1.0 - target) / (1.0 - y)) * y * (1.0 - y) * W2[1] * indicator * X[1];
            assert_close("dE/dW11", &run.by("dense1.w")[3..4], &[path]);
        }
    }
    Lecture::open("004/deep").assert_states(&[
        "∂ℓ/∂sum²ⱼ = σ²ⱼ − tⱼ",
        "∂ℓ/∂σ¹ⱼ = ∂ℓ/∂sum²₁ · w²_(j,1)",
        "∂ℓ/∂sum¹ⱼ = ∂ℓ/∂σ¹ⱼ · [sum¹ⱼ > 0]",
        "∂ℓ/∂w¹ᵢⱼ = ∂ℓ/∂sum¹ⱼ · xᵢ",
    ]);
}

/// The notes have slope 0 at 0 in section 2 and "usually 1" in section 3. Both are subgradients; the network's indicator, `f > 0`, is the
/// prelude's default.
#[test]
fn the_slope_of_relu_at_zero_is_that_of_the_indicator() {
    let lecture = Lecture::open("004/deep");
    let run = lecture.run(&[("x", &X), ("t", &[1.0]), ("dense1.w", &[0.0; 6]), ("dense2.w", &W2)]);
    assert_close("the derivative by the hidden sums", run.by("dense1.s"), &[0.0, 0.0]);
}

#[test]
fn a_dead_unit_has_no_gradient_unless_it_leaks() {
    let dead: [f64; 6] = [-1.0, -1.0, 1.0, 1.0, -1.0, -1.0];
    for (name, slope) in [("004/deep", 0.0), ("004/deep_leaky", 0.01), ("004/deep_leaky_1", 1.0)] {
        let lecture = Lecture::open(name);
        let run = lecture.run(&[("x", &X), ("t", &[1.0]), ("dense1.w", &dead), ("dense2.w", &W2)]);
        let error = run.by("dense2.s")[0];
        assert_close(name, run.by("dense1.s"), &[slope * error * W2[0], slope * error * W2[1]]);
    }
}

#[test]
fn a_leaky_relu_with_slope_one_leaves_a_linear_network() {
    let lecture = Lecture::open("004/deep_leaky_1");
    let product: [f64; 3] = std::array::from_fn(|i| W1[2 * i] * W2[0] + W1[2 * i + 1] * W2[1]);
    let single = Lecture::open("004/simple");
    for x in COLUMNS {
        let deep = lecture.run(&[("x", &x), ("t", &[1.0]), ("dense1.w", &W1), ("dense2.w", &W2)]);
        let flat = single.run(&[("x", &x), ("t", &[1.0]), ("dense1.w", &product)]);
        assert_close("y", deep.of("y"), flat.of("y"));
    }
}

#[test]
fn ten_sigmoid_layers_leave_little_of_the_derivative() {
    let lecture = Lecture::open("004/vanishing");
    let parameters = lecture.engine.initialize(1);
    let gradient =
        lecture.engine.gradient(&parameters, &lecture.batch(&[("x", &X), ("t", &[1.0])], 1)).expect("the net runs").gradient;
    let largest =
        |name: &str| gradient.get(name).expect("it is trained").iter().fold(0.0_f64, |most, slope| most.max(slope.abs()));
    let (first, last) = (largest("dense1.w"), largest("dense10.w"));
    assert!(last > 0.01 && first > 0.0 && first < last * 0.25_f64.powi(6), "{first} below, {last} above");
}
