//! The engine: a planned derivation, and what one does with it.

use std::marker::PhantomData;

use ndarray::{ArrayD, IxDyn};

use super::EngineError;
use super::data::{Batch, DataError, Values};
use super::decisions::Decisions;
use super::parameters::{Named, Parameters, Sampler, State};
use super::run::{Store, run};
use super::scalar::Scalar;
use super::schedule::{Programs, Schedule, Steps, Task};
use crate::derivation::Derivation;
use crate::equation::{Context, Role, TensorId};
use crate::model;

/// A planned derivation, which computes in `T`.
#[derive(Clone, Debug)]
pub struct Engine<T> {
    context: Context,
    programs: Programs,
    /// Inputs, targets and noise.
    data: Vec<TensorId>,
    outputs: Vec<TensorId>,
    parameters: Vec<model::Parameter>,
    states: Vec<model::State>,
    noises: Vec<model::Noise>,
    /// The scalar of one example: the loss, or the value of an `objective … by …`.
    value: Option<TensorId>,
    objective: Option<TensorId>,
    /// Each trained parameter with its gradient.
    gradients: Vec<(TensorId, TensorId)>,
    /// The tensors of `objective … by …`, each with its adjoint, unless the value does not depend on it.
    derivatives: Vec<(TensorId, Option<TensorId>)>,
    schedules: Schedules,
    scalar: PhantomData<T>,
}

/// What is run for each method.
#[derive(Clone, Debug)]
struct Schedules {
    predict: Schedule,
    forward: Schedule,
    objective: Schedule,
    gradient: Schedule,
    derivatives: Schedule,
    train: Schedule,
}

/// The result of a forward pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Outputs<T> {
    /// The tensors that no equation but the loss reads, the examples along the first axis.
    pub outputs: Vec<Named<T>>,
    /// The loss of each example, without regularizers; of an `objective … by …`, its value. Shape `[examples]`.
    pub loss: ArrayD<T>,
}

/// The result of a backward pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient<T> {
    /// The mean loss, without regularizers.
    pub loss: T,
    /// Mean loss plus regularizers.
    pub objective: T,
    /// The derivative of the objective by each trained parameter.
    pub gradient: Parameters<T>,
}

impl<T: Scalar> Engine<T> {
    /// Plans a derivation.
    ///
    /// # Errors
    /// Where an equation needs arrays past the bound, or reads what nothing computes; the pipeline makes no such
    /// derivation of the second kind.
    pub fn new(derivation: &Derivation) -> Result<Self, EngineError> {
        let model = &derivation.model;
        let context = model.context.clone();
        let programs = Programs::new(derivation)?;
        let data = |tensor: &TensorId| matches!(context.tensor(*tensor).role, Role::Input | Role::Target | Role::Noise);
        let data: Vec<TensorId> = context.tensors().map(|(id, _)| id).filter(data).collect();
        let value = model.objective.as_ref().map(|objective| objective.value).or(model.loss);
        let objective = derivation.objective.as_ref().map(|equation| equation.target);
        let gradients: Vec<_> =
            derivation.gradient.iter().map(|gradient| (gradient.parameter, gradient.equation.target)).collect();
        let by = model.objective.as_ref().map_or(&[][..], |objective| &objective.by);
        let adjoint = |of: TensorId| {
            let targets = derivation.backward.iter().filter(|adjoint| adjoint.is_computed).map(|adjoint| adjoint.equation.target);
            targets.into_iter().find(|&target| context.tensor(target).role == Role::Adjoint { of })
        };
        let derivatives: Vec<_> = by.iter().map(|&tensor| (tensor, adjoint(tensor))).collect();
        let updates = model.optimizers.iter().flat_map(|optimizer| &optimizer.equations);

        let schedule = |goals: Vec<TensorId>| programs.schedule(&context, &goals);
        let (result, objectives) = (value.into_iter(), objective.into_iter());
        let schedules = Schedules {
            predict: schedule(model.outputs.clone())?,
            forward: schedule(model.outputs.iter().copied().chain(result.clone()).collect())?,
            objective: schedule(objectives.clone().chain(result.clone()).collect())?,
            gradient: schedule(gradients.iter().map(|gradient| gradient.1).chain(objectives).chain(result.clone()).collect())?,
            derivatives: schedule(derivatives.iter().filter_map(|derivative| derivative.1).collect())?,
            train: schedule(updates.map(|equation| equation.target).chain(result).collect())?,
        };
        Ok(Engine {
            programs,
            data,
            outputs: model.outputs.clone(),
            parameters: model.parameters.clone(),
            states: model.optimizers.iter().flat_map(|optimizer| optimizer.states.clone()).collect(),
            noises: model.noises.clone(),
            value,
            objective,
            gradients,
            derivatives,
            schedules,
            context,
            scalar: PhantomData,
        })
    }

    fn name(&self, tensor: TensorId) -> String {
        self.context.tensor(tensor).name.clone()
    }

    /// Checks the values of inputs, targets and noise, given by name, the examples along the first axis. A method that
    /// needs a tensor that is not among them says so.
    ///
    /// # Errors
    /// The first mismatch of a name, a shape, a number of examples or a label.
    pub fn batch<N: AsRef<str>>(&self, values: impl IntoIterator<Item = (N, Values<T>)>) -> Result<Batch<T>, DataError> {
        let mut entries = Vec::new();
        for (name, values) in values {
            let name = name.as_ref();
            let Some(&tensor) = self.data.iter().find(|&&tensor| self.context.tensor(tensor).name == name) else {
                let known = self.data.iter().map(|&tensor| self.name(tensor)).collect();
                return Err(DataError::Unknown { tensor: name.to_owned(), known });
            };
            entries.push((tensor, self.context.tensor(tensor), values));
        }
        Batch::new(entries)
    }

    /// Draws initial parameters. The generated code draws the same for the same seed.
    pub fn initialize(&self, seed: u64) -> Parameters<T> {
        let mut sampler = Sampler::new(seed);
        let draw = |parameter: &model::Parameter| Named {
            name: self.name(parameter.tensor),
            values: sampler.array(parameter.initial, &self.context.tensor(parameter.tensor).shape),
        };
        Parameters { arrays: self.parameters.iter().map(draw).collect() }
    }

    /// Parameters from arrays by name, in any order.
    ///
    /// # Errors
    /// A name too many or too few, or another shape.
    pub fn parameters<N: AsRef<str>>(
        &self,
        arrays: impl IntoIterator<Item = (N, ArrayD<T>)>,
    ) -> Result<Parameters<T>, DataError> {
        let mut parameters = self.initialize(0);
        let mut given = vec![false; parameters.arrays.len()];
        for (name, values) in arrays {
            let name = name.as_ref();
            parameters.set(name, values)?;
            if let Some(at) = parameters.arrays.iter().position(|array| array.name == name)
                && std::mem::replace(&mut given[at], true)
            {
                return Err(DataError::Repeated { tensor: name.to_owned() });
            }
        }
        match given.iter().position(|given| !given) {
            Some(missing) => Err(DataError::Missing { tensor: parameters.arrays.swap_remove(missing).name }),
            None => Ok(parameters),
        }
    }

    /// What the optimizers remember before the first update.
    pub fn state(&self) -> State<T> {
        let array = |state: &model::State| Named {
            name: self.name(state.tensor),
            values: ArrayD::from_elem(IxDyn(&self.context.tensor(state.tensor).shape), T::from_f64(state.initial)),
        };
        State { updates: 0, noise: Sampler::new(0), arrays: self.states.iter().map(array).collect() }
    }

    /// The outputs of each example; targets are not needed.
    ///
    /// # Errors
    /// Where an input has no values, or the parameters are another network's.
    pub fn predict(&self, parameters: &Parameters<T>, batch: &Batch<T>) -> Result<Vec<Named<T>>, DataError> {
        let mut store = self.bind(&self.schedules.predict, parameters, None, None, batch)?;
        self.run(&self.schedules.predict, &mut store, None);
        Ok(self.outputs.iter().map(|&output| self.per_example(&mut store, output)).collect())
    }

    /// The outputs and the loss of each example.
    ///
    /// # Errors
    /// Where an input or a target has no values, or the parameters are another network's.
    pub fn forward(&self, parameters: &Parameters<T>, batch: &Batch<T>) -> Result<Outputs<T>, DataError> {
        let value = self.value.ok_or(DataError::NotTrained)?;
        let mut store = self.bind(&self.schedules.forward, parameters, None, None, batch)?;
        self.run(&self.schedules.forward, &mut store, None);
        // The outputs may hold the value itself, so it is copied before they are taken.
        let loss = self.per_example_view(&store, value);
        let outputs = self.outputs.iter().map(|&output| self.per_example(&mut store, output)).collect();
        Ok(Outputs { outputs, loss })
    }

    /// The mean loss plus the regularizers; of an `objective … by …`, its mean value.
    ///
    /// # Errors
    /// Where an input or a target has no values, or the parameters are another network's.
    pub fn objective(&self, parameters: &Parameters<T>, batch: &Batch<T>) -> Result<T, DataError> {
        self.objective_with(parameters, batch, None)
    }

    pub(super) fn objective_with(
        &self,
        parameters: &Parameters<T>,
        batch: &Batch<T>,
        decisions: Option<&mut Decisions>,
    ) -> Result<T, DataError> {
        let value = self.value.ok_or(DataError::NotTrained)?;
        let mut store = self.bind(&self.schedules.objective, parameters, None, None, batch)?;
        self.run(&self.schedules.objective, &mut store, decisions);
        Ok(match self.objective {
            Some(objective) => scalar(&store, objective),
            None => self.mean(&store, value),
        })
    }

    /// The value of each example, and the decisions on the way.
    pub(super) fn value_with(
        &self,
        parameters: &Parameters<T>,
        batch: &Batch<T>,
        decisions: &mut Decisions,
    ) -> Result<ArrayD<T>, DataError> {
        let value = self.value.ok_or(DataError::NotTrained)?;
        let mut store = self.bind(&self.schedules.forward, parameters, None, None, batch)?;
        self.run(&self.schedules.forward, &mut store, Some(decisions));
        Ok(self.per_example_view(&store, value))
    }

    /// The derivative of the objective by each trained parameter.
    ///
    /// # Errors
    /// Where an input or a target has no values, the parameters are another network's, or there is no loss.
    pub fn gradient(&self, parameters: &Parameters<T>, batch: &Batch<T>) -> Result<Gradient<T>, DataError> {
        let (Some(value), Some(objective)) = (self.value, self.objective) else { return Err(DataError::NotTrained) };
        let mut store = self.bind(&self.schedules.gradient, parameters, None, None, batch)?;
        self.run(&self.schedules.gradient, &mut store, None);
        let (loss, objective) = (self.mean(&store, value), scalar(&store, objective));
        let take = |&(parameter, gradient): &(TensorId, TensorId)| {
            let values = store.take(gradient).unwrap_or_else(|| ArrayD::zeros(IxDyn(&self.context.tensor(parameter).shape)));
            Named { name: self.name(parameter), values }
        };
        let arrays = self.gradients.iter().map(take).collect();
        Ok(Gradient { loss, objective, gradient: Parameters { arrays } })
    }

    /// For an `objective … by …`: the derivative of each example's value by each of the tensors after `by`, the examples
    /// along the first axis.
    ///
    /// # Errors
    /// Where an input or a target has no values, or the parameters are another network's.
    pub fn derivatives(&self, parameters: &Parameters<T>, batch: &Batch<T>) -> Result<Vec<Named<T>>, DataError> {
        let mut store = self.bind(&self.schedules.derivatives, parameters, None, None, batch)?;
        self.run(&self.schedules.derivatives, &mut store, None);
        let derivative = |&(tensor, adjoint): &(TensorId, Option<TensorId>)| Named {
            name: self.name(tensor),
            values: match adjoint {
                Some(adjoint) => self.per_example(&mut store, adjoint).values,
                None => self.repeat(ArrayD::zeros(IxDyn(&self.context.tensor(tensor).shape)), tensor, store.examples),
            },
        };
        Ok(self.derivatives.iter().map(derivative).collect())
    }

    /// One update with this minibatch; the mean loss before it, without regularizers. Noise that the minibatch does not give is
    /// drawn by the state's generator.
    ///
    /// # Errors
    /// Where an input or a target has no values, the parameters or the state are another network's, or there is no loss.
    pub fn train(&self, parameters: &mut Parameters<T>, state: &mut State<T>, batch: &Batch<T>) -> Result<T, DataError> {
        let (Some(value), Some(_)) = (self.value, self.objective) else { return Err(DataError::NotTrained) };
        let drawn = self.draw(state, batch)?;
        let mut store = self.bind(&self.schedules.train, parameters, Some(state), Some(&drawn), batch)?;
        self.run(&self.schedules.train, &mut store, None);
        let loss = self.mean(&store, value);
        let mut updated = Vec::new();
        let tasks = self.schedules.train.tasks.iter().map(|&at| &self.programs.all[at]);
        for target in tasks.flat_map(Task::programs).map(|program| program.target) {
            if let Role::Next { of } = self.context.tensor(target).role
                && let Some(values) = store.take(target)
            {
                updated.push((of, values));
            }
        }
        drop(store);
        for (tensor, values) in updated {
            if let Some(at) = self.parameters.iter().position(|parameter| parameter.tensor == tensor) {
                parameters.arrays[at].values = values;
            } else if let Some(at) = self.states.iter().position(|known| known.tensor == tensor) {
                state.arrays[at].values = values;
            }
        }
        state.updates += 1;
        Ok(loss)
    }

    /// Noise for each example, but not what is given.
    fn draw(&self, state: &mut State<T>, batch: &Batch<T>) -> Result<Batch<T>, DataError> {
        let noises: Vec<_> = self.noises.iter().filter(|noise| batch.numbers(noise.tensor).is_none()).collect();
        let shape = |noise: &model::Noise| &self.context.tensor(noise.tensor).shape;
        let mut drawn: Vec<Vec<T>> = vec![Vec::new(); noises.len()];
        for _ in 0..batch.examples() {
            for (noise, drawn) in noises.iter().zip(&mut drawn) {
                drawn.extend(state.noise.array::<T>(noise.distribution, shape(noise)));
            }
        }
        Batch::new(noises.iter().zip(drawn).map(|(noise, values)| {
            let all: Vec<usize> = std::iter::once(batch.examples()).chain(shape(noise).iter().copied()).collect();
            // As many were drawn.
            let values = ArrayD::from_shape_vec(all, values).unwrap_or_else(|_| self.mean_of(noise.tensor, batch.examples()));
            (noise.tensor, self.context.tensor(noise.tensor), Values::Numbers(values))
        }))
    }

    /// The mean of a noise, for each example.
    fn mean_of(&self, tensor: TensorId, examples: usize) -> ArrayD<T> {
        let mean = self.noises.iter().find(|noise| noise.tensor == tensor).map_or(f64::NAN, |noise| noise.distribution.mean());
        let shape: Vec<usize> = std::iter::once(examples).chain(self.context.tensor(tensor).shape.iter().copied()).collect();
        ArrayD::from_elem(shape, T::from_f64(mean))
    }

    /// Puts what is given in its place. Without a state, the update's number is 1; without drawn noise, noise is its mean.
    fn bind<'a>(
        &self,
        schedule: &Schedule,
        parameters: &'a Parameters<T>,
        state: Option<&'a State<T>>,
        drawn: Option<&'a Batch<T>>,
        batch: &'a Batch<T>,
    ) -> Result<Store<'a, T>, DataError> {
        let mut store = Store::new(self.context.tensors().count(), batch.examples());
        for &tensor in &schedule.given {
            match self.context.tensor(tensor).role {
                Role::BatchSize => store.set_scalar(tensor, T::from_f64(batch.examples() as f64)),
                Role::UpdateNumber => store.set_scalar(tensor, T::from_f64((state.map_or(0, State::updates) + 1) as f64)),
                Role::Noise => {
                    let values = batch.numbers(tensor).or_else(|| drawn.and_then(|drawn| drawn.numbers(tensor)));
                    store.set(tensor, values.unwrap_or_else(|| self.mean_of(tensor, batch.examples()).into()));
                }
                Role::Parameter => {
                    let at = self.parameters.iter().position(|parameter| parameter.tensor == tensor);
                    store.set(tensor, self.given(tensor, at, &parameters.arrays)?.values.view());
                }
                Role::State { .. } => {
                    let at = self.states.iter().position(|known| known.tensor == tensor);
                    store.set(tensor, self.given(tensor, at, state.map_or(&[], |state| &state.arrays))?.values.view());
                }
                _ => {
                    let values = batch.numbers(tensor).ok_or_else(|| DataError::Missing { tensor: self.name(tensor) })?;
                    store.set(tensor, values);
                }
            }
        }
        Ok(store)
    }

    /// The array at a position, if it has the tensor's name and shape.
    fn given<'a>(&self, tensor: TensorId, at: Option<usize>, arrays: &'a [Named<T>]) -> Result<&'a Named<T>, DataError> {
        let found = at.and_then(|at| arrays.get(at)).filter(|array| array.name == self.context.tensor(tensor).name);
        let found = found.ok_or_else(|| DataError::Missing { tensor: self.name(tensor) })?;
        let expected = &self.context.tensor(tensor).shape;
        if found.values.shape() != expected {
            let (expected, found) = (expected.clone(), found.values.shape().to_vec());
            return Err(DataError::Shape { tensor: self.name(tensor), expected, found });
        }
        Ok(found)
    }

    fn run(&self, schedule: &Schedule, store: &mut Store<'_, T>, mut decisions: Option<&mut Decisions>) {
        for &at in &schedule.tasks {
            match &self.programs.all[at] {
                Task::Whole(program) => run(program, 0, store, decisions.as_deref_mut()),
                Task::Steps(Steps { programs, extent, descending }) => {
                    for program in programs {
                        store.clear(program.target, program.is_batched(), &self.context.tensor(program.target).shape);
                    }
                    for step in 0..*extent {
                        let step = if *descending { extent - 1 - step } else { step };
                        for program in programs {
                            run(program, step, store, decisions.as_deref_mut());
                        }
                    }
                }
            }
        }
    }

    /// The mean over the examples of a scalar.
    fn mean(&self, store: &Store<'_, T>, tensor: TensorId) -> T {
        store.get(tensor).map_or_else(T::nan, |values| values.sum() / T::from_f64(values.len() as f64))
    }

    fn per_example(&self, store: &mut Store<'_, T>, tensor: TensorId) -> Named<T> {
        let values = store.take(tensor).unwrap_or_else(|| ArrayD::zeros(IxDyn(&self.context.tensor(tensor).shape)));
        Named { name: self.name(tensor), values: self.repeat(values, tensor, store.examples) }
    }

    fn per_example_view(&self, store: &Store<'_, T>, tensor: TensorId) -> ArrayD<T> {
        let values = store.get(tensor).map_or_else(|| ArrayD::from_elem(IxDyn(&[]), T::nan()), |values| values.to_owned());
        self.repeat(values, tensor, store.examples)
    }

    /// Gives each example the value of a tensor that does not depend on examples.
    fn repeat(&self, values: ArrayD<T>, tensor: TensorId, examples: usize) -> ArrayD<T> {
        let shape = &self.context.tensor(tensor).shape;
        if values.ndim() > shape.len() {
            return values;
        }
        let all: Vec<usize> = std::iter::once(examples).chain(shape.iter().copied()).collect();
        values.broadcast(all).map_or_else(|| values.clone(), |values| values.as_standard_layout().into_owned())
    }
}

fn scalar<T: Scalar>(store: &Store<'_, T>, tensor: TensorId) -> T {
    store.get(tensor).and_then(|value| value.first().copied()).unwrap_or_else(T::nan)
}
