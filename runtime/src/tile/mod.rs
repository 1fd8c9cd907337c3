//! Loops in vector registers.
//!
//! A pass of a network is one task: it is compiled for each set of instructions that a machine may have, and one of them is chosen when it
//! starts ([`vectorized`]). Within, plain loops become vectors by the compiler's doing; large sums of products are calls of one routine
//! that is compiled once, with this crate ([`Contraction`]).

mod contraction;
mod dots;
mod instructions;
mod lanes;
mod row;
#[cfg(test)]
mod tests;
mod transpose;

pub use contraction::{Contraction, Level};
pub use instructions::{Run, Vectors, limit, vectorized};
pub use transpose::Transpose;
