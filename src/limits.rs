//! Every bound of the compiler, each a documented constant with a test at it and one past it.
//!
//! A spec may come from anyone: no text makes the compiler run without bound, overflow its stack or fill the memory.

/// Bytes of the text of a spec.
pub const SOURCE_BYTES: usize = 1 << 20;

/// Bytes of a data or parameter file, before and after decompression.
pub const DATA_BYTES: u64 = 4 << 30;
/// How often the simplifier may rewrite one right-hand side. Each rewrite is a step that a sheet may print.
pub const REWRITE_STEPS: usize = 64;

/// The most terms that a product of sums is expanded to when the simplifier looks for something to cancel.
pub const EXPANDED_TERMS: usize = 64;
