//! Generated code never asks for memory. A test program of its own: the count is that of the whole process.
#![forbid(unsafe_code)]

use deltarule::derive_backprop;
use deltarule_compiler::allocations::{CountingAllocator, count};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[derive_backprop("specs/digits.spec")]
struct Digits;

#[test]
fn no_method_allocates() {
    let inputs: Vec<[f32; 64]> = (0..7).map(|n| [n as f32 / 7.0; 64]).collect();
    let targets: Vec<usize> = (0..7).collect();
    let mut outputs = vec![[0.0; 10]; 7];
    let (mut net, mut gradient) = (Box::new(Digits::ZERO), Box::new(Digits::ZERO));
    let (mut state, mut scratch) = (Box::new(DigitsState::ZERO), Box::new(DigitsScratch::ZERO));

    let before = count();
    assert!(before > 0, "the allocator counts");
    net.initialize(1);
    net.predict(&inputs[0], &mut outputs[0], &mut scratch.values);
    net.predict_slice(&inputs, &mut outputs, &mut scratch.values);
    let mut loss = net.forward(&inputs[0], &targets[0], &mut scratch);
    loss += net.forward_slice(&inputs, &targets, &mut scratch);
    loss += net.backward(&inputs[0], &targets[0], &mut gradient, &mut scratch);
    loss += net.backward_slice(&inputs, &targets, &mut gradient, &mut scratch);
    loss += net.objective(loss, 7);
    loss += net.train(&inputs[0], &targets[0], &mut state, &mut scratch);
    loss += net.train_slice(&inputs, &targets, &mut state, &mut scratch);
    assert_eq!(count(), before, "generated code allocated");
    assert!(loss.is_finite());
}
