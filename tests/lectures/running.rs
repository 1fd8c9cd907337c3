//! Runs a spec of the gallery: by the generic engine, and equation by equation so that values and derivatives in between show.

use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::equation::{Equation, IndexId, Role, TensorId, evaluate};
use deltarule_compiler::generic::{Engine, Gradient, Parameters, Values};
use deltarule_compiler::pipeline::compile;
use deltarule_compiler::sheet::EquationTexts;
use ndarray::{ArrayD, IxDyn};
use std::collections::HashMap;
use std::path::Path;

/// Tensors by name, each row-major.
pub(crate) type Data<'a> = &'a [(&'a str, &'a [f64])];

pub(crate) struct Lecture {
    pub(crate) derivation: Derivation,
    pub(crate) engine: Engine<f64>,
}

/// What a run gave for one example.
pub(crate) struct Run<'a> {
    lecture: &'a Lecture,
    values: HashMap<TensorId, Vec<f64>>,
}

/// The text of a spec of the gallery.
pub(crate) fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/lectures/{name}.spec"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Lecture {
    pub(crate) fn open(name: &str) -> Lecture {
        Lecture::of_text(name, &text(name))
    }

    pub(crate) fn of_text(name: &str, text: &str) -> Lecture {
        let derivation = match compile(name, text) {
            Ok(compiled) => compiled.derivation,
            Err(messages) => panic!("{}", messages.render()),
        };
        let engine = Engine::new(&derivation).unwrap_or_else(|error| panic!("{name}: {error}"));
        Lecture { derivation, engine }
    }

    /// Fails where one of these equations is not among those of the sheet.
    #[track_caller]
    pub(crate) fn assert_states(&self, expected: &[&str]) {
        let texts = EquationTexts::new(&self.derivation);
        let derivation = &self.derivation;
        let lines: Vec<String> = (derivation.objective.iter())
            .chain(&derivation.forward)
            .chain(derivation.backward.iter().map(|adjoint| &adjoint.equation))
            .chain(derivation.gradient.iter().map(|gradient| &gradient.equation))
            .chain(&derivation.model.constants)
            .chain(derivation.model.optimizers.iter().flat_map(|optimizer| &optimizer.equations))
            .map(|equation| texts.text(equation))
            .collect();
        for expected in expected {
            assert!(lines.iter().any(|line| line == expected), "no equation reads {expected}; there are\n{}", lines.join("\n"));
        }
    }

    fn tensor(&self, name: &str) -> TensorId {
        let named = self.derivation.model.context.tensors().find(|(_, tensor)| {
            tensor.name == name && matches!(tensor.role, Role::Input | Role::Target | Role::Parameter | Role::Value)
        });
        named.unwrap_or_else(|| panic!("no tensor is called {name}")).0
    }

    pub(crate) fn parameters(&self, data: Data<'_>) -> Parameters<f64> {
        let of_parameter = |parameter: &deltarule_compiler::model::Parameter| {
            let tensor = self.derivation.model.context.tensor(parameter.tensor);
            let values =
                data.iter().find(|(name, _)| *name == tensor.name).unwrap_or_else(|| panic!("{} has no values", tensor.name));
            (tensor.name.clone(), ArrayD::from_shape_vec(IxDyn(&tensor.shape), values.1.to_vec()).expect("the values fit"))
        };
        self.engine.parameters(self.derivation.model.parameters.iter().map(of_parameter)).expect("the parameters fit")
    }

    /// A minibatch, the values of its examples one after the other.
    pub(crate) fn batch(&self, data: Data<'_>, examples: usize) -> deltarule_compiler::generic::Batch<f64> {
        let model = &self.derivation.model;
        let given = model.inputs.iter().chain(&model.targets).map(|&id| {
            let tensor = model.context.tensor(id);
            let values =
                data.iter().find(|(name, _)| *name == tensor.name).unwrap_or_else(|| panic!("{} has no values", tensor.name));
            let shape: Vec<usize> = std::iter::once(examples).chain(tensor.shape.iter().copied()).collect();
            let array = ArrayD::from_shape_vec(IxDyn(&shape), values.1.to_vec()).expect("the values fit");
            (tensor.name.clone(), Values::from(array))
        });
        self.engine.batch(given.collect::<Vec<_>>()).expect("the data fits")
    }

    /// The derivatives of the objective over a minibatch.
    pub(crate) fn gradient(&self, data: Data<'_>, examples: usize) -> Gradient<f64> {
        self.engine.gradient(&self.parameters(data), &self.batch(data, examples)).expect("the net runs")
    }

    /// One example through all equations, forward and backward. The engine must find the same outputs and derivatives.
    pub(crate) fn run(&self, data: Data<'_>) -> Run<'_> {
        let context = &self.derivation.model.context;
        let mut values: HashMap<TensorId, Vec<f64>> =
            data.iter().map(|(name, values)| (self.tensor(name), values.to_vec())).collect();
        let backward = self.derivation.backward.iter().map(|adjoint| &adjoint.equation);
        for equation in self.derivation.forward.iter().chain(backward) {
            let elements = self.elements(equation, &values);
            values.insert(equation.target, elements);
        }
        let run = Run { lecture: self, values };
        let (parameters, batch) = (self.parameters(data), self.batch(data, 1));
        for output in self.engine.predict(&parameters, &batch).expect("the net runs") {
            assert_close(
                &format!("output {}", output.name),
                &output.values.iter().copied().collect::<Vec<_>>(),
                run.of(&output.name),
            );
        }
        if self.derivation.model.objective.is_some() {
            for found in self.engine.derivatives(&parameters, &batch).expect("the net runs") {
                let tensor = context.tensor(self.tensor(&found.name)).name.clone();
                assert_close(&tensor, &found.values.iter().copied().collect::<Vec<_>>(), run.by(&tensor));
            }
        }
        run
    }

    fn elements(&self, equation: &Equation, values: &HashMap<TensorId, Vec<f64>>) -> Vec<f64> {
        let context = &self.derivation.model.context;
        let places = ndarray::indices(IxDyn(&context.tensor(equation.target).shape)).into_iter();
        let element = |place: IxDyn| {
            let place = ndarray::Dimension::slice(&place).iter().map(|&at| at as i64);
            let bound: Vec<(IndexId, i64)> = equation.indices.iter().copied().zip(place).collect();
            evaluate(context, &(context, values), &bound, equation.value).expect("all is bound")
        };
        places.map(element).collect()
    }
}

impl Run<'_> {
    /// The value of a tensor.
    #[track_caller]
    pub(crate) fn of(&self, name: &str) -> &[f64] {
        &self.values[&self.lecture.tensor(name)]
    }

    /// The derivative of the result by a tensor.
    #[track_caller]
    pub(crate) fn by(&self, name: &str) -> &[f64] {
        let of = self.lecture.tensor(name);
        let context = &self.lecture.derivation.model.context;
        let adjoint = context.tensors().find(|(_, tensor)| tensor.role == Role::Adjoint { of });
        let adjoint = adjoint.unwrap_or_else(|| panic!("there is no derivative by {name}"));
        self.values.get(&adjoint.0).unwrap_or_else(|| panic!("the derivative by {name} has no equation"))
    }

    /// Compares values with the notes'.
    #[track_caller]
    pub(crate) fn assert_values(&self, expected: &[(&str, f64)]) {
        for (name, expected) in expected {
            assert_close(name, self.of(name), &[*expected]);
        }
    }

    /// Compares derivatives with the notes'.
    #[track_caller]
    pub(crate) fn assert_derivatives(&self, expected: &[(&str, f64)]) {
        for (name, expected) in expected {
            assert_close(&format!("the derivative by {name}"), self.by(name), &[*expected]);
        }
    }
}

#[track_caller]
pub(crate) fn assert_close(what: &str, found: &[f64], expected: &[f64]) {
    let close = |(found, expected): (&f64, &f64)| (found - expected).abs() <= 1e-12 * expected.abs().max(1.0);
    let same = found.len() == expected.len() && found.iter().zip(expected).all(close);
    assert!(same, "{what} is {found:?}, not {expected:?}");
}

/// The logistic function.
pub(crate) fn sigmoid(s: f64) -> f64 {
    1.0 / (1.0 + (-s).exp())
}
