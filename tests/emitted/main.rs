//! Networks as users get them: through the attribute macro, compiled and run.
#![forbid(unsafe_code)]

mod gradients;
mod hostile;
mod updates;
mod usage;
