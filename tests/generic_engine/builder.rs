//! Models that are written equation by equation, run by the engine and by the evaluator.

use std::collections::HashMap;

use deltarule_compiler::derivation::{Derivation, derive};
use deltarule_compiler::equation::{Context, Equation, ExprId, IndexId, Role, Tensor, TensorId, evaluate};
use deltarule_compiler::generic::{Engine, Named, Values};
use deltarule_compiler::model::{Distribution, Model, Parameter};
use ndarray::{ArrayD, Dimension, IxDyn};

/// A model that is written equation by equation.
pub(crate) struct Builder {
    pub(crate) context: Context,
    pub(crate) inputs: Vec<TensorId>,
    pub(crate) targets: Vec<TensorId>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) equations: Vec<Equation>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Builder {
            context: Context::new(),
            inputs: Vec::new(),
            targets: Vec::new(),
            parameters: Vec::new(),
            equations: Vec::new(),
        }
    }

    pub(crate) fn tensor(&mut self, name: &str, shape: &[usize], role: Role, label: bool) -> TensorId {
        let axes = (0..shape.len()).map(|axis| ["i", "j", "k", "l"][axis].to_owned()).collect();
        let tensor = Tensor { name: name.to_owned(), shape: shape.to_vec(), axes, role, label, origin: None };
        let id = self.context.add_tensor(tensor);
        match role {
            Role::Input => self.inputs.push(id),
            Role::Target => self.targets.push(id),
            Role::Parameter => self.parameters.push(Parameter {
                tensor: id,
                initial: Distribution::Normal { mean: 0.0, deviation: 1.0 },
                is_weight: true,
                trained: true,
            }),
            _ => {}
        }
        id
    }

    pub(crate) fn input(&mut self, name: &str, shape: &[usize]) -> TensorId {
        self.tensor(name, shape, Role::Input, false)
    }

    pub(crate) fn parameter(&mut self, name: &str, shape: &[usize]) -> TensorId {
        self.tensor(name, shape, Role::Parameter, false)
    }

    /// `name[indices] = value(indices)`.
    pub(crate) fn equation(
        &mut self,
        name: &str,
        shape: &[usize],
        value: impl FnOnce(&mut Context, &[IndexId]) -> ExprId,
    ) -> TensorId {
        let target = self.tensor(name, shape, Role::Value, false);
        let indices = self.context.fresh_axes(target);
        let value = value(&mut self.context, &indices);
        self.equations.push(Equation { target, indices, value, computed: value, number: 0, origin: None });
        target
    }

    pub(crate) fn derive(mut self, outputs: Vec<TensorId>, loss: Option<TensorId>) -> Derivation {
        let batch_size = self.tensor("m", &[], Role::BatchSize, false);
        let update_number = self.tensor("k", &[], Role::UpdateNumber, false);
        derive(Model {
            name: "Network".to_owned(),
            context: self.context,
            inputs: self.inputs,
            targets: self.targets,
            parameters: self.parameters,
            noises: Vec::new(),
            equations: self.equations,
            loss,
            outputs,
            objective: None,
            regularizers: Vec::new(),
            optimizers: Vec::new(),
            constants: Vec::new(),
            batch_size,
            update_number,
        })
    }
}

/// Numbers without a pattern, of both signs.
pub(crate) fn numbers(shape: &[usize], seed: f64) -> ArrayD<f64> {
    let mut at = seed;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        at += 1.0;
        (at * 12.9898).sin() * 2.0
    })
}

const EXAMPLES: usize = 3;
/// The most steps of a recurrence.
pub(crate) const STEPS: usize = 5;

/// The values of a model's outputs, by the evaluator, one element at a time.
fn reference(derivation: &Derivation, given: &HashMap<TensorId, ArrayD<f64>>, outputs: &[TensorId]) -> Vec<ArrayD<f64>> {
    let context = &derivation.model.context;
    let examples = (0..EXAMPLES).map(|example| {
        let mut values: HashMap<TensorId, Vec<f64>> = HashMap::new();
        for (tensor, array) in given.iter().collect::<std::collections::BTreeMap<_, _>>() {
            let is_data = context.tensor(*tensor).is_per_example();
            let array = if is_data { array.index_axis(ndarray::Axis(0), example).to_owned() } else { array.clone() };
            values.insert(*tensor, array.iter().copied().collect());
        }
        for equation in &derivation.forward {
            values.insert(equation.target, vec![0.0; context.tensor(equation.target).size()]);
        }
        // A recurrence has its values after as many rounds as it has steps, and one that reads it after as many again.
        for equation in derivation.forward.iter().cycle().take(derivation.forward.len() * 2 * STEPS) {
            let shape = IxDyn(&context.tensor(equation.target).shape);
            let elements = ndarray::indices(shape).into_iter().map(|place| {
                let place = place.slice().iter().map(|&at| at as i64);
                let bound: Vec<(IndexId, i64)> = equation.indices.iter().copied().zip(place).collect();
                evaluate(context, &(context, &values), &bound, equation.value).expect("all is bound")
            });
            let elements = elements.collect();
            values.insert(equation.target, elements);
        }
        values
    });
    let examples: Vec<_> = examples.collect();
    let stack = |&output: &TensorId| {
        let mut shape = vec![EXAMPLES];
        shape.extend(&context.tensor(output).shape);
        let elements = examples.iter().flat_map(|values| values[&output].clone()).collect();
        ArrayD::from_shape_vec(IxDyn(&shape), elements).expect("all elements are there")
    };
    outputs.iter().map(stack).collect()
}

/// Runs a model on random data by both, and compares.
pub(crate) fn agrees_with_the_evaluator(builder: Builder, outputs: Vec<TensorId>) {
    let derivation = builder.derive(outputs.clone(), None);
    let context = &derivation.model.context;
    let engine = Engine::<f64>::new(&derivation).expect("the engine takes the model");
    let mut given = HashMap::new();
    let mut data = Vec::new();
    for (seed, &input) in derivation.model.inputs.iter().enumerate() {
        let tensor = context.tensor(input);
        let mut shape = vec![EXAMPLES];
        shape.extend(&tensor.shape);
        if tensor.label {
            let classes = shape.pop().expect("a label has classes");
            let mut label = 0;
            let labels = ArrayD::from_shape_simple_fn(IxDyn(&shape), || {
                label = (label * 5 + 3) % classes;
                label
            });
            shape.push(classes);
            let hot = |place: IxDyn| {
                let (class, row) = place.slice().split_last().expect("classes are an axis");
                f64::from(u8::from(labels[row] == *class))
            };
            given.insert(input, ArrayD::from_shape_fn(IxDyn(&shape), hot));
            data.push((tensor.name.clone(), Values::Labels(labels)));
        } else {
            let array = numbers(&shape, seed as f64 * 100.0);
            given.insert(input, array.clone());
            data.push((tensor.name.clone(), Values::Numbers(array)));
        }
    }
    let mut arrays = Vec::new();
    for (seed, parameter) in derivation.model.parameters.iter().enumerate() {
        let tensor = context.tensor(parameter.tensor);
        let array = numbers(&tensor.shape, 0.5 + seed as f64 * 100.0);
        given.insert(parameter.tensor, array.clone());
        arrays.push((tensor.name.clone(), array));
    }
    let batch = engine.batch(data).expect("the data fits");
    let parameters = engine.parameters(arrays).expect("the parameters fit");
    let expected = reference(&derivation, &given, &outputs);
    let found = engine.predict(&parameters, &batch).expect("the model runs");
    for (Named { name, values }, expected) in found.iter().zip(&expected) {
        assert_eq!(values.shape(), expected.shape(), "the shape of {name}");
        for (found, expected) in values.iter().zip(expected) {
            let close = (found - expected).abs() <= 1e-12 * expected.abs().max(1.0);
            assert!(close, "{name}: {found} where the evaluator finds {expected}\n{values}\n{expected}");
        }
    }
    let single = Engine::<f32>::new(&derivation).expect("the engine takes the model");
    assert_eq!(single.initialize(3).count(), engine.initialize(3).count());
}
