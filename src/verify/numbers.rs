//! What rules compute: their right sides in numbers, and nothing of the derivation.

use std::cell::RefCell;
use std::collections::HashMap;

use super::read;
use super::subject::Subject;
use crate::diagnostic::Diagnostics;
use crate::equation::{Affine, Bindings, Equation, IndexId, Node, Role, TensorId, evaluate};
use crate::pipeline::Compiled;
use crate::sheet::NotationTable;

/// What rules are evaluated at.
pub struct Given<'g> {
    /// How many examples the minibatch has.
    pub examples: usize,
    /// An element of data or of a parameter: of which example, the name in the spec, and the place from 0.
    pub element: &'g dyn Fn(usize, &str, &[i64]) -> f64,
}

/// The gradient of each trained parameter as a set of rules gives it: every value that a rule defines is computed by that rule, in the order
/// of the parameters. What no rule defines is asked of `given`; an element without a value is not a number.
///
/// # Errors
/// What is wrong with rules that cannot be read, with the places.
pub fn gradient(
    compiled: &Compiled,
    name: &str,
    text: &str,
    notation: &NotationTable,
    given: &Given<'_>,
) -> Result<Vec<(String, Vec<f64>)>, Diagnostics> {
    let read = read(compiled, name, text, notation)?;
    let model = &compiled.derivation.model;
    let mut equations: HashMap<TensorId, Equation> =
        model.constants.iter().map(|equation| (equation.target, equation.clone())).collect();
    for statement in read.lines.iter().flat_map(|(statements, _)| statements) {
        let Node::Access { tensor, indices } = read.subject.context.node(statement.sides.left) else { continue };
        let Some(indices) = indices.iter().map(Affine::as_index).collect::<Option<Vec<IndexId>>>() else { continue };
        let (target, value) = (*tensor, statement.sides.right);
        equations.insert(target, Equation { target, indices, value, computed: value, number: 0, origin: None });
    }
    let known = RefCell::default();
    let all = Evaluation { subject: &read.subject, equations: &equations, given, known: &known, example: 0 };
    let one = |(parameter, target): (TensorId, TensorId)| {
        let tensor = read.subject.context.tensor(parameter);
        let values = places(&tensor.shape).iter().map(|place| all.element(target, place).unwrap_or(f64::NAN)).collect();
        (tensor.name.clone(), values)
    };
    let gradients = compiled.derivation.gradient.iter().map(|gradient| (gradient.parameter, gradient.equation.target));
    Ok(gradients.map(one).collect())
}

/// All places of a tensor in row-major order.
fn places(shape: &[usize]) -> Vec<Vec<i64>> {
    let mut places = vec![Vec::new()];
    for &extent in shape {
        let longer = |place: &Vec<i64>, index: usize| place.iter().copied().chain([index as i64]).collect();
        places = places.iter().flat_map(|place| (0..extent).map(move |index| longer(place, index))).collect();
    }
    places
}

/// An element of a tensor, of one example.
type Element = (usize, TensorId, Vec<i64>);

/// Rules at one example of the minibatch.
struct Evaluation<'a> {
    subject: &'a Subject<'a>,
    equations: &'a HashMap<TensorId, Equation>,
    given: &'a Given<'a>,
    known: &'a RefCell<HashMap<Element, Option<f64>>>,
    example: usize,
}

impl Bindings for Evaluation<'_> {
    fn element(&self, tensor: TensorId, indices: &[i64]) -> Option<f64> {
        let context = &self.subject.context;
        match context.tensor(tensor).role {
            Role::BatchSize => return Some(self.given.examples as f64),
            Role::BatchMean { of } => return self.mean(|at| at.element(of, indices)),
            // In their rules a term in data stands for its mean.
            Role::Gradient { .. } | Role::Objective => return self.mean(|at| at.defined(tensor, indices)),
            _ => {}
        }
        self.defined(tensor, indices)
    }
}

impl Evaluation<'_> {
    /// The mean over the minibatch.
    fn mean(&self, value: impl Fn(&Evaluation<'_>) -> Option<f64>) -> Option<f64> {
        let values = (0..self.given.examples).map(|example| value(&Evaluation { example, ..*self }));
        Some(values.sum::<Option<f64>>()? / self.given.examples as f64)
    }

    /// What its rule gives for an element, or what is given where there is none.
    fn defined(&self, tensor: TensorId, indices: &[i64]) -> Option<f64> {
        let context = &self.subject.context;
        let Some(equation) = self.equations.get(&tensor) else {
            return Some((self.given.element)(self.example, &context.tensor(tensor).name, indices));
        };
        let key = (self.example, tensor, indices.to_vec());
        if let Some(&value) = self.known.borrow().get(&key) {
            return value;
        }
        let at: Vec<(IndexId, i64)> = equation.indices.iter().copied().zip(indices.iter().copied()).collect();
        let value = evaluate(context, self, &at, equation.value).ok();
        self.known.borrow_mut().insert(key, value);
        value
    }
}
