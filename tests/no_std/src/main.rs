//! Trains three nets on two examples each, without std, without an allocator, and without a way to panic: dense layers, windows with
//! dropout, and a recurrence.
#![no_std]
#![no_main]

use core::cell::UnsafeCell;

use backprop::{Trainable, derive_backprop};

#[derive_backprop("../../specs/digits.spec", crate = backprop)]
struct Digits;

#[derive_backprop(spec = "
    input x[9, 9, 1]
    target t: class[3]
    features = x |> conv2d(4, 3, stride = 2, padding = same) |> relu |> max_pool(2) |> conv2d(5, 2) |> tanh
    y = features |> flatten |> dropout(0.1) |> dense(3) |> softmax
    loss cross_entropy(y, t)
    optimizer adam(0.05)
", crate = backprop)]
struct Windows;

#[derive_backprop(spec = "
    input x[5, 3]
    target t: class[2]
    s = x |> lstm(4) |> gru(3) |> rnn(3)
    last[j: 3] = s[4, j]
    y = last |> dense(2) |> softmax
    loss cross_entropy(y, t)
    optimizer adam(0.05)
", crate = backprop)]
struct Steps;

/// A net and all that its training needs.
type Trained<N> = (N, <N as Trainable>::State, <N as backprop::Supervised>::Scratch);

/// All memory of the program, in place from its start.
struct Memory(UnsafeCell<(Trained<Digits>, Trained<Windows>, Trained<Steps>)>);

// SAFETY: the program has one thread.
unsafe impl Sync for Memory {}

static MEMORY: Memory = Memory(UnsafeCell::new((
    (Digits::ZERO, DigitsState::ZERO, DigitsScratch::ZERO),
    (Windows::ZERO, WindowsState::ZERO, WindowsScratch::ZERO),
    (Steps::ZERO, StepsState::ZERO, StepsScratch::ZERO),
)));

// `memcpy`, `memset` and the start of the process.
#[link(name = "c")]
unsafe extern "C" {}

/// Exits with 0 where each loss has fallen and the prediction is right.
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    // SAFETY: `main` is called once, and nothing else touches the memory.
    let (digits, windows, steps) = unsafe { &mut *MEMORY.0.get() };
    let (inputs, targets) = ([[0.0, 1.0], [1.0, 0.0]].map(pattern), [3, 7]);
    let digits_learn = learns(digits, &inputs, &targets);
    let mut output = [0.0; 10];
    digits.0.predict(&inputs[0], &mut output, &mut digits.2.values);
    let is_greatest = output.iter().all(|&other| other <= output[3]);
    let images = [[0.0, 1.0], [1.0, 0.0]].map(|colors| [pattern::<9>(colors).map(|pixel| [pixel]); 9]);
    let windows_learn = learns(windows, &images, &[0, 2]);
    let sequences = [[0.0, 1.0], [1.0, 0.0]].map(|values| [pattern::<3>(values); 5]);
    let steps_learn = learns(steps, &sequences, &[0, 1]);
    i32::from(!(digits_learn && is_greatest && windows_learn && steps_learn))
}

/// Whether a net halves its loss on these examples.
fn learns<N: Trainable<Scalar = f32>>((net, state, scratch): &mut Trained<N>, inputs: &[N::Input], targets: &[N::Target]) -> bool {
    net.initialize(1);
    let first = net.forward_slice(inputs, targets, scratch);
    for _ in 0..50 {
        net.train_slice(inputs, targets, state, scratch);
    }
    net.forward_slice(inputs, targets, scratch) < first / 2.0
}

fn pattern<const N: usize>([even, odd]: [f32; 2]) -> [f32; N] {
    let mut pixels = [even; N];
    for pixel in pixels.iter_mut().step_by(2) {
        *pixel = odd;
    }
    pixels
}

unsafe extern "C" {
    /// Defined nowhere: the program links only if the optimizer removes every path that could panic.
    fn a_path_to_a_panic_is_left() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: never called; see above.
    unsafe { a_path_to_a_panic_is_left() }
}
