//! Trains the net of `examples/digits` for 1,000 steps on a microcontroller without an operating system, or on this computer, and
//! prints the same lines on both: losses, and at the end a hash of the bits of all weights.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod bare_metal;
mod digits;

use core::fmt::{self, Write};

use deltarule::derive_backprop;

/// Recognizes handwritten digits.
// One example after the other: memory is scarce, and both machines add up in the same order.
#[derive_backprop("../../digits/digits.spec", examples = 1)]
pub struct Digits;

const STEPS: usize = 1000;
const MINIBATCH: usize = 16;
/// The mean loss is printed each time that so many steps are done.
const REPORT: usize = 200;

/// All memory that training needs.
struct Memory {
    net: Digits,
    state: DigitsState,
    scratch: DigitsScratch,
    images: [[f32; 64]; MINIBATCH],
    labels: [usize; MINIBATCH],
}

impl Memory {
    const ZERO: Memory = Memory {
        net: Digits::ZERO,
        state: DigitsState::ZERO,
        scratch: DigitsScratch::ZERO,
        images: [[0.0; 64]; MINIBATCH],
        labels: [0; MINIBATCH],
    };
}

#[cfg(not(target_os = "none"))]
fn main() -> std::io::Result<()> {
    let mut lines = String::new();
    run(&mut Box::new(Memory::ZERO), &mut lines).map_err(std::io::Error::other)?;
    std::io::Write::write_all(&mut std::io::stdout(), lines.as_bytes())
}

/// Trains, and says how it goes.
fn run(memory: &mut Memory, out: &mut impl Write) -> fmt::Result {
    let Memory { net, state, scratch, images, labels } = memory;
    net.initialize(1);
    let mut loss = 0.0;
    for step in 0..STEPS {
        digits::minibatch(step, images, labels);
        loss += net.train_slice(&images[..], &labels[..], state, scratch);
        if (step + 1) % REPORT == 0 {
            writeln!(out, "step {:4}: mean loss {:.6}", step + 1, loss / REPORT as f32)?;
            loss = 0.0;
        }
    }
    let (mut right, mut of) = (0, 0);
    for (image, label) in digits::held_out() {
        let mut output = [0.0; 10];
        net.predict(&image, &mut output, &mut scratch.values);
        right += usize::from(output.iter().all(|&other| other <= output[label]));
        of += 1;
    }
    writeln!(out, "held out: {right} of {of} digits recognized")?;
    writeln!(out, "weights: {:016x}", hash(net.as_slice()))
}

/// A hash of the bits of all numbers (FNV-1a).
fn hash(weights: &[f32]) -> u64 {
    let bytes = weights.iter().flat_map(|weight| weight.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
