//! The nets, and which of them is trained on minibatches of which size.

use deltarule::{Trainable, derive_backprop};

use crate::data::Flat;

/// 2-2-1, sigmoid.
#[derive_backprop("w1.spec", examples = 32)]
pub(crate) struct W1;

/// 4-16-3, tanh.
#[derive_backprop("w2.spec", examples = 32)]
pub(crate) struct W2;

/// 64-32-10, relu.
#[derive_backprop("w3.spec", examples = 32)]
pub(crate) struct W3;

/// 784-128-10, relu.
#[derive_backprop("w4.spec", examples = 128)]
pub(crate) struct W4;

/// 784-256-128-10, relu.
#[derive_backprop("w5.spec", examples = 128)]
pub(crate) struct W5;

/// Two convolutions, then 784-64-10, relu.
#[derive_backprop("w6.spec", examples = 16)]
pub(crate) struct W6;

/// Ten layers of 32, then 1, tanh.
#[derive_backprop("w7.spec", examples = 32)]
pub(crate) struct W7;

/// A net, and the size of its minibatches.
#[derive(Clone, Copy)]
pub(crate) struct Workload {
    /// Also the name of its file of data.
    pub(crate) name: &'static str,
    /// The examples of a minibatch.
    pub(crate) examples: usize,
    /// The numbers that an example has as inputs.
    pub(crate) inputs: usize,
    /// The numbers that an example has as targets in the file; of a label one for each class.
    pub(crate) targets: usize,
    /// The text of the net's spec.
    pub(crate) spec: &'static str,
    net: Net,
}

#[derive(Clone, Copy)]
enum Net {
    W1,
    W2,
    W3,
    W4,
    W5,
    W6,
    W7,
}

/// All workloads.
pub(crate) const WORKLOADS: [Workload; 11] = [
    workload("w1_b1", 1, 2, 1, Net::W1),
    workload("w2_b1", 1, 4, 3, Net::W2),
    workload("w2_b32", 32, 4, 3, Net::W2),
    workload("w3_b1", 1, 64, 10, Net::W3),
    workload("w3_b32", 32, 64, 10, Net::W3),
    workload("w4_b1", 1, 784, 10, Net::W4),
    workload("w4_b32", 32, 784, 10, Net::W4),
    workload("w4_b128", 128, 784, 10, Net::W4),
    workload("w5_b128", 128, 784, 10, Net::W5),
    workload("w6_b16", 16, 784, 10, Net::W6),
    workload("w7_b1", 1, 32, 1, Net::W7),
];

const fn workload(name: &'static str, examples: usize, inputs: usize, targets: usize, net: Net) -> Workload {
    let spec = match net {
        Net::W1 => include_str!("w1.spec"),
        Net::W2 => include_str!("w2.spec"),
        Net::W3 => include_str!("w3.spec"),
        Net::W4 => include_str!("w4.spec"),
        Net::W5 => include_str!("w5.spec"),
        Net::W6 => include_str!("w6.spec"),
        Net::W7 => include_str!("w7.spec"),
    };
    Workload { name, examples, inputs, targets, spec, net }
}

/// What can be done with a workload, whatever its net.
pub(crate) trait Task {
    /// What comes of it.
    type Result;

    /// Does it with the generated code of one net.
    fn run<N>(&mut self, workload: &Workload) -> Self::Result
    where
        N: Trainable<Scalar = f32, Input: Flat, Target: Flat>;
}

impl Workload {
    /// Gives a task the net.
    pub(crate) fn with_net<T: Task>(&self, task: &mut T) -> T::Result {
        match self.net {
            Net::W1 => task.run::<W1>(self),
            Net::W2 => task.run::<W2>(self),
            Net::W3 => task.run::<W3>(self),
            Net::W4 => task.run::<W4>(self),
            Net::W5 => task.run::<W5>(self),
            Net::W6 => task.run::<W6>(self),
            Net::W7 => task.run::<W7>(self),
        }
    }
}
