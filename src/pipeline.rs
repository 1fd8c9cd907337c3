//! The map: text → [`Spec`] → [`Model`] → [`Derivation`] → { sheet, generic engine, Rust }.
//!
//! Each stage is one call, from one representation to the next; what a stage has to say goes into the [`Diagnostics`].

use crate::derivation::Derivation;
use crate::diagnostic::Diagnostics;

/// A spec that went through all stages, with what they said about it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// All that was derived.
    pub derivation: Derivation,
    /// Warnings, and the texts they point into.
    pub diagnostics: Diagnostics,
}

/// Compiles the text of a spec. `name` is what messages call it, such as `net.spec`.
///
/// # Errors
/// All messages, of which at least one is an error, where the spec cannot be used.
pub fn compile(name: &str, text: &str) -> Result<Compiled, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let _ = (name, text, &mut diagnostics);
    Err(diagnostics)
}
