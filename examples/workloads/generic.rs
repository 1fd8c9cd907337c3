//! The same training in the generic engine.

use deltarule_compiler::dataset::{Column, Dataset, data_shape};
use deltarule_compiler::evaluation::{batch_of, parameters_of};
use deltarule_compiler::generic::{Batch, Engine, Parameters, Scalar, State};
use deltarule_compiler::model::Model;
use deltarule_compiler::pipeline::compile;
use std::error::Error;

use crate::data::{Data, Flat, MINIBATCHES};
use crate::nets::Workload;

/// A net in the generic engine, its minibatches, and how often it was updated.
pub(crate) struct GenericTraining<T> {
    engine: Engine<T>,
    parameters: Parameters<T>,
    state: State<T>,
    minibatches: Vec<Batch<T>>,
    steps: usize,
}

impl<T: Scalar> GenericTraining<T> {
    pub(crate) fn new(workload: &Workload, data: &Data) -> Result<GenericTraining<T>, Box<dyn Error>> {
        let derivation = compile(workload.name, workload.spec).map_err(|messages| messages.render())?.derivation;
        let engine = Engine::new(&derivation)?;
        let model = &derivation.model;
        let mut numbers = data.parameters.iter().map(|&number| f64::from(number));
        let sizes = model.parameters.iter().map(|parameter| model.context.tensor(parameter.tensor).size());
        let parameters: Vec<Vec<f64>> = sizes.map(|size| numbers.by_ref().take(size).collect()).collect();
        let minibatches = (0..MINIBATCHES).map(|at| batch_of(&engine, model, &minibatch(model, workload, data, at)));
        Ok(GenericTraining {
            parameters: parameters_of(&engine, model, &parameters)?,
            state: engine.state(),
            minibatches: minibatches.collect::<Result<_, _>>()?,
            engine,
            steps: 0,
        })
    }

    /// One update with the next minibatch; its mean loss before.
    pub(crate) fn step(&mut self) -> Result<T, Box<dyn Error>> {
        let minibatch = &self.minibatches[self.steps % MINIBATCHES];
        self.steps += 1;
        Ok(self.engine.train(&mut self.parameters, &mut self.state, minibatch)?)
    }
}

fn minibatch(model: &Model, workload: &Workload, data: &Data, at: usize) -> Dataset {
    let inputs = &data.inputs.chunks_exact(workload.examples * workload.inputs).nth(at).unwrap_or_default();
    let targets = &data.targets.chunks_exact(workload.examples * workload.targets).nth(at).unwrap_or_default();
    let columns = [(&model.inputs, inputs, workload.inputs), (&model.targets, targets, workload.targets)];
    let column = |(tensors, numbers, size): (&Vec<_>, &&[f32], usize)| {
        let &tensor = tensors.first()?;
        let declared = model.context.tensor(tensor);
        let values = match declared.label {
            true => numbers.chunks_exact(size).map(|example| usize::from_numbers(example) as f64).collect(),
            false => numbers.iter().map(|&number| f64::from(number)).collect(),
        };
        Some(Column { tensor, shape: data_shape(declared), label: declared.label, values })
    };
    Dataset { count: workload.examples, columns: columns.into_iter().filter_map(column).collect() }
}
