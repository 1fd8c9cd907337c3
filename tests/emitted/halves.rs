//! The halves of a step of training, between which machines add up their sums.

use deltarule::{Network, Supervised, Trainable, derive_backprop};

#[derive_backprop(
    spec = "
    input x[2]
    target t[3]
    y = x |> dense(3) |> tanh |> dense(3)
    loss squared_error(y, t)
    regularizer l2(0.5) / m
    optimizer adam(rate = 0.1) |> clip_norm(0.5)
    optimizer momentum(0.2) on dense1.b
",
    scalar = f64
)]
struct Clipped;

#[derive_backprop(
    spec = "
    input x[2]
    target t[3]
    h = x |> dense(8) |> relu |> dropout(0.5)
    y = h |> dense(3)
    loss squared_error(y, t)
    regularizer l1(0.01)
    optimizer adam(rate = 0.1)
",
    scalar = f64
)]
struct Noisy;

const INPUTS: [[f64; 2]; 5] = [[1.0, -2.0], [0.5, 3.0], [-1.0, 0.25], [2.0, 2.0], [0.0, 1.0]];
const TARGETS: [[f64; 3]; 5] = [[1.0, 0.0, 2.0], [0.0, 1.0, -1.0], [0.5, 0.5, 0.0], [-1.0, 0.0, 1.0], [0.0; 3]];

fn weights<N: Network<Scalar = f64>>(net: &N) -> Vec<f64> {
    net.as_slice().to_vec()
}

/// One machine, and several whose sums are added up, for some steps.
fn train<N: Trainable<Scalar = f64, Input = [f64; 2], Target = [f64; 3]>>(
    start: fn() -> (N, N::State, <N as Supervised>::Scratch),
    parts: &[std::ops::Range<usize>],
) -> [Vec<f64>; 2] {
    let (mut alone, mut state, mut scratch) = start();
    let (mut together, mut shared_state, mut shared_scratch) = start();
    let (mut own, mut all) = (N::ZERO, N::ZERO);
    for _ in 0..4 {
        alone.train_slice(&INPUTS, &TARGETS, &mut state, &mut scratch);
        all.as_mut_slice().fill(0.0);
        for part in parts {
            let (inputs, targets) = (&INPUTS[part.clone()], &TARGETS[part.clone()]);
            together.sum_slice(inputs, targets, &mut own, &mut shared_state, &mut shared_scratch);
            all.as_mut_slice().iter_mut().zip(own.as_slice()).for_each(|(all, own)| *all += own);
        }
        together.update(&mut all, INPUTS.len(), &mut shared_state);
    }
    [weights(&alone), weights(&together)]
}

fn clipped() -> (Clipped, ClippedState, ClippedScratch) {
    let mut net = Clipped::ZERO;
    net.initialize(3);
    (net, ClippedState::ZERO, ClippedScratch::ZERO)
}

fn noisy() -> (Noisy, NoisyState, NoisyScratch) {
    let mut net = Noisy::ZERO;
    net.initialize(3);
    (net, NoisyState::ZERO, NoisyScratch::ZERO)
}

#[test]
fn machines_that_share_a_minibatch_train_as_one() {
    let parts = [0..2, 2..2, 2..5];
    for [alone, together] in [train(clipped, &parts), train(noisy, &parts)] {
        for (a, b) in alone.iter().zip(&together) {
            assert!((a - b).abs() < 1e-9, "{a} alone, {b} together");
        }
    }
}

#[test]
fn without_examples_sums_are_0_and_nothing_is_updated() {
    let (mut net, mut state, mut scratch) = noisy();
    let (before, mut sums) = (net.clone(), net.clone());
    assert_eq!(net.sum_slice(&[], &TARGETS, &mut sums, &mut state, &mut scratch), 0.0);
    assert_eq!(sums, Noisy::ZERO);
    net.update(&mut sums, 0, &mut state);
    assert_eq!((net, state), (before, NoisyState::ZERO));
}
