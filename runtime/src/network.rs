//! What networks have in common, so that code can be generic over them.

use crate::Scalar;
use crate::memory::Plain;

/// A parameter of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in the spec, such as `dense1.w`.
    pub name: &'static str,
    /// Its extents; empty for a scalar.
    pub shape: &'static [usize],
    /// Where it begins in [`Network::as_slice`].
    pub offset: usize,
}

impl Parameter {
    /// The number of its scalars.
    #[must_use]
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

/// A network: parameters, and outputs for inputs.
pub trait Network: Plain {
    /// The type of all numbers: `f32` or `f64`.
    type Scalar: Scalar;
    /// The inputs of one example.
    type Input;
    /// What the network makes of them.
    type Output;
    /// What [`Self::predict`] computes on the way.
    type Values: Plain;

    /// The name in the spec.
    const NAME: &'static str;
    /// A hash of data, parameters and forward equations, which a file of parameters can name: where it is the same, parameters of one
    /// network fit the other.
    const NET_HASH: u64;
    /// A hash of all that the spec means, with initial values, regularizers and optimizers.
    const SPEC_HASH: u64;
    /// The parameters in the order of [`Self::as_slice`].
    const PARAMETERS: &'static [Parameter];
    /// All parameters 0.
    const ZERO: Self;

    /// Draws the parameters from their distributions. The same seed gives the same parameters, everywhere.
    fn initialize(&mut self, seed: u64);
    /// All parameters in a row.
    fn as_slice(&self) -> &[Self::Scalar];
    /// All parameters in a row, to be changed.
    fn as_mut_slice(&mut self) -> &mut [Self::Scalar];
    /// The outputs for one input.
    fn predict(&self, input: &Self::Input, output: &mut Self::Output, values: &mut Self::Values);

    /// The outputs for each input; of inputs and outputs the shorter slice counts.
    fn predict_slice(&self, inputs: &[Self::Input], outputs: &mut [Self::Output], values: &mut Self::Values) {
        for (input, output) in inputs.iter().zip(outputs) {
            self.predict(input, output, values);
        }
    }
}

/// A network with a loss.
///
/// Where inputs and targets are slices of different lengths, the shorter one counts; without examples nothing happens, and the
/// result is 0.
pub trait Supervised: Network {
    /// The targets of one example.
    type Target;
    /// The space in which losses and gradients are computed. Holds nothing that must be kept.
    type Scratch: Plain;

    /// The mean loss, without regularizers.
    fn forward_slice(&self, inputs: &[Self::Input], targets: &[Self::Target], scratch: &mut Self::Scratch) -> Self::Scalar;

    /// The mean loss of a minibatch, and the gradient of its objective, regularizers included.
    fn backward_slice(
        &self,
        inputs: &[Self::Input],
        targets: &[Self::Target],
        gradient: &mut Self,
        scratch: &mut Self::Scratch,
    ) -> Self::Scalar;

    /// The objective of a minibatch of so many examples: their mean loss with the regularizers.
    fn objective(&self, mean_loss: Self::Scalar, examples: usize) -> Self::Scalar;

    /// The loss of one example, without regularizers.
    fn forward(&self, input: &Self::Input, target: &Self::Target, scratch: &mut Self::Scratch) -> Self::Scalar {
        self.forward_slice(core::slice::from_ref(input), core::slice::from_ref(target), scratch)
    }

    /// The loss of one example, and the gradient of the objective, regularizers included.
    fn backward(
        &self,
        input: &Self::Input,
        target: &Self::Target,
        gradient: &mut Self,
        scratch: &mut Self::Scratch,
    ) -> Self::Scalar {
        self.backward_slice(core::slice::from_ref(input), core::slice::from_ref(target), gradient, scratch)
    }
}

/// A network with an optimizer.
pub trait Trainable: Supervised {
    /// What the optimizer remembers between updates.
    type State: Plain;

    /// Learns from a minibatch: forward and backward for each example, and one update. The mean loss before the update.
    fn train_slice(
        &mut self,
        inputs: &[Self::Input],
        targets: &[Self::Target],
        state: &mut Self::State,
        scratch: &mut Self::Scratch,
    ) -> Self::Scalar;

    /// The first half of [`Self::train_slice`]: `sums` becomes the sum over the examples of the derivatives of their losses. The mean loss;
    /// without examples, 0 and sums of 0.
    ///
    /// Machines that share a minibatch add up their sums, which are one slice ([`Network::as_mut_slice`]), and go on with
    /// [`Self::update`]. Of the state only the source of noise is used.
    fn sum_slice(
        &self,
        inputs: &[Self::Input],
        targets: &[Self::Target],
        sums: &mut Self,
        state: &mut Self::State,
        scratch: &mut Self::Scratch,
    ) -> Self::Scalar;

    /// The second half of [`Self::train_slice`]: one update from the sums of [`Self::sum_slice`] over so many examples. What `sums` holds
    /// afterwards has no meaning. Without examples nothing happens.
    fn update(&mut self, sums: &mut Self, examples: usize, state: &mut Self::State);

    /// Learns from one example: forward, backward, and one update. The loss before the update.
    fn train(
        &mut self,
        input: &Self::Input,
        target: &Self::Target,
        state: &mut Self::State,
        scratch: &mut Self::Scratch,
    ) -> Self::Scalar {
        self.train_slice(core::slice::from_ref(input), core::slice::from_ref(target), state, scratch)
    }
}
