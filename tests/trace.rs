//! Circuits: the numbers of the lectures, adjoints that agree with the derivation, drawings.

use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::equation::{Role, TensorId, evaluate};
use deltarule_compiler::limits;
use deltarule_compiler::pipeline::compile;
use deltarule_compiler::trace::{Circuit, Detail, Given, TraceError, trace};
use std::collections::HashMap;

fn derived(spec: &str) -> Derivation {
    compile("net.spec", spec).unwrap_or_else(|messages| panic!("{}", messages.render())).derivation
}

fn given(derivation: &Derivation, values: &[&str]) -> Given {
    let mut given = Given::new(&derivation.model);
    values.iter().for_each(|text| given.assign(&derivation.model, text).unwrap());
    given
}

fn traced(spec: &str, values: &[&str]) -> Circuit {
    let derivation = derived(spec);
    trace(&derivation, &given(&derivation, values), None).unwrap()
}

fn assert_close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-9 * (1.0 + expected.abs()), "{what}: {found} where {expected} is right");
}

/// Adjoints rounded to as many decimals as a lecture gives.
fn adjoints(circuit: &Circuit, decimals: i32, names: &[&str]) -> Vec<f64> {
    let scale = 10f64.powi(decimals);
    let rounded = |name: &&str| (circuit.gate(name).unwrap().adjoint * scale).round() / scale;
    names.iter().map(rounded).collect()
}

const PRODUCT: &str = "input x, y, z\nq = x + y\nf = q * z\nobjective f by x, y, z";
const NEURON: &str = "input w0, x0, w1, x1, w2\nf = sigmoid(w0 * x0 + w1 * x1 + w2)\nobjective f by w0, x0, w1, x1, w2";
const STAGED: &str = "input x, y\nf = (x + sigmoid(y)) / (sigmoid(x) + (x + y)^2)\nobjective f by x, y";
const GATES: &str = "input x, y, z, w\nf = (x * y + max(z, w)) * 2\nobjective f by x, y, z, w";

#[test]
fn a_sum_times_a_number_has_the_values_and_adjoints_of_the_lecture() {
    let circuit = traced(PRODUCT, &["x=-2", "y=5", "z=-4"]);
    assert_eq!(circuit.gate("q").unwrap().value, 3.0);
    assert_eq!(circuit.gate("f").unwrap().value, -12.0);
    assert_eq!(adjoints(&circuit, 0, &["f", "q", "x", "y", "z"]), [1.0, -4.0, -4.0, -4.0, 3.0]);
}

#[test]
fn the_sigmoid_neuron_has_a_gate_for_each_operation_and_the_adjoints_of_the_lecture() {
    let circuit = traced(NEURON, &["w0=2", "x0=-1", "w1=-3", "x1=-2", "w2=-3"]);
    let symbols: Vec<String> = circuit.gates.iter().map(|gate| gate.operation.symbol()).filter(|sign| !sign.is_empty()).collect();
    assert_eq!(symbols, ["×", "×", "+", "+", "×-1", "exp", "+1", "1/x"]);
    let values: Vec<f64> = circuit.gates[5..].iter().map(|gate| (gate.value * 100.0).round() / 100.0).collect();
    assert_eq!(values, [-2.0, 6.0, 4.0, 1.0, -1.0, 0.37, 1.37, 0.73]);
    let passed_back: Vec<f64> = circuit.gates[5..].iter().map(|gate| (gate.adjoint * 100.0).round() / 100.0).collect();
    assert_eq!(passed_back, [0.2, 0.2, 0.2, 0.2, -0.2, -0.53, -0.53, 1.0]);
    assert_eq!(adjoints(&circuit, 2, &["w0", "x0", "w1", "x1", "w2"]), [-0.2, 0.39, -0.39, -0.59, 0.2]);
}

#[test]
fn the_staged_function_has_the_adjoints_that_the_lectures_code_computes() {
    let (x, y) = (3.0_f64, -4.0_f64);
    let (sigy, sigx) = (1.0 / (1.0 + (-y).exp()), 1.0 / (1.0 + (-x).exp()));
    let (numerator, sum) = (x + sigy, x + y);
    let denominator = sigx + sum * sum;
    let inverse = 1.0 / denominator;
    let d_denominator = -inverse * inverse * numerator;
    let d_sum = 2.0 * sum * d_denominator;
    let dx = d_sum + (1.0 - sigx) * sigx * d_denominator + inverse;
    let dy = d_sum + (1.0 - sigy) * sigy * inverse;

    let circuit = traced(STAGED, &["x=3", "y=-4"]);
    assert_close(circuit.gate("f").unwrap().value, numerator * inverse, "f");
    assert_close(circuit.gate("x").unwrap().adjoint, dx, "the derivative by x");
    assert_close(circuit.gate("y").unwrap().adjoint, dy, "the derivative by y");
}

#[test]
fn a_sum_gate_distributes_a_max_gate_routes_and_a_product_gate_swaps() {
    let circuit = traced(GATES, &["x=3", "y=-4", "z=2", "w=-1"]);
    assert_eq!(circuit.gate("f").unwrap().value, -20.0);
    assert_eq!(adjoints(&circuit, 0, &["x", "y", "z", "w"]), [-8.0, 6.0, 2.0, 0.0]);
    assert!(circuit.to_text().contains("max(z, w)"), "{}", circuit.to_text());
    let tie = traced(GATES, &["x=3", "y=-4", "z=2", "w=2"]);
    assert_eq!(adjoints(&tie, 0, &["z", "w"]), [2.0, 0.0], "the first is the greater of two that are equal");
}

#[test]
fn a_branch_that_is_not_taken_passes_nothing_back() {
    let spec = "input x\nf = if x > 0 { ln(x) } else { 3 * x }\nobjective f by x";
    assert_eq!(adjoints(&traced(spec, &["x=-1"]), 9, &["x"]), [3.0]);
    assert_eq!(adjoints(&traced(spec, &["x=2"]), 9, &["x"]), [0.5]);
}

/// Networks with the values that a circuit of them begins with.
const NETS: &[(&str, &[&str])] = &[
    (PRODUCT, &["x=-2", "y=5", "z=-4"]),
    (NEURON, &["w0=2", "x0=-1", "w1=-3", "x1=-2", "w2=-3"]),
    (STAGED, &["x=3", "y=-4"]),
    (
        "input x[2]\ntarget t[1]\nparam w[i: 2, j: 1] ~ glorot\ns[j] = sum(i: w[i, j] * x[i])\ny = s |> sigmoid\nloss squared_error(y, t)\noptimizer sgd(1)",
        &["x=1,0.5", "t=1", "w=0.3,-0.8"],
    ),
    (
        "input x[3]\ntarget t: class[3]\nparam w[i: 3, j: 3] ~ glorot\ns[j] = sum(i: w[i, j] * x[i])\nh = s |> relu\nz = add(h, s)\ny = z |> softmax\nloss cross_entropy(y, t)\noptimizer sgd(1)",
        &["x=1,0.5,-2", "t=1", "w=0.3,-0.8,0.1,0.4,-0.2,0.9,1.1,-0.6,0.7"],
    ),
];

/// The adjoints of the derivation, element by element, in row-major order.
fn derived_adjoints(derivation: &Derivation, circuit: &Circuit) -> Vec<(String, Vec<f64>)> {
    let context = &derivation.model.context;
    let mut values: HashMap<TensorId, Vec<f64>> = HashMap::new();
    for (id, tensor) in context.tensors() {
        let prefix = format!("{}[", tensor.name);
        let of_tensor = circuit
            .gates
            .iter()
            .filter(|gate| gate.name.as_ref().is_some_and(|name| *name == tensor.name || name.starts_with(&prefix)));
        let elements: Vec<f64> = of_tensor.map(|gate| gate.value).collect();
        if elements.len() == tensor.size() && !matches!(tensor.role, Role::Adjoint { .. }) {
            values.insert(id, elements);
        }
    }
    let mut found = Vec::new();
    for adjoint in &derivation.backward {
        let equation = &adjoint.equation;
        let shape = context.tensor(equation.target).shape.clone();
        let elements: Vec<f64> = (0..context.tensor(equation.target).size())
            .map(|flat| {
                let mut rest = flat;
                let mut place: Vec<i64> = shape
                    .iter()
                    .rev()
                    .map(|&extent| {
                        let at = rest % extent;
                        rest /= extent;
                        at as i64
                    })
                    .collect();
                place.reverse();
                let bound: Vec<_> = equation.indices.iter().copied().zip(place).collect();
                evaluate(context, &(context, &values), &bound, equation.value).unwrap()
            })
            .collect();
        values.insert(equation.target, elements.clone());
        if let Role::Adjoint { of } = context.tensor(equation.target).role {
            found.push((context.tensor(of).name.clone(), elements));
        }
    }
    found
}

#[test]
fn adjoints_of_named_tensors_are_those_of_the_derivation_in_either_detail() {
    for (spec, values) in NETS {
        let derivation = derived(spec);
        for detail in [Detail::Operations, Detail::Elements] {
            let circuit = trace(&derivation, &given(&derivation, values), Some(detail)).unwrap();
            let expected = derived_adjoints(&derivation, &circuit);
            assert!(!expected.is_empty());
            for (name, elements) in expected {
                let prefix = format!("{name}[");
                let gates = circuit
                    .gates
                    .iter()
                    .filter(|gate| gate.name.as_ref().is_some_and(|other| *other == name || other.starts_with(&prefix)));
                let found: Vec<f64> = gates.map(|gate| gate.adjoint).collect();
                assert_eq!(found.len(), elements.len(), "{name} of\n{spec}");
                for (found, expected) in found.iter().zip(&elements) {
                    assert_close(*found, *expected, &format!("{name} in {detail:?} of\n{spec}"));
                }
            }
        }
    }
}

#[test]
fn a_name_without_an_operation_of_its_own_still_has_an_adjoint_of_its_own() {
    let circuit = traced("input x\ny = x\nf = y * y + x\nobjective f by x", &["x=3"]);
    assert_eq!(adjoints(&circuit, 0, &["y", "x"]), [6.0, 7.0]);
}

#[test]
fn a_drawing_is_the_same_each_time_and_says_what_it_shows() {
    let circuit = traced(NEURON, &["w0=2", "x0=-1", "w1=-3", "x1=-2", "w2=-3"]);
    let svg = circuit.to_svg().unwrap();
    assert_eq!(svg, circuit.to_svg().unwrap());
    for part in [
        "<title id=\"title\">",
        "<desc id=\"description\">",
        "role=\"img\"",
        "prefers-color-scheme:dark",
        "0.731",
        "−0.59",
        "1/x",
    ] {
        assert!(svg.contains(part), "no {part} in\n{svg}");
    }
    assert_eq!(svg.matches("<circle").count(), 8);
}

#[test]
fn a_net_with_too_many_operations_is_traced_by_elements_and_a_larger_one_is_refused() {
    let net = |width: usize| format!("input x[{width}]\ntarget t[1]\ny[j: 1] = sum(i: x[i]^2)\nloss squared_error(y, t)");
    let zeros = |width: usize| format!("x={}", vec!["0"; width].join(","));
    let result = |width: usize| {
        let derivation =
            derived(&net(width).replace("loss squared_error(y, t)", "f = sum(j: (y[j] - t[j])^2)\nobjective f by x"));
        let given = given(&derivation, &[&zeros(width), "t=1"]);
        trace(&derivation, &given, None).map(|circuit| circuit.detail)
    };
    assert_eq!(result(10), Ok(Detail::Operations));
    assert_eq!(result(limits::CIRCUIT_OPERATIONS), Ok(Detail::Elements));
    // The target, y and f are elements as well.
    assert_eq!(result(limits::CIRCUIT_ELEMENTS - 3), Ok(Detail::Elements));
    assert_eq!(result(limits::CIRCUIT_ELEMENTS - 2), Err(TraceError::TooLarge { detail: Detail::Elements }));
}

#[test]
fn values_that_do_not_fit_are_refused_by_name() {
    let derivation = derived("input x[2], c: class[3]\nf = sum(i: x[i]) + c[1]\nobjective f by x");
    let refused = |text: &str| Given::new(&derivation.model).assign(&derivation.model, text).unwrap_err().to_string();
    assert!(refused("v=1").contains("there are: x, c"), "{}", refused("v=1"));
    assert_eq!(refused("x=1"), "error: `x` has 2 numbers, but 1 is given");
    assert_eq!(refused("c=3"), "error: 3 is no label of `c`, which has the classes 0 to 2");
    assert!(refused("x").contains("NAME=NUMBER"));
    assert!(refused("x=1,y").contains("NAME=NUMBER"));
    assert!(refused("x=1,inf").contains("NAME=NUMBER"));
    let missing = trace(&derivation, &given(&derivation, &["x=1,2"]), None).unwrap_err();
    assert_eq!(missing, TraceError::Missing { names: vec!["c".to_owned()] });
}

#[test]
fn a_drawing_has_as_many_gates_and_wires_as_one_can_follow_and_no_more() {
    let sum = |count: usize| {
        let circuit = traced(
            &format!("input x[{count}]\nf = sum(i: x[i])\nobjective f by x"),
            &[&format!("x={}", vec!["1"; count].join(","))],
        );
        circuit.to_svg().map(|svg| svg.matches("<title").count())
    };
    // One title for each gate and one for all.
    assert_eq!(sum(limits::DRAWN_GATES - 1), Ok(limits::DRAWN_GATES + 1));
    let (gates, wires) = (limits::DRAWN_GATES + 1, limits::DRAWN_GATES);
    assert_eq!(sum(limits::DRAWN_GATES), Err(TraceError::TooLargeToDraw { gates, wires }));

    let layer = |inputs: usize, outputs: usize| {
        let spec = format!("input x[{inputs}]\ny[j: {outputs}] = sum(i: x[i]^(j + 1))\nf = sum(j: y[j])\nobjective f by x");
        let derivation = derived(&spec);
        let values = given(&derivation, &[&format!("x={}", vec!["1"; inputs].join(","))]);
        trace(&derivation, &values, Some(Detail::Elements)).unwrap().to_svg().map(|_| ())
    };
    assert_eq!(layer(19, limits::DRAWN_WIRES / 20), Ok(()));
    let (outputs, wires) = (limits::DRAWN_WIRES / 20 + 1, limits::DRAWN_WIRES + 20);
    assert_eq!(layer(19, outputs), Err(TraceError::TooLargeToDraw { gates: 20 + outputs, wires }));
}
