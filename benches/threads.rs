//! What several threads make of a training step: 784-256-128-10 with 128 examples, `train_parallel` beside `train_slice`.
//!
//! Run it with `cargo bench --bench threads`, on a machine with nothing else to do. A virtual machine may at times get no more of its host than one
//! core for two of its own, and no program in it can tell. So each thread trains a net of its own as well, which none waits for: what that makes of
//! several threads is the most that sharing a minibatch can.

use deltarule::{Boxed, Parameter, Workers, derive_backprop, rayon::ThreadPoolBuilder};
use std::hint::black_box;
use std::sync::Mutex;
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

/// A net and what one thread trains it with.
struct Learner {
    net: Box<W5>,
    state: Box<W5State>,
    scratch: Box<W5Scratch>,
}

impl Learner {
    fn new() -> Self {
        let mut net = W5::boxed();
        net.initialize(1);
        Self { net, state: W5State::boxed(), scratch: W5Scratch::boxed() }
    }
}

/// Prints the time of a step with one thread, with several, with several that have a net each, and their ratios.
fn compare(threads: usize) {
    let inputs: Vec<[f32; 784]> =
        (0..EXAMPLES).map(|example| std::array::from_fn(|at| ((example * 31 + at * 7) % 17) as f32 / 17.0)).collect();
    let targets: Vec<usize> = (0..EXAMPLES).map(|example| example % 10).collect();
    let train_alone = |learner: &mut Learner| {
        let Learner { net, state, scratch } = learner;
        of_a_step(|| net.train_slice(&inputs, &targets, state, scratch))
    };
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let (mut learner, mut workers) = (Learner::new(), Workers::new(threads));
    let learners: Vec<_> = (0..threads).map(|_| Mutex::new(Learner::new())).collect();
    let (mut alone, mut together, mut apart) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(train_alone(&mut learner));
        // A loop within the pool does not wait, at each step, for one of its threads to wake up and for its own to be woken.
        let Learner { net, state, .. } = &mut learner;
        let train = || of_a_step(|| net.train_parallel(&inputs, &targets, state, &pool, &mut workers));
        together.push(pool.install(train));
        let times = pool.broadcast(|thread| train_alone(&mut learners[thread.index()].lock().expect("no thread has failed")));
        apart.push(times.into_iter().fold(0.0, f64::max));
    }
    let [alone, together, apart] = [alone, together, apart].map(median);
    println!(
        "{threads} threads: {together:.0} µs a step, alone {alone:.0} µs: {:.2} times as fast; with a net each {apart:.0} µs: {:.2} times as much",
        alone / together,
        threads as f64 * alone / apart,
    );
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
