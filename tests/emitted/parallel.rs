//! One update whose work several threads share.

use deltarule::rayon::{ThreadPool, ThreadPoolBuilder};
use deltarule::{Boxed, Workers, derive_backprop};

/// Many parameters, little work with each: blocks of many examples.
#[derive_backprop(spec = "
    input x[20]
    target t: class[5]
    h = x |> dense(33) |> tanh
    y = h |> dense(5) |> softmax
    loss cross_entropy(y, t)
    regularizer l2(0.01)
    optimizer adam(0.05)
")]
struct Dense;

/// Its update wants the whole of a gradient first.
#[derive_backprop(spec = "
    input x[20]
    target t: class[5]
    h = x |> dense(33) |> tanh
    y = h |> dense(5) |> softmax
    loss cross_entropy(y, t)
    optimizer momentum(0.1, 0.9) |> clip_norm(0.5)
")]
struct Clipped;

/// A parameter that stays as it is, one without rows, and rows that a part of 4096 numbers does not end with.
#[derive_backprop(
    spec = "
    input x[20]
    target t: class[5]
    param scale ~ 1.5
    h = x |> dense(300) |> tanh
    u[j] = scale * h[j]
    y = u |> dense(70) |> relu |> dense(5) |> softmax
    loss cross_entropy(y, t)
    optimizer sgd(0.05)
    optimizer none on dense2.b
",
    scalar = f64,
    examples = 8
)]
struct Partial;

/// Parameters that are used often: blocks of few examples.
#[derive_backprop(
    spec = "
    input x[12, 12, 1]
    target t: class[3]
    h = x |> conv2d(8, 5) |> relu |> conv2d(16, 5) |> relu
    y = h |> flatten |> dense(3) |> softmax
    loss cross_entropy(y, t)
    optimizer sgd(0.1)
",
    scalar = f64,
    examples = 1
)]
struct Windows;

#[derive_backprop(spec = "
    input x[20]
    target t[2]
    y = x |> dropout(0.5) |> dense(32) |> tanh |> dropout(0.2) |> dense(2)
    loss squared_error(y, t)
    optimizer sgd(0.1)
")]
struct Noisy;

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be made")
}

fn dense_data(examples: usize) -> (Vec<[f32; 20]>, Vec<usize>) {
    let inputs = (0..examples).map(|n| std::array::from_fn(|i| ((n * 7 + i * i) % 11) as f32 / 11.0 - 0.5)).collect();
    (inputs, (0..examples).map(|n| n * n % 5).collect())
}

fn dense(threads: usize, workers: usize, examples: usize) -> (Vec<f32>, f32) {
    let (inputs, targets) = dense_data(examples);
    let (mut net, mut state, mut workers) = (Dense::boxed(), DenseState::boxed(), Workers::new(workers));
    net.initialize(1);
    let pool = pool(threads);
    let losses = (0..4).map(|_| net.train_parallel(&inputs, &targets, &mut state, &pool, &mut workers)).sum();
    (net.as_slice().to_vec(), losses)
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let examples = 5 * Dense::BLOCK_EXAMPLES + 7;
    let one = dense(1, 1, examples);
    for (threads, workers) in [(2, 2), (3, 3), (8, 8), (2, 6), (3, 1), (1, 4)] {
        assert_eq!(dense(threads, workers, examples), one, "{threads} threads, {workers} workers");
    }
}

/// Three steps by several threads, which must give the same bits for any number of them, and nearly those of `train_slice`.
macro_rules! three_steps {
    ($net:ident, $state:ident, $scratch:ident, $scalar:ty, $examples:expr) => {{
        let examples: usize = $examples;
        let inputs: Vec<[$scalar; 20]> =
            (0..examples).map(|n| std::array::from_fn(|i| ((n * 7 + i * i) % 11) as $scalar / 11.0 - 0.5)).collect();
        let targets: Vec<usize> = (0..examples).map(|n| n * n % 5).collect();
        let (mut alone, mut state, mut scratch) = ($net::boxed(), $state::boxed(), $scratch::boxed());
        alone.initialize(1);
        let expected: Vec<_> = (0..3).map(|_| alone.train_slice(&inputs, &targets, &mut state, &mut scratch)).collect();
        let run = |threads, workers| {
            let (mut net, mut state, mut workers) = ($net::boxed(), $state::boxed(), Workers::new(workers));
            net.initialize(1);
            let pool = pool(threads);
            let losses: Vec<_> = (0..3).map(|_| net.train_parallel(&inputs, &targets, &mut state, &pool, &mut workers)).collect();
            (net.as_slice().to_vec(), losses, state.updates)
        };
        let one = run(1, 1);
        for (threads, workers) in [(1, 2), (2, 1), (2, 2), (3, 7)] {
            assert_eq!(run(threads, workers), one, "{examples} examples, {threads} threads, {workers} workers");
        }
        assert_eq!(one.2, 3);
        for (found, expected) in one.0.iter().chain(&one.1).zip(alone.as_slice().iter().chain(&expected)) {
            assert!((found - expected).abs() < 1e-4, "{examples} examples: {found} is not {expected}");
        }
    }};
}

#[test]
fn an_update_that_wants_a_whole_gradient_has_the_same_bits_by_any_number_of_threads() {
    for examples in [1, Clipped::BLOCK_EXAMPLES, 4 * Clipped::BLOCK_EXAMPLES + 3] {
        three_steps!(Clipped, ClippedState, ClippedScratch, f32, examples);
    }
}

#[test]
fn parts_of_parameters_have_the_same_bits_by_any_number_of_threads() {
    for examples in [1, Partial::BLOCK_EXAMPLES, 2 * Partial::BLOCK_EXAMPLES + 1, 5 * Partial::BLOCK_EXAMPLES] {
        three_steps!(Partial, PartialState, PartialScratch, f64, examples);
    }
}

#[test]
fn sums_in_blocks_agree_with_those_of_one_thread() {
    for examples in [1, 15, 2 * Dense::BLOCK_EXAMPLES + 1] {
        let (inputs, targets) = dense_data(examples);
        let (mut net, mut state, mut scratch) = (Dense::boxed(), DenseState::boxed(), DenseScratch::boxed());
        net.initialize(1);
        let losses: f32 = (0..4).map(|_| net.train_slice(&inputs, &targets, &mut state, &mut scratch)).sum();
        let (parallel, parallel_losses) = dense(2, 2, examples);
        assert!((losses - parallel_losses).abs() < 1e-4, "{examples} examples: {losses}, {parallel_losses}");
        for (found, expected) in parallel.iter().zip(net.as_slice()) {
            assert!((found - expected).abs() < 1e-4, "{examples} examples: {found} is not {expected}");
        }
    }
}

#[test]
fn a_net_whose_parameters_are_used_often_has_small_blocks() {
    const { assert!(Windows::BLOCK_EXAMPLES < Dense::BLOCK_EXAMPLES) };
    let examples = 2 * Windows::BLOCK_EXAMPLES + 3;
    let inputs: Vec<[[[f64; 1]; 12]; 12]> =
        (0..examples).map(|n| std::array::from_fn(|i| std::array::from_fn(|j| [((n + i * j) % 9) as f64 / 9.0]))).collect();
    let targets: Vec<usize> = (0..examples).map(|n| n % 3).collect();
    let (mut alone, mut state, mut scratch) = (Windows::boxed(), WindowsState::boxed(), WindowsScratch::boxed());
    alone.initialize(1);
    let mut several = Windows::boxed();
    several.clone_from(&alone);
    let mut several_state = WindowsState::boxed();
    let (pool, mut workers) = (pool(3), Workers::new(3));
    for _ in 0..3 {
        alone.train_slice(&inputs, &targets, &mut state, &mut scratch);
        several.train_parallel(&inputs, &targets, &mut several_state, &pool, &mut workers);
    }
    for (found, expected) in several.as_slice().iter().zip(alone.as_slice()) {
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }
}

#[test]
fn noise_does_not_depend_on_the_number_of_threads() {
    let (inputs, _) = dense_data(3 * Noisy::BLOCK_EXAMPLES + 1);
    let targets: Vec<[f32; 2]> = inputs.iter().map(|input| [input[0], input[1] - input[2]]).collect();
    let run = |threads| {
        let (mut net, mut state, mut workers) = (Noisy::boxed(), NoisyState::boxed(), Workers::new(threads));
        net.initialize(1);
        state.seed_noise(3);
        let pool = pool(threads);
        for _ in 0..3 {
            net.train_parallel(&inputs, &targets, &mut state, &pool, &mut workers);
        }
        net.as_slice().to_vec()
    };
    let one = run(1);
    assert!(one.iter().all(|number| number.is_finite()));
    assert_eq!(run(2), one);
    assert_eq!(run(5), one);
}

#[test]
fn without_examples_no_thread_has_work() {
    let (mut net, mut state, mut workers) = (Dense::boxed(), DenseState::boxed(), Workers::new(0));
    net.initialize(1);
    let before = net.clone();
    assert_eq!(net.train_parallel(&[], &[], &mut state, &pool(2), &mut workers), 0.0);
    assert_eq!((net, state.updates), (before, 0));
}
