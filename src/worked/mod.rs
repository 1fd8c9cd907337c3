//! A worked example: every equation with numbers in it, at one example, through one update.
//!
//! The numbers are those of the equations as the sheet prints them, evaluated one after the other in `f64`; tests hold them against what
//! both engines compute. `instance` puts them into expressions.

mod instance;

use std::collections::HashMap;

use crate::derivation::Derivation;
use crate::equation::{Block, Context, Equation, IndexId, Role, TensorId, evaluate, schedule};
use crate::limits;
use crate::trace::{Given, TraceError};
pub(crate) use instance::Instances;

/// The numbers of one example in all equations.
#[derive(Clone, Debug)]
pub struct Worked {
    /// What a reader is told first: where the numbers come from, a sentence each.
    pub sources: Vec<String>,
    values: HashMap<TensorId, Vec<f64>>,
}

impl Worked {
    /// The values of a tensor in row-major order, if it was computed or given.
    pub fn values(&self, tensor: TensorId) -> Option<&[f64]> {
        self.values.get(&tensor).map(Vec::as_slice)
    }

    /// The same with words on where the numbers come from.
    #[must_use]
    pub fn from(mut self, sources: Vec<String>) -> Self {
        self.sources = sources;
        self
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
    let adjoints = |computed: bool| derivation.backward.iter().filter(move |adjoint| adjoint.is_computed == computed);
    let forward: Vec<&Equation> = derivation.forward.iter().collect();
    let backward: Vec<&Equation> = adjoints(true).map(|adjoint| &adjoint.equation).collect();
    let all = forward.iter().chain(&backward);
    let elements = all.fold(0_usize, |sum, equation| sum.saturating_add(context.tensor(equation.target).size()));
    if elements > limits::WORKED_ELEMENTS {
        return Err(TraceError::TooLargeToWork { elements });
    }
    let mut worker = Worker { context, values: HashMap::new() };
    for tensor in crate::trace::tensors(model) {
        worker.values.insert(tensor, given.of(tensor).to_vec());
    }
    worker.pass(&forward)?;
    worker.pass(&backward)?;
    worker.when_ready(adjoints(false).map(|adjoint| &adjoint.equation).collect());
    if derivation.objective.is_some() {
        worker.gradient(derivation);
        worker.update(derivation);
    }
    Ok(Worked { sources: Vec::new(), values: worker.values })
}

struct Worker<'a> {
    context: &'a Context,
    values: HashMap<TensorId, Vec<f64>>,
}

impl Worker<'_> {
    /// Computes equations in an order in which that can be done.
    fn pass(&mut self, equations: &[&Equation]) -> Result<(), TraceError> {
        let blocks = schedule(self.context, equations, |equation| equation.value).map_err(|_| TraceError::NoResult)?;
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
        Ok(())
    }

    /// Computes each equation once all that it reads is known; what reads something unknown stays so.
    fn when_ready(&mut self, mut open: Vec<&Equation>) {
        loop {
            let is_ready = |equation: &&Equation| {
                self.context.tensors_in(equation.value).iter().all(|tensor| self.values.contains_key(tensor))
            };
            let Some(next) = open.iter().position(is_ready) else { return };
            self.compute(open.remove(next));
        }
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
        let places = places(self.context, equation.target);
        for (flat, place) in places.into_iter().enumerate().filter(|(_, place)| is_wanted(place)) {
            let indices: Vec<(IndexId, i64)> = equation.indices.iter().copied().zip(place).collect();
            let value = evaluate(self.context, &(self.context, &self.values), &indices, equation.value).unwrap_or(f64::NAN);
            if let Some(values) = self.values.get_mut(&equation.target) {
                values[flat] = value;
            }
        }
    }

    /// Gradient of the objective for a minibatch of one example, and the constants that it needs.
    fn gradient(&mut self, derivation: &Derivation) {
        let model = &derivation.model;
        self.values.insert(model.batch_size, vec![1.0]);
        self.values.insert(model.update_number, vec![1.0]);
        for (mean, tensor) in self.context.tensors() {
            if let Role::BatchMean { of } = tensor.role
                && let Some(values) = self.values.get(&of).cloned()
            {
                self.values.insert(mean, values);
            }
        }
        // A constant may read a gradient, and a gradient a constant.
        let gradients = derivation.gradient.iter().map(|gradient| &gradient.equation);
        self.when_ready(model.constants.iter().chain(gradients).chain(&derivation.objective).collect());
    }

    /// The first update.
    fn update(&mut self, derivation: &Derivation) {
        for optimizer in &derivation.model.optimizers {
            for state in &optimizer.states {
                let size = self.context.tensor(state.tensor).size();
                self.values.insert(state.tensor, vec![state.initial; size]);
            }
            for equation in &optimizer.equations {
                self.compute(equation);
            }
        }
    }
}

/// All places of a tensor in row-major order.
pub(crate) fn places(context: &Context, tensor: TensorId) -> Vec<Vec<i64>> {
    context.tensor(tensor).shape.iter().fold(vec![Vec::new()], |places, &extent| {
        let extended = |begun: Vec<i64>| (0..extent as i64).map(move |at| [&begun[..], &[at]].concat());
        places.into_iter().flat_map(extended).collect()
    })
}
