//! Has a path to a panic, so that it must not link: an index of which nothing is known.
#![no_std]
#![no_main]

#[path = "../panic.rs"]
mod panic;

use backprop::derive_backprop;

#[derive_backprop("../../../specs/digits.spec", crate = backprop)]
struct Digits;

static DIGITS: Digits = Digits::ZERO;

#[unsafe(no_mangle)]
extern "C" fn main(argument_count: i32) -> i32 {
    DIGITS.as_slice()[argument_count as usize] as i32
}
