//! Updates, for a net with a loss and an optimizer.

use crate::generated::{Input, Net, Scratch, Target};

pub use crate::generated::State;

pub const START: State = State::ZERO;

pub fn step(net: &mut Net, inputs: &[Input], targets: &[Target], state: &mut State, scratch: &mut Scratch) {
    net.train_slice(inputs, targets, state, scratch);
}
