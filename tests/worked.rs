//! Worked examples: the numbers in every line are those that the engine computes, and each line's computation gives its value.

use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::equation::{Role, TensorId};
use deltarule_compiler::generic::{Engine, Values};
use deltarule_compiler::pipeline::compile;
use deltarule_compiler::trace::Given;
use deltarule_compiler::worked::{Worked, work};
use ndarray::{ArrayD, IxDyn};

const NETS: [&str; 4] = [
    "input x[3]\ntarget t[2]\ny = x |> dense(4) |> sigmoid |> dense(2) |> softmax\nloss cross_entropy(y, t)\nregularizer l2(0.1)\noptimizer adam(0.01)",
    "input x[3]\ntarget t[2]\ny = x |> dense(2) |> relu |> dense(2) |> tanh\nloss squared_error(y, t)\noptimizer momentum(0.1 / k)",
    "input x[4, 2]\ntarget t[3]\nh = x |> rnn(3)\ny[j] = h[3, j]\nloss squared_error(y, t)\nregularizer l1(0.01)\noptimizer adagrad(0.1)",
    "input x[4, 4, 1]\ntarget t[2]\ny = x |> conv2d(2, 3, padding = same) |> relu |> flatten |> dense(2)\nloss huber(y, t)\noptimizer sgd(0.5)",
];

fn derived(spec: &str) -> Derivation {
    compile("net.spec", spec).unwrap_or_else(|messages| panic!("{}", messages.render())).derivation
}

/// Numbers that look random, between -1 and 1.
fn numbers(count: usize, seed: usize) -> Vec<f64> {
    (0..count).map(|at| ((at * 7919 + seed * 104_729 + 13) % 2001) as f64 / 1000.0 - 1.0).collect()
}

struct Case {
    derivation: Derivation,
    worked: Worked,
    data: Vec<(String, ArrayD<f64>)>,
    parameters: Vec<(String, ArrayD<f64>)>,
}

fn case(spec: &str) -> Case {
    let derivation = derived(spec);
    let model = &derivation.model;
    let mut given = Given::new(model);
    let mut array = |tensor: TensorId, seed: usize, is_data: bool| {
        let described = model.context.tensor(tensor);
        let values = numbers(described.size(), seed);
        given.set(model, &described.name, &values).unwrap();
        let shape: Vec<usize> = is_data.then_some(1).into_iter().chain(described.shape.iter().copied()).collect();
        (described.name.clone(), ArrayD::from_shape_vec(IxDyn(&shape), values).unwrap())
    };
    let data: Vec<_> =
        model.inputs.iter().chain(&model.targets).enumerate().map(|(at, &tensor)| array(tensor, at, true)).collect();
    let parameters: Vec<_> =
        model.parameters.iter().enumerate().map(|(at, parameter)| array(parameter.tensor, at + 9, false)).collect();
    let worked = work(&derivation, &given).unwrap();
    Case { derivation, worked, data, parameters }
}

fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-9 * (1.0 + expected.abs()), "{what}: {found} where the engine has {expected}");
    }
}

#[test]
fn numbers_are_those_that_the_engine_computes() {
    for spec in NETS {
        let Case { derivation, worked, data, parameters } = case(spec);
        let model = &derivation.model;
        let engine = Engine::<f64>::new(&derivation).unwrap();
        let batch = engine.batch(data.iter().map(|(name, array)| (name.as_str(), Values::Numbers(array.clone())))).unwrap();
        let mut parameters = engine.parameters(parameters).unwrap();
        let of = |tensor: TensorId| worked.values(tensor).unwrap_or_else(|| panic!("no {}", model.context.tensor(tensor).name));
        for (output, &tensor) in engine.predict(&parameters, &batch).unwrap().iter().zip(&model.outputs) {
            assert_close(of(tensor), output.values.as_slice().unwrap(), &output.name);
        }
        let gradient = engine.gradient(&parameters, &batch).unwrap();
        assert_close(of(model.loss.unwrap()), &[gradient.loss], "the loss");
        assert_close(of(derivation.objective.as_ref().unwrap().target), &[gradient.objective], "the objective");
        for (named, equation) in gradient.gradient.iter().zip(&derivation.gradient) {
            assert_close(of(equation.equation.target), named.values.as_slice().unwrap(), &named.name);
        }
        engine.train(&mut parameters, &mut engine.state(), &batch).unwrap();
        for optimizer in &model.optimizers {
            let next = optimizer.equations.last().unwrap().target;
            assert_eq!(model.context.tensor(next).role, Role::Next { of: optimizer.parameter });
            let name = &model.context.tensor(optimizer.parameter).name;
            let trained = parameters.iter().find(|named| named.name == *name).unwrap();
            assert_close(of(next), trained.values.as_slice().unwrap(), name);
        }
    }
}

#[test]
fn each_computation_gives_its_value() {
    for spec in NETS {
        let worked = case(spec).worked;
        let mut compared = 0;
        for step in worked.parts.iter().flat_map(|part| &part.steps) {
            // A sum that is too long to be written out keeps its elements' names.
            let Ok(compiled) = compile("line.spec", &format!("input z\nf = {} + 0 * z\nobjective f by z", step.computation))
            else {
                assert!(step.computation.contains("sum("), "{}", step.computation);
                continue;
            };
            let mut given = Given::new(&compiled.derivation.model);
            given.assign(&compiled.derivation.model, "z=0").unwrap();
            let value = work(&compiled.derivation, &given).unwrap().parts[0].steps.last().unwrap().value;
            let tolerance = 2e-4 * (1.0 + step.value.abs());
            assert!(
                (value - step.value).abs() < tolerance,
                "{} = {}: {value}, not {}",
                step.element,
                step.computation,
                step.value
            );
            compared += 1;
        }
        assert!(compared > 20, "only {compared} lines could be read back");
    }
}
