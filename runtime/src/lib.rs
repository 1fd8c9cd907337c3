//! Backpropagation that is compiled for one network.
//!
//! A network is described by a list of equations, in a file beside the source or inline:
//!
//! ```
//! use deltarule::derive_backprop;
//!
//! /// Learns the exclusive or.
//! #[derive_backprop(spec = "
//!     input  x[2]
//!     target t[1]
//!     h = x |> dense(4) |> tanh
//!     y = h |> dense(1) |> sigmoid
//!     loss binary_cross_entropy(y, t)
//!     optimizer sgd(rate = 2)
//! ")]
//! pub struct Xor;
//!
//! let inputs = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
//! let targets = [[0.0], [1.0], [1.0], [0.0]];
//!
//! let mut net = Xor::ZERO;
//! let mut state = XorState::ZERO;
//! let mut scratch = XorScratch::ZERO;
//! net.initialize(1);
//! for _ in 0..500 {
//!     net.train_slice(&inputs, &targets, &mut state, &mut scratch);
//! }
//!
//! let mut output = [0.0];
//! net.predict(&[1.0, 0.0], &mut output, &mut scratch.values);
//! assert!(output[0] > 0.9);
//! ```
//!
//! The macro derives the gradient symbolically when the crate is compiled, and writes loops over arrays of constant sizes:
//! no allocation, no panic, no `std`, no `unsafe` in the generated code. The struct becomes the parameters themselves (`net.dense1.w`
//! is a `[[f32; 4]; 2]`); hovering over a method shows the equations that it computes.
//!
//! | generated | is |
//! | --- | --- |
//! | `Xor` | the parameters; a gradient has the same type |
//! | `XorValues` | what `predict` computes on the way |
//! | `XorScratch` | what `forward`, `backward` and `train` compute |
//! | `XorState` | what the optimizer remembers |
//! | `XorInput`, `XorTarget`, `XorOutput` | an example's tensors, where there are several; one alone is an array, a number, or a label (`usize`) |
//!
//! All of them have a constant `ZERO`, so that they fit in a `static`; with the feature `alloc`, `Boxed::boxed` builds them in place on the heap.
//! The traits [`Network`], [`Supervised`] and [`Trainable`] let code be generic over networks.
//!
//! # Arguments of the macro
//! - `#[derive_backprop("net.spec")]`: a file, relative to the source file that names it;
//! - `#[derive_backprop(spec = "…")]`: the text itself;
//! - `scalar = f64`: the type of all numbers, `f32` unless given;
//! - `examples = 8`: how many examples of a minibatch are computed at once, 32 unless given. More are quicker and need more scratch
//!   space; with `examples = 1` there is none but for one example;
//! - `crate = path`: where this crate is found, if it is renamed or re-exported.
#![no_std]
#![warn(missing_docs)]

#[cfg(feature = "alloc")]
extern crate alloc;

mod memory;
mod network;
#[doc(hidden)]
pub mod private;
mod random;
mod scalar;
mod single;
mod square_root;
mod tile;

/// What generated code refers to; not for use by hand.
#[doc(hidden)]
pub use private as __private;

#[cfg(feature = "derive")]
pub use deltarule_derive::derive_backprop;

#[cfg(feature = "alloc")]
pub use memory::Boxed;
pub use memory::{Contiguous, Plain};
pub use network::{Network, Parameter, Supervised, Trainable};
pub use random::Generator;
pub use scalar::Scalar;
