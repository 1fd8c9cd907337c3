//! What the generic engine makes of a net, in the order in which the program writes it.

use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::generic::{Engine, Named, Parameters, Scalar, Values};
use ndarray::{ArrayD, Axis, IxDyn};

use crate::common::data::{EXAMPLES, data};
use crate::common::numbers;

const SEED: u64 = 17;
const UPDATES: usize = 3;

/// What a net is given: examples, and noise, the same for each.
pub(crate) struct Given {
    pub(crate) examples: Vec<(String, Values<f64>)>,
    pub(crate) noise: Vec<(String, ArrayD<f64>)>,
}

impl Given {
    pub(crate) fn new(derivation: &Derivation) -> Given {
        let model = &derivation.model;
        let noises = if model.loss.is_some() { &model.noises[..] } else { &[] };
        let noise = noises.iter().enumerate().map(|(at, noise)| {
            let tensor = model.context.tensor(noise.tensor);
            // Values that no distribution has been asked for: what is given counts.
            (tensor.name.clone(), numbers(&tensor.shape, 50.0 + 9.0 * at as f64))
        });
        Given { examples: data(model), noise: noise.collect() }
    }

    /// All numbers in the order in which the program reads them: the examples, each whole, then the noise.
    pub(crate) fn flat(&self) -> Vec<f64> {
        let mut flat = Vec::new();
        for example in 0..EXAMPLES {
            for (_, values) in &self.examples {
                match values {
                    Values::Numbers(numbers) => flat.extend(numbers.index_axis(Axis(0), example)),
                    Values::Labels(labels) => flat.extend(labels.index_axis(Axis(0), example).iter().map(|&label| label as f64)),
                }
            }
        }
        flat.extend(self.noise.iter().flat_map(|(_, noise)| noise));
        flat
    }

    fn examples<T: Scalar>(&self) -> Vec<(String, Values<T>)> {
        let convert = |values: &Values<f64>| match values {
            Values::Numbers(numbers) => Values::Numbers(numbers.mapv(T::from_f64)),
            Values::Labels(labels) => Values::Labels(labels.clone()),
        };
        self.examples.iter().map(|(name, values)| (name.clone(), convert(values))).collect()
    }

    /// The examples with the noise, once for each.
    fn noisy_examples<T: Scalar>(&self) -> Vec<(String, Values<T>)> {
        let repeated = self.noise.iter().map(|(name, noise)| {
            let shape = [&[EXAMPLES], noise.shape()].concat();
            let all = noise.broadcast(IxDyn(&shape)).expect("noise is the same for all examples");
            (name.clone(), Values::Numbers(all.mapv(T::from_f64)))
        });
        self.examples().into_iter().chain(repeated).collect()
    }
}

/// Results, by what they are.
type Results = Vec<(&'static str, Vec<f64>)>;

fn flat<'a, T: Scalar>(values: impl IntoIterator<Item = &'a T>) -> Vec<f64> {
    values.into_iter().map(|value| value.into_f64()).collect()
}

/// Tensors of all examples, example by example.
fn by_example<T: Scalar>(tensors: &[Named<T>]) -> Vec<f64> {
    let of = |example| tensors.iter().flat_map(move |tensor| flat(tensor.values.index_axis(Axis(0), example)));
    (0..EXAMPLES).flat_map(of).collect()
}

/// A gradient with zeros for what is not trained.
fn whole<T: Scalar>(gradient: &Parameters<T>, parameters: &Parameters<T>) -> Vec<f64> {
    let one = |parameter: &Named<T>| match gradient.get(&parameter.name) {
        Some(values) => flat(values),
        None => vec![0.0; parameter.values.len()],
    };
    parameters.iter().flat_map(one).collect()
}

/// What the engine computes.
pub(crate) fn results<T: Scalar>(derivation: &Derivation) -> Results {
    let given = Given::new(derivation);
    let engine = Engine::<T>::new(derivation).expect("the engine takes the net");
    let mut parameters = engine.initialize(SEED);
    let batch = engine.batch(given.examples()).expect("the data fits");
    let forward = engine.forward(&parameters, &batch).expect("the net runs");
    let mut results = vec![("initial parameters", parameters.iter().flat_map(|parameter| flat(&parameter.values)).collect())];
    if derivation.model.objective.is_some() {
        let derivatives = engine.derivatives(&parameters, &batch).expect("the net runs");
        results.push(("values", flat(&forward.loss)));
        results.push(("derivatives", by_example(&derivatives)));
        return results;
    }
    results.push(("outputs", by_example(&engine.predict(&parameters, &batch).expect("the net runs"))));
    let noisy = engine.batch(given.noisy_examples()).expect("the noise fits");
    let rounds = if given.noise.is_empty() { vec![&batch] } else { vec![&batch, &noisy] };
    for batch in rounds {
        let forward = engine.forward(&parameters, batch).expect("the net runs");
        let gradient = engine.gradient(&parameters, batch).expect("the net runs");
        results.push(("losses", flat(&forward.loss)));
        results.push(("mean loss and objective", vec![gradient.loss.into_f64(), gradient.objective.into_f64()]));
        results.push(("gradient", whole(&gradient.gradient, &parameters)));
    }
    if !derivation.model.optimizers.is_empty() {
        let mut state = engine.state();
        let train = |_| engine.train(&mut parameters, &mut state, &batch).expect("the net runs").into_f64();
        results.push(("losses of three updates, with noise where it is drawn", (0..UPDATES).map(train).collect()));
        results.push(("parameters after them", parameters.iter().flat_map(|parameter| flat(&parameter.values)).collect()));
    }
    results
}
