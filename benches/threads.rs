//! What several threads make of a training step: 784-256-128-10 with 128 examples, `train_parallel` beside `train_slice`.
//!
//! Run it with `cargo bench --bench threads`, on a machine with nothing else to do.

use deltarule::{Boxed, Parameter, Workers, derive_backprop, rayon::ThreadPoolBuilder};
use std::hint::black_box;
use std::time::Instant;

#[derive_backprop("../examples/workloads/w5.spec", examples = 128)]
struct W5;

/// Examples of a minibatch.
const EXAMPLES: usize = 128;
/// Steps between two looks at the clock: some 200 ms, within which a system spreads threads that were asleep over its cores.
const STEPS: u32 = 400;
/// Each way runs so often, in turn.
const ROUNDS: usize = 9;

fn main() {
    // `cargo bench -- w4` is meant for another benchmark.
    if std::env::args().skip(1).any(|filter| !filter.starts_with('-') && !"threads".contains(&filter)) {
        return;
    }
    let most = std::thread::available_parallelism().map_or(1, usize::from);
    let size: usize = W5::PARAMETERS.iter().map(Parameter::size).sum();
    println!("784-256-128-10, {size} parameters, {EXAMPLES} examples: medians of {ROUNDS} rounds in turn");
    for threads in 1..=most {
        compare(threads);
    }
}

/// Prints the time of a step with one thread, with several, and their ratio.
fn compare(threads: usize) {
    let inputs: Vec<[f32; 784]> =
        (0..EXAMPLES).map(|example| std::array::from_fn(|at| ((example * 31 + at * 7) % 17) as f32 / 17.0)).collect();
    let targets: Vec<usize> = (0..EXAMPLES).map(|example| example % 10).collect();
    let (mut net, mut state) = (W5::boxed(), W5State::boxed());
    net.initialize(1);
    let mut scratch = W5Scratch::boxed();
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let mut workers = Workers::new(threads);
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(of_a_step(|| net.train_slice(&inputs, &targets, &mut state, &mut scratch)));
        // A loop within the pool does not wait, at each step, for one of its threads to wake up and for its own to be woken.
        let train = || of_a_step(|| net.train_parallel(&inputs, &targets, &mut state, &pool, &mut workers));
        together.push(pool.install(train));
    }
    let [alone, together] = [alone, together].map(median);
    println!("{threads} threads: {together:.0} µs a step, alone {alone:.0} µs: {:.2} times as fast", alone / together);
}

/// Microseconds.
fn of_a_step(mut step: impl FnMut() -> f32) -> f64 {
    let start = Instant::now();
    for _ in 0..STEPS {
        black_box(step());
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(STEPS)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
