//! The table at the end.

use std::fmt;
use std::time::Duration;

/// How one engine did.
pub(crate) struct Results {
    /// The share of test digits that were recognized.
    pub(crate) accuracy: f64,
    /// The mean loss on the test digits.
    pub(crate) loss: f64,
    /// The mean time of a minibatch: forward, backward and update.
    pub(crate) step: Duration,
    /// Heap allocations in all steps together.
    pub(crate) allocations: u64,
    pub(crate) parameter_bytes: usize,
    /// Scratch space and optimizer state, where their size is fixed.
    pub(crate) scratch_bytes: Option<usize>,
}

/// Both engines side by side.
pub(crate) struct Table {
    pub(crate) generated: Results,
    pub(crate) generic: Results,
    /// The largest difference of two weights after the first step, and at the end.
    pub(crate) first_step: f32,
    pub(crate) end: f32,
}

/// What a row says of one engine.
type TextOf = fn(&Results) -> String;

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: [(&str, TextOf); 6] = [
            ("test accuracy", |results| format!("{:.4}", results.accuracy)),
            ("test loss", |results| format!("{:.5}", results.loss)),
            ("time for a minibatch", |results| format!("{:.1} µs", results.step.as_secs_f64() * 1e6)),
            ("heap allocations while training", |results| results.allocations.to_string()),
            ("bytes of parameters", |results| results.parameter_bytes.to_string()),
            ("bytes of scratch and optimizer state", |results| match results.scratch_bytes {
                Some(bytes) => bytes.to_string(),
                None => "as needed".to_owned(),
            }),
        ];
        writeln!(f, "{:<36}{:>14}{:>14}", "", "generated", "generic")?;
        for (name, text) in rows {
            writeln!(f, "{name:<36}{:>14}{:>14}", text(&self.generated), text(&self.generic))?;
        }
        writeln!(
            f,
            "largest difference of two weights: {:.1e} after the first step, {:.1e} at the end",
            self.first_step, self.end
        )
    }
}

/// The largest difference of two weights.
pub(crate) fn largest_difference(left: &[f32], right: &[f32]) -> f32 {
    left.iter().zip(right).fold(0.0, |largest, (a, b)| largest.max((a - b).abs()))
}
