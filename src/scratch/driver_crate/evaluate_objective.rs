//! Evaluation of a net with an `objective`: each example's value, then each example's derivatives.

use crate::flat::Flat;
use crate::generated::{Gradient, Input, Net, Scratch, Target};

pub fn evaluate(net: &Net, inputs: &[Input], _: &[Target], scratch: &mut Scratch, numbers: &mut Vec<f64>) {
    let mut gradient = Box::new(<Gradient as Flat>::ZERO);
    let mut derivatives = Vec::new();
    for input in inputs {
        numbers.push(f64::from(net.gradient(input, &mut gradient, scratch)));
        gradient.write(&mut derivatives);
    }
    numbers.extend(derivatives);
}
