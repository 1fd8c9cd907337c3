//! Trains nets on two examples each, without std, without an allocator, and without a way to panic: dense layers, windows with dropout,
//! recurrences, attention, and all rules of optimizers.
#![no_std]
#![no_main]

mod nets;
mod panic;

use core::cell::UnsafeCell;

use backprop::{Supervised, Trainable};
use nets::{attending, digits, rules, steps, windows};

/// A net, another for its gradient, and all that its training needs.
type Trained<N> = (N, N, <N as Trainable>::State, <N as Supervised>::Scratch);

/// A net that computes all examples at once, and the same that computes one after the other.
macro_rules! both {
    ($net:ident) => {
        (Trained<$net::together::Net>, Trained<$net::one_by_one::Net>)
    };
}

/// All memory of the program, in place from its start.
struct Memory {
    digits: both!(digits),
    windows: both!(windows),
    steps: both!(steps),
    attending: both!(attending),
    rules: both!(rules),
}

struct Shared(UnsafeCell<Memory>);

// SAFETY: the program has one thread.
unsafe impl Sync for Shared {}

static MEMORY: Shared = Shared(UnsafeCell::new(Memory {
    digits: (digits::together::ZERO, digits::one_by_one::ZERO),
    windows: (windows::together::ZERO, windows::one_by_one::ZERO),
    steps: (steps::together::ZERO, steps::one_by_one::ZERO),
    attending: (attending::together::ZERO, attending::one_by_one::ZERO),
    rules: (rules::together::ZERO, rules::one_by_one::ZERO),
}));

/// Exits with 0 where each loss has fallen and the prediction is right, else with the number of the first net that fails.
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    // SAFETY: `main` is called once, and nothing else touches the memory.
    let Memory { digits, windows, steps, attending, rules } = unsafe { &mut *MEMORY.0.get() };
    let colors = [[0.0, 1.0], [1.0, 0.0]];
    let (inputs, targets) = (colors.map(pattern), [3, 7]);
    let digits_learn = learns(&mut digits.0, &inputs, &targets) && learns(&mut digits.1, &inputs, &targets);
    let mut output = [0.0; 10];
    digits.0.0.predict(&inputs[0], &mut output, &mut digits.0.3.values);
    let is_greatest = output.iter().all(|&other| other <= output[3]);
    let images = colors.map(|colors| [pattern::<9>(colors).map(|pixel| [pixel]); 9]);
    let windows_learn = learns(&mut windows.0, &images, &[0, 2]) && learns(&mut windows.1, &images, &[0, 2]);
    let sequences = colors.map(|colors| [pattern::<3>(colors); 5]);
    let steps_learn = learns(&mut steps.0, &sequences, &[0, 1]) && learns(&mut steps.1, &sequences, &[0, 1]);
    let words = colors.map(|colors| [pattern::<8>(colors); 6]);
    let attending_learn = learns(&mut attending.0, &words, &[0, 3]) && learns(&mut attending.1, &words, &[0, 3]);
    let rows = colors.map(pattern::<7>);
    let rules_learn = learns(&mut rules.0, &rows, &[2, 0]) && learns(&mut rules.1, &rows, &[2, 0]);
    let all = [digits_learn, is_greatest, windows_learn, steps_learn, attending_learn, rules_learn];
    all.iter().zip(1..).find(|(learns, _)| !**learns).map_or(0, |(_, number)| number)
}

/// Whether a net halves its loss on these examples, half of the time in whole steps and half of it in their two halves.
fn learns<N: Trainable<Scalar = f32>>(trained: &mut Trained<N>, inputs: &[N::Input], targets: &[N::Target]) -> bool {
    let (net, gradient, state, scratch) = trained;
    net.initialize(1);
    let first = net.forward_slice(inputs, targets, scratch);
    for _ in 0..50 {
        net.train_slice(inputs, targets, state, scratch);
        net.sum_slice(inputs, targets, gradient, state, scratch);
        net.update(gradient, inputs.len(), state);
    }
    let last = net.backward_slice(inputs, targets, gradient, scratch);
    last < first / 2.0 && net.objective(last, inputs.len()) >= last
}

fn pattern<const N: usize>([even, odd]: [f32; 2]) -> [f32; N] {
    let mut pixels = [even; N];
    for pixel in pixels.iter_mut().step_by(2) {
        *pixel = odd;
    }
    pixels
}
