//! Evaluation of a net with a loss: each example's loss, the objective, the gradient.

use crate::generated::{Input, Net, Scratch, Target};
use crate::write_parameters;

pub fn evaluate(net: &Net, inputs: &[Input], targets: &[Target], scratch: &mut Scratch, numbers: &mut Vec<f64>) {
    for (input, target) in inputs.iter().zip(targets) {
        numbers.push(f64::from(net.forward(input, target, scratch)));
    }
    let mut gradient = Box::new(Net::ZERO);
    let mean = net.backward_slice(inputs, targets, &mut gradient, scratch);
    numbers.push(f64::from(net.objective(mean, inputs.len())));
    write_parameters(&gradient, numbers);
}
