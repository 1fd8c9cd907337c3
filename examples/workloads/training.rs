//! A net that is being trained on a workload.

use deltarule::{Boxed, Trainable};

use crate::data::{Data, Flat, MINIBATCHES};
use crate::nets::Workload;

/// A net, its data, and how often it was updated. Steps allocate nothing.
pub(crate) struct Training<N: Trainable> {
    net: Box<N>,
    state: Box<N::State>,
    scratch: Box<N::Scratch>,
    inputs: Vec<N::Input>,
    targets: Vec<N::Target>,
    minibatch: usize,
    steps: usize,
}

impl<N: Trainable<Scalar = f32, Input: Flat, Target: Flat>> Training<N> {
    pub(crate) fn new(workload: &Workload, data: &Data) -> Training<N> {
        let mut net = N::boxed();
        net.as_mut_slice().copy_from_slice(&data.parameters);
        Training {
            net,
            state: N::State::boxed(),
            scratch: N::Scratch::boxed(),
            inputs: data.inputs.chunks_exact(workload.inputs).map(N::Input::from_numbers).collect(),
            targets: data.targets.chunks_exact(workload.targets).map(N::Target::from_numbers).collect(),
            minibatch: workload.examples,
            steps: 0,
        }
    }

    /// One update with the next minibatch; its mean loss before.
    #[inline]
    pub(crate) fn step(&mut self) -> f32 {
        let start = self.steps % MINIBATCHES * self.minibatch;
        self.steps += 1;
        let examples = start..start + self.minibatch;
        self.net.train_slice(&self.inputs[examples.clone()], &self.targets[examples], &mut self.state, &mut self.scratch)
    }
}
