//! One weight: the derivative of the loss by it along all ways, as a lecture writes it, and in numbers.

use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::explain::{ExplainError, Explanation, explain};
use deltarule_compiler::pipeline::compile;
use deltarule_compiler::trace::Given;

/// The network of CS2109S tutorial 8, section 2, with the weighted loss of section 1.
const DEEPER: &str = "network Deeper
input X[3], alpha, beta
target Y[1]
param W1[i: 3, j: 2] ~ glorot
param W2[j: 2, k: 1] ~ glorot
f1[j] = sum(i: W1[i, j] * X[i])
a1 = f1 |> relu
f2[k] = sum(j: W2[j, k] * a1[j])
Yhat = f2 |> sigmoid
loss weighted_binary_cross_entropy(Yhat, Y, alpha, beta)
optimizer sgd(0.1)";

const NUMBERS: [&str; 6] = ["X=1,2,3", "Y=1", "alpha=0.5", "beta=0.25", "W1=1,-1,0.5,0.25,0,1", "W2=-1,2"];

fn derived(spec: &str) -> Derivation {
    compile("net.spec", spec).unwrap_or_else(|messages| panic!("{}", messages.render())).derivation
}

fn explained(spec: &str, element: &str, values: &[&str]) -> Explanation {
    let derivation = derived(spec);
    let mut given = Given::new(&derivation.model);
    values.iter().for_each(|text| given.assign(&derivation.model, text).unwrap());
    explain(&derivation, element, (!values.is_empty()).then_some(&given)).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_question_of_the_tutorial_comes_out_as_there() {
    let text = explained(DEEPER, "W1[1, 1]", &[]).to_text();
    for line in [
        "W1[1, 1] -> f1[1] -> a1[1] -> f2[0] -> Yhat[0] -> loss\n",
        "dloss/dW1[1, 1] = dloss/dYhat[0] * dYhat[0]/df2[0] * df2[0]/da1[1] * da1[1]/df1[1] * df1[1]/dW1[1, 1]\n",
        "dloss/dYhat[0] = beta * (1 - Y[0]) / (1 - Yhat[0]) - alpha * Y[0] / Yhat[0]   from (5)\n",
        "dYhat[0]/df2[0] = Yhat[0] * (1 - Yhat[0])   from (4)\n",
        "df2[0]/da1[1] = W2[1, 0]   from (2)\n",
        "da1[1]/df1[1] = [f1[1] > 0]   from (3)\n",
        "df1[1]/dW1[1, 1] = X[1]   from (2)\n",
        "* Yhat[0] * (1 - Yhat[0]) * W2[1, 0] * [f1[1] > 0] * X[1]\n",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn numbers_multiply_to_what_the_circuit_passes_back() {
    let explanation = explained(DEEPER, "W1[1,1]", &NUMBERS);
    let product: f64 = explanation.links.iter().map(|link| link.value.unwrap()).product();
    let derivative = explanation.stops[0].derivative.unwrap();
    assert!(derivative != 0.0 && (product - derivative).abs() < 1e-12 * derivative.abs(), "{product} and {derivative}");
    let text = explanation.to_text();
    assert!(text.contains("df1[1]/dW1[1, 1] = X[1] = 2   from (2)"), "{text}");
    assert!(text.contains("[f1[1] > 0] = [2.5 > 0] = 1   from (3)"), "{text}");
}

#[test]
fn all_ways_are_added() {
    let spec = "input x[2]\ntarget t[2]\ny = x |> dense(3) |> tanh |> dense(2) |> softmax\nloss cross_entropy(y, t)\nregularizer l2(0.1)\noptimizer sgd(0.1)";
    let values = [
        "x=0.5,-1",
        "t=0.25,0.75",
        "dense1.w=0.1,-0.2,0.3,0.5,0.4,-0.6",
        "dense1.b=0,0.1,0.2",
        "dense2.w=0.3,-0.1,0.8,0.2,-0.5,0.7",
        "dense2.b=0.1,0",
    ];
    let explanation = explained(spec, "dense1.w[1,2]", &values);
    assert_eq!(explanation.path_count, 4, "two logits, each in two probabilities");
    let text = explanation.to_text();
    assert!(text.starts_with("4 ways from dense1.w[1, 2] to loss\n"), "{text}");
    assert!(text.contains("plus l2.a * dense1.w[1, 2]"), "{text}");
    // Each stop's derivative is the sum over those that read it.
    for (from, stop) in explanation.stops.iter().enumerate().rev().skip(1) {
        let links = explanation.links.iter().filter(|link| link.from == from);
        let sum: f64 = links.map(|link| link.value.unwrap() * explanation.stops[link.to].derivative.unwrap()).sum();
        assert!((sum - stop.derivative.unwrap()).abs() < 1e-12, "{}: {sum}", stop.name);
    }
}

#[test]
fn a_recurrence_is_followed_step_by_step() {
    let spec = "input x[3]\ntarget t\nparam w ~ 0.5\nh[s] = tanh(w * h[s - 1] + x[s])\ny = h[2]\nloss squared_error(y, t)\noptimizer sgd(0.1)";
    let explanation = explained(spec, "w", &["x=1,2,3", "t=0", "w=0.5"]);
    let names: Vec<&str> = explanation.stops.iter().map(|stop| stop.name.as_str()).collect();
    assert_eq!(names, ["w", "h[0]", "h[1]", "h[2]", "y", "loss"]);
    assert_eq!(explanation.path_count, 3);
}

#[test]
fn the_ways_are_drawn() {
    let derivation = derived(DEEPER);
    let svg = explained(DEEPER, "W1[1,1]", &[]).to_svg(&derivation).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("[f1[1] &gt; 0]") && !svg.contains("NaN"), "{svg}");
    let svg = explained(DEEPER, "W1[1,1]", &NUMBERS).to_svg(&derivation).unwrap();
    assert!(svg.contains("class=\"adjoint\"") && !svg.contains("NaN"), "{svg}");
}

#[test]
fn what_cannot_be_explained_is_said() {
    let derivation = derived(DEEPER);
    let error = |element: &str| explain(&derivation, element, None).unwrap_err();
    assert!(matches!(error("V[0]"), ExplainError::Unknown { .. }));
    assert!(error("V[0]").to_string().contains("W1, W2"), "{}", error("V[0]"));
    for wrong in ["W1", "W1[1]", "W1[3,0]", "W1[-1,0]", "W1[a,0]", "W1[0,0"] {
        assert!(error(wrong).to_string().contains("0 to 2, 0 to 1"), "{wrong}: {}", error(wrong));
    }
    let wide = "input x[500]\ntarget t\ny = x |> dense(500) |> tanh |> dense(500) |> tanh |> dense(1)\nz = y[0]\nloss squared_error(z, t)\noptimizer sgd(0.1)";
    assert_eq!(explain(&derived(wide), "dense1.w[0,0]", None).unwrap_err(), ExplainError::TooLarge);
}
