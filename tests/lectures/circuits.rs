//! Lecture 002: circuits with numbers on their wires.

use super::running::{Lecture, assert_close, sigmoid};

#[test]
fn the_first_circuit_has_the_lecture_s_numbers() {
    let lecture = Lecture::open("002/circuit");
    let run = lecture.run(&[("x", &[-2.0]), ("y", &[5.0]), ("z", &[-4.0])]);
    run.assert_values(&[("q", 3.0), ("f", -12.0)]);
    run.assert_derivatives(&[("q", -4.0), ("z", 3.0), ("x", -4.0), ("y", -4.0)]);
    lecture.assert_states(&["q = x + y", "f = z q", "∂f/∂q = z", "∂f/∂z = q", "∂f/∂x = ∂f/∂q", "∂f/∂y = ∂f/∂q"]);
}

/// The notes' formula has `w₂x₂` with a third input, their code adds `w[2]` alone; the code is right, `w[2]` is the bias.
#[test]
fn the_third_weight_of_the_neuron_is_a_bias() {
    let lecture = Lecture::open("002/neuron");
    let run = lecture.run(&[("w", &[2.0, -3.0, -3.0]), ("x", &[-1.0, -2.0])]);
    let f = sigmoid(1.0);
    run.assert_values(&[("dot", 1.0), ("f", f)]);
    let slope = (1.0 - f) * f;
    run.assert_derivatives(&[("dot", slope)]);
    assert_close("dw", run.by("w"), &[-slope, -2.0 * slope, slope]);
    assert_close("dx", run.by("x"), &[2.0 * slope, -3.0 * slope]);
    lecture.assert_states(&["∂f/∂dot = f(1 − f)"]);
}

#[test]
fn the_neuron_in_gates_has_the_derivatives_of_the_lecture_s_table() {
    let lecture = Lecture::open("002/neuron_gates");
    let given: [(&str, &[f64]); 5] = [("w0", &[2.0]), ("x0", &[-1.0]), ("w1", &[-3.0]), ("x1", &[-2.0]), ("w2", &[-3.0])];
    let run = lecture.run(&given);
    let e = (-1.0_f64).exp();
    run.assert_values(&[("negated", -1.0), ("power", e), ("more", 1.0 + e), ("f", sigmoid(1.0))]);
    let more = -1.0 / (1.0 + e).powi(2);
    run.assert_derivatives(&[("more", more), ("power", more), ("negated", more * e), ("dot", -more * e)]);
    run.assert_derivatives(&[
        ("w0", more * e),
        ("x0", -2.0 * more * e),
        ("w1", 2.0 * more * e),
        ("x1", 3.0 * more * e),
        ("w2", -more * e),
    ]);
    lecture.assert_states(&[
        "∂f/∂more = −1/more²",
        "∂f/∂power = ∂f/∂more",
        "∂f/∂negated = ∂f/∂power · power",
        "∂f/∂dot = −∂f/∂negated",
        "∂f/∂w₀ = ∂f/∂dot · x₀",
    ]);
}

#[test]
fn the_staged_function_has_the_values_and_derivatives_of_the_lecture_s_code() {
    let lecture = Lecture::open("002/staged");
    let (x, y) = (3.0, -4.0);
    let (sigx, sigy, xpy) = (sigmoid(x), sigmoid(y), x + y);
    let (num, den) = (x + sigy, sigx + xpy * xpy);
    let dden = -1.0 / (den * den) * num;
    let dxpy = 2.0 * xpy * dden;
    let run = lecture.run(&[("x", &[x]), ("y", &[y])]);
    run.assert_values(&[
        ("sigy", sigy),
        ("num", num),
        ("sigx", sigx),
        ("xpy", xpy),
        ("xpysqr", 1.0),
        ("den", den),
        ("invden", 1.0 / den),
        ("f", num / den),
    ]);
    run.assert_derivatives(&[
        ("num", 1.0 / den),
        ("invden", num),
        ("den", dden),
        ("sigx", dden),
        ("xpysqr", dden),
        ("xpy", dxpy),
        ("sigy", 1.0 / den),
        ("x", dxpy + (1.0 - sigx) * sigx * dden + 1.0 / den),
        ("y", dxpy + (1.0 - sigy) * sigy / den),
    ]);
    lecture.assert_states(&[
        "∂f/∂den = −∂f/∂invden · 1/den²",
        "∂f/∂x = ∂f/∂num + ∂f/∂sigx · sigx(1 − sigx) + ∂f/∂xpy",
        "∂f/∂y = ∂f/∂xpy + ∂f/∂sigy · sigy(1 − sigy)",
    ]);
}

#[test]
fn add_distributes_multiply_swaps_and_max_routes_to_the_higher_input() {
    let lecture = Lecture::open("002/gates");
    let run = lecture.run(&[("x", &[3.0]), ("y", &[-4.0]), ("z", &[2.0]), ("w", &[-1.0])]);
    run.assert_values(&[("product", -12.0), ("greater", 2.0), ("total", -10.0), ("f", -20.0)]);
    run.assert_derivatives(&[("total", 2.0), ("product", 2.0), ("greater", 2.0)]);
    run.assert_derivatives(&[("x", -8.0), ("y", 6.0), ("z", 2.0), ("w", 0.0)]);
    let swapped = lecture.run(&[("x", &[3.0]), ("y", &[-4.0]), ("z", &[-1.0]), ("w", &[2.0])]);
    swapped.assert_derivatives(&[("z", 0.0), ("w", 2.0)]);
}
