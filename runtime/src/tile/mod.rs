//! Loops in vector registers.
//!
//! A pass of a network is one task: it is compiled for each set of instructions that a machine may have, and one of them is chosen when it
//! starts ([`vectorized`]). Within, plain loops become vectors by the compiler's doing. Products of matrices are calls of functions
//! that are compiled for their strides ([`Product`]), all other sums of products calls of one routine that is compiled once, with this
//! crate ([`Contraction`]). What has short axes is computed for several examples beside each other ([`Block`]).
//! Elementary functions of short rows are looked up where registers hold a table ([`of_each`]).

mod abreast;
#[cfg(test)]
mod all_instructions;
mod columns;
mod contraction;
mod dots;
mod elements;
mod functions;
mod instructions;
mod lanes;
mod permute;
// Without vectors, the routine for all sizes is as good.
#[cfg_attr(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")), allow(dead_code))]
mod product;
mod registers;
mod row;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod same;
#[cfg(test)]
mod sweep_tests;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod table;
#[cfg(test)]
mod tests;
mod transpose;
mod unzip;
#[cfg(test)]
mod windows_tests;

pub use abreast::{ABREAST, Block, examples_of_block, gather, gather_labels, place, place_labels, scatter};
pub use contraction::{Contraction, Level};
pub use functions::{Sigmoid, Tanh, of_each};
pub use instructions::{Run, Vectors, limit, vectorized};
pub use product::{Product, Sizes, Sweep, Windows};
pub use transpose::Transpose;
