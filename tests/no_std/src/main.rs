//! Trains the digits net on two examples, without std, without an allocator, and without a way to panic.
#![no_std]
#![no_main]

use core::cell::UnsafeCell;

use backprop::derive_backprop;

#[derive_backprop("../../specs/digits.spec", crate = backprop)]
struct Digits;

/// All memory of the program, in place from its start.
struct Memory(UnsafeCell<(Digits, DigitsState, DigitsScratch)>);

// SAFETY: the program has one thread.
unsafe impl Sync for Memory {}

static MEMORY: Memory = Memory(UnsafeCell::new((Digits::ZERO, DigitsState::ZERO, DigitsScratch::ZERO)));

// `memcpy`, `memset` and the start of the process.
#[link(name = "c")]
unsafe extern "C" {}

/// Exits with 0 where the loss has fallen and the prediction is right.
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    // SAFETY: `main` is called once, and nothing else touches the memory.
    let (net, state, scratch) = unsafe { &mut *MEMORY.0.get() };
    net.initialize(1);
    let (inputs, targets) = ([[0.0, 1.0], [1.0, 0.0]].map(pattern), [3, 7]);
    let first = net.forward_slice(&inputs, &targets, scratch);
    for _ in 0..50 {
        net.train_slice(&inputs, &targets, state, scratch);
    }
    let last = net.forward_slice(&inputs, &targets, scratch);
    let mut output = [0.0; 10];
    net.predict(&inputs[0], &mut output, &mut scratch.values);
    let is_greatest = output.iter().all(|&other| other <= output[3]);
    i32::from(!(last < first / 2.0 && is_greatest))
}

fn pattern([even, odd]: [f32; 2]) -> [f32; 64] {
    let mut pixels = [even; 64];
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
