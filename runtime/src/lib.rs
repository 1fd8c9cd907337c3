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
//! # Several cores
//! With the feature `std`, networks with an optimizer have `train_parallel`. The caller owns the threads and what each of them needs:
//!
//! ```
//! # #[cfg(feature = "std")]
//! # fn main() -> Result<(), deltarule::rayon::ThreadPoolBuildError> {
//! use deltarule::rayon::ThreadPoolBuilder;
//! use deltarule::{Boxed, Workers, derive_backprop};
//!
//! #[derive_backprop(spec = "
//!     input  x[16]
//!     target t: class[4]
//!     y = x |> dense(64) |> relu |> dense(4) |> softmax
//!     loss cross_entropy(y, t)
//!     optimizer momentum(rate = 0.1, alpha = 0.9)
//! ")]
//! struct Net;
//!
//! let inputs: Vec<[f32; 16]> = (0..512).map(|n| std::array::from_fn(|i| ((n * i) % 7) as f32 / 7.0)).collect();
//! let targets: Vec<usize> = (0..512).map(|n| n % 4).collect();
//!
//! let pool = ThreadPoolBuilder::new().num_threads(2).build()?;
//! let mut workers = Workers::new(2);
//! let (mut net, mut state) = (Net::boxed(), NetState::boxed());
//! net.initialize(1);
//! let first = net.train_parallel(&inputs, &targets, &mut state, &pool, &mut workers);
//! let second = net.train_parallel(&inputs, &targets, &mut state, &pool, &mut workers);
//! assert!(second < first);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "std"))]
//! # fn main() {}
//! ```
//!
//! The minibatch is split into blocks of a number of examples that follows from the network alone (`Net::BLOCK_EXAMPLES`), and their gradients are added in the order of
//! the blocks: the result is the same, bit for bit, for any number of threads and workers. It differs from that of `train_slice` as sums
//! in another order do.
//!
//! # Arguments of the macro
//! - `#[derive_backprop("net.spec")]`: a file, relative to the source file that names it;
//! - `#[derive_backprop(spec = "…")]`: the text itself;
//! - `scalar = f64`: the type of all numbers, `f32` unless given;
//! - `examples = 8`: how many examples of a minibatch are computed at once, 32 unless given. More are quicker and need more scratch
//!   space; with `examples = 1` there is none but for one example;
//! - `scratch <= 16 KiB`, `values <= 2 KiB`: budgets for `XorScratch` and `XorValues`, in `bytes`, `KiB` or `MiB`. A network that needs
//!   more does not compile, and the message lists what takes most of it;
//! - `crate = path`: where this crate is found, if it is renamed or re-exported.
#![no_std]
#![warn(missing_docs)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod math;
mod memory;
mod network;
#[cfg(feature = "std")]
mod parallel;
#[doc(hidden)]
pub mod private;
mod random;
mod scalar;
mod shared;
mod tile;

/// Without the feature `std`, there are no threads.
#[cfg(not(feature = "std"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __parallel {
    ($way:ident, $network:ty, $split:item) => {};
}

/// What generated code refers to; not for use by hand.
#[doc(hidden)]
pub use private as __private;

#[cfg(feature = "derive")]
pub use deltarule_derive::derive_backprop;

#[cfg(feature = "alloc")]
pub use memory::Boxed;
pub use memory::{Contiguous, Plain};
pub use network::{Network, Parameter, Supervised, Trainable};
#[cfg(feature = "std")]
pub use parallel::Workers;
pub use random::Generator;
/// The crate whose pools run [`Workers`].
#[cfg(feature = "std")]
pub use rayon;
pub use scalar::Scalar;
