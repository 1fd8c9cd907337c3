//! A worked example: every equation with numbers in it, at one example, through one update.
//!
//! The numbers are those of the equations as the sheet prints them, evaluated one after the other in `f64`; tests hold them against what
//! both engines compute.

mod elements;

use std::collections::HashMap;

use crate::derivation::Derivation;
use crate::equation::{Affine, Block, Context, Equation, ExprId, IndexId, Node, ReduceKind, Role, TensorId, evaluate, schedule};
use crate::limits;
use crate::trace::{Detail, Given, TraceError};
pub(crate) use elements::{digits, element_name, with_numbers};

/// Elements of one equation that are written out; of a larger tensor only the first few are.
const WRITTEN_ELEMENTS: usize = 12;
const FIRST_ELEMENTS: usize = 3;
/// Terms of a sum that are written out.
const WRITTEN_TERMS: usize = 16;

/// One element with its computation.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkedStep {
    /// The equation's number on the sheet.
    pub equation: u32,
    /// The element: `h[0]`.
    pub element: String,
    /// The right-hand side with numbers in place of elements.
    pub computation: String,
    /// Its value.
    pub value: f64,
}

/// A pass.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkedPart {
    /// Its name.
    pub title: &'static str,
    /// Its lines.
    pub steps: Vec<WorkedStep>,
}

/// A worked example.
#[derive(Clone, Debug)]
pub struct Worked {
    /// What is given: each tensor with its values, the first few of many.
    pub given: Vec<(String, Vec<f64>)>,
    /// The passes in order.
    pub parts: Vec<WorkedPart>,
    values: HashMap<TensorId, Vec<f64>>,
}

impl Worked {
    /// The values of a tensor in row-major order, if it was computed or given.
    pub fn values(&self, tensor: TensorId) -> Option<&[f64]> {
        self.values.get(&tensor).map(Vec::as_slice)
    }
}

/// Carries the numbers of one example through all equations: a minibatch of one, the first update.
///
/// # Errors
/// Where a tensor has no value, or there are more elements than one can follow.
pub fn work(derivation: &Derivation, given: &Given) -> Result<Worked, TraceError> {
    let model = &derivation.model;
    given.complete(model)?;
    let context = &model.context;
    let backward: Vec<&Equation> =
        derivation.backward.iter().filter(|adjoint| adjoint.is_computed).map(|adjoint| &adjoint.equation).collect();
    let all = derivation.forward.iter().chain(backward.iter().copied());
    let size = all.fold(0_usize, |sum, equation| sum.saturating_add(context.tensor(equation.target).size()));
    if size > limits::WORKED_ELEMENTS {
        return Err(TraceError::TooLarge { detail: Detail::Elements });
    }
    let mut worker = Worker { context: context.clone(), values: HashMap::new() };
    let inputs = crate::trace::tensors(model);
    inputs.for_each(|tensor| {
        worker.values.insert(tensor, given.of(tensor).to_vec());
    });
    let listed = crate::trace::tensors(model).map(|tensor| {
        let values = given.of(tensor);
        (context.tensor(tensor).name.clone(), values[..values.len().min(WRITTEN_ELEMENTS)].to_vec())
    });
    let mut parts = Vec::new();
    let listed = listed.collect();
    let forward: Vec<&Equation> = derivation.forward.iter().collect();
    parts.push(WorkedPart { title: "Forward pass", steps: worker.pass(&forward)? });
    parts.push(WorkedPart { title: "Backward pass", steps: worker.pass(&backward)? });
    if derivation.objective.is_some() {
        parts.push(WorkedPart { title: "Gradient", steps: worker.gradient(derivation) });
        parts.push(WorkedPart { title: "Update", steps: worker.update(derivation) });
    }
    parts.retain(|part| !part.steps.is_empty());
    Ok(Worked { given: listed, parts, values: worker.values })
}

struct Worker {
    context: Context,
    values: HashMap<TensorId, Vec<f64>>,
}

impl Worker {
    /// Computes equations in an order in which that can be done; the lines are in the order in which they stand.
    fn pass(&mut self, equations: &[&Equation]) -> Result<Vec<WorkedStep>, TraceError> {
        let blocks = schedule(&self.context, equations, |equation| equation.value).map_err(|_| TraceError::NoResult)?;
        for block in blocks {
            match block {
                Block::Whole(position) => self.compute(equations[position]),
                Block::Steps(recurrence) => {
                    let extent = recurrence.extent as i64;
                    for &position in &recurrence.equations {
                        self.clear(equations[position].target);
                    }
                    for step in 0..extent {
                        let step = if recurrence.descending { extent - 1 - step } else { step };
                        for (&position, &axis) in recurrence.equations.iter().zip(&recurrence.axes) {
                            self.compute_where(equations[position], &|place| place[axis] == step);
                        }
                    }
                }
            }
        }
        Ok(equations.iter().flat_map(|equation| self.lines(equation)).collect())
    }

    fn clear(&mut self, tensor: TensorId) {
        let size = self.context.tensor(tensor).size();
        self.values.insert(tensor, vec![0.0; size]);
    }

    fn compute(&mut self, equation: &Equation) {
        self.clear(equation.target);
        self.compute_where(equation, &|_| true);
    }

    /// Computes the elements at some places.
    fn compute_where(&mut self, equation: &Equation, is_wanted: &dyn Fn(&[i64]) -> bool) {
        for (flat, place) in self.places(equation.target).into_iter().enumerate().filter(|(_, place)| is_wanted(place)) {
            let indices: Vec<(IndexId, i64)> = equation.indices.iter().copied().zip(place).collect();
            let value = evaluate(&self.context, &(&self.context, &self.values), &indices, equation.value).unwrap_or(f64::NAN);
            if let Some(values) = self.values.get_mut(&equation.target) {
                values[flat] = value;
            }
        }
    }

    /// All places of a tensor in row-major order.
    fn places(&self, tensor: TensorId) -> Vec<Vec<i64>> {
        self.context.tensor(tensor).shape.iter().fold(vec![Vec::new()], |places, &extent| {
            let extended = |begun: Vec<i64>| (0..extent as i64).map(move |at| [&begun[..], &[at]].concat());
            places.into_iter().flat_map(extended).collect()
        })
    }

    /// Gradient of the objective for a minibatch of one example, and the constants that it needs.
    fn gradient(&mut self, derivation: &Derivation) -> Vec<WorkedStep> {
        let model = &derivation.model;
        self.values.insert(model.batch_size, vec![1.0]);
        self.values.insert(model.update_number, vec![1.0]);
        let means: Vec<(TensorId, TensorId)> = self
            .context
            .tensors()
            .filter_map(|(id, tensor)| match tensor.role {
                Role::BatchMean { of } => Some((id, of)),
                _ => None,
            })
            .collect();
        for (mean, of) in means {
            if let Some(values) = self.values.get(&of).cloned() {
                self.values.insert(mean, values);
            }
        }
        let gradients = derivation.gradient.iter().map(|gradient| &gradient.equation);
        let mut open: Vec<&Equation> = model.constants.iter().chain(gradients).chain(&derivation.objective).collect();
        let mut steps = Vec::new();
        // A constant may read a gradient, and a gradient a constant.
        while !open.is_empty() {
            let is_ready = |equation: &&Equation| {
                self.context.tensors_in(equation.value).iter().all(|tensor| self.values.contains_key(tensor))
            };
            let Some(next) = open.iter().position(is_ready) else { break };
            let equation = open.remove(next);
            self.compute(equation);
            steps.extend(self.lines(equation));
        }
        steps.sort_by_key(|step| step.equation);
        steps
    }

    /// The first update.
    fn update(&mut self, derivation: &Derivation) -> Vec<WorkedStep> {
        let mut steps = Vec::new();
        for optimizer in &derivation.model.optimizers {
            for state in &optimizer.states {
                let size = self.context.tensor(state.tensor).size();
                self.values.insert(state.tensor, vec![state.initial; size]);
            }
            for equation in &optimizer.equations {
                self.compute(equation);
                steps.extend(self.lines(equation));
            }
        }
        steps
    }

    /// The elements of an equation with their computations; of many the first few.
    fn lines(&mut self, equation: &Equation) -> Vec<WorkedStep> {
        let places = self.places(equation.target);
        let shown = if places.len() <= WRITTEN_ELEMENTS { places.len() } else { FIRST_ELEMENTS };
        let values = self.values.get(&equation.target).cloned().unwrap_or_default();
        let mut lines = Vec::new();
        for (place, value) in places.iter().zip(values).take(shown) {
            let renaming: Vec<_> = equation.indices.iter().copied().zip(place.iter().map(|&at| Affine::constant(at))).collect();
            let right = self.context.substitute_indices(equation.value, &renaming);
            let right = self.written_out(right);
            let computation = with_numbers(&mut self.context, right, &|context, tensor, place| {
                evaluate_element(context, &self.values, tensor, place)
            });
            let element = element_name(&self.context, equation.target, place);
            lines.push(WorkedStep { equation: equation.number, element, computation, value });
        }
        lines
    }

    /// An expression with short sums and products written term by term.
    fn written_out(&mut self, expr: ExprId) -> ExprId {
        if let Node::Reduce { kind: kind @ (ReduceKind::Sum | ReduceKind::Product), indices, body } =
            self.context.node(expr).clone()
        {
            let count: usize = indices.iter().map(|&index| self.context.index_of(index).extent()).product();
            if count <= WRITTEN_TERMS {
                let terms: Vec<ExprId> = self
                    .combinations(&indices)
                    .into_iter()
                    .map(|values| {
                        let renaming: Vec<_> = indices.iter().copied().zip(values.into_iter().map(Affine::constant)).collect();
                        let term = self.context.substitute_indices(body, &renaming);
                        self.written_out(term)
                    })
                    .collect();
                return if kind == ReduceKind::Sum { self.context.add(terms) } else { self.context.multiply(terms) };
            }
            return expr;
        }
        if matches!(self.context.node(expr), Node::Reduce { .. } | Node::ArgReduce { .. }) {
            return expr;
        }
        let mut children = HashMap::new();
        let mut parts = Vec::new();
        crate::equation::for_each_child(self.context.node(expr), |child| parts.push(child));
        for part in parts {
            let written = self.written_out(part);
            children.insert(part, written);
        }
        self.context.rebuild(expr, |_, child, _| children.get(&child).copied().unwrap_or(child))
    }

    fn combinations(&self, indices: &[IndexId]) -> Vec<Vec<i64>> {
        indices.iter().fold(vec![Vec::new()], |all, &index| {
            let range = self.context.index_of(index);
            let values = range.start..range.end;
            all.into_iter().flat_map(|begun: Vec<i64>| values.clone().map(move |value| [&begun[..], &[value]].concat())).collect()
        })
    }
}

/// The value of one element; 0 outside of the tensor.
fn evaluate_element(context: &Context, values: &HashMap<TensorId, Vec<f64>>, tensor: TensorId, place: &[i64]) -> Option<f64> {
    let shape = &context.tensor(tensor).shape;
    let is_inside = place.iter().zip(shape).all(|(&at, &extent)| at >= 0 && at < extent as i64);
    let flat = || place.iter().zip(shape).fold(0, |flat, (&at, &extent)| flat * extent + at as usize);
    let values = values.get(&tensor)?;
    if is_inside { values.get(flat()).copied() } else { Some(0.0) }
}
