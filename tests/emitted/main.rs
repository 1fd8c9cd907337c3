//! Networks as users get them: through the attribute macro, compiled and run.
#![forbid(unsafe_code)]

mod gradients;
mod halves;
mod hostile;
mod include;
mod parallel;
mod updates;
mod usage;
