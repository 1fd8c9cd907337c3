//! The map: text → [`Spec`] → [`Model`] → [`Derivation`] → { sheet, generic engine, Rust }.
//!
//! Each stage is one call, from one representation to the next; what a stage has to say goes into the [`Diagnostics`].

use crate::derivation::{Derivation, derive};
use crate::diagnostic::Diagnostics;
use crate::include::{self, Loader};
use crate::model::{self, Model};
use crate::span::Sources;
use crate::syntax::{self, Spec};

/// A spec that went through all stages, with what they said about it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// All that was derived.
    pub derivation: Derivation,
    /// The tree of the spec, with what it includes; its definitions are known where a rule is read.
    pub spec: Spec,
    /// The files that it includes, by their paths below its folder.
    pub included: Vec<String>,
    /// Warnings, and the texts they point into.
    pub diagnostics: Diagnostics,
}

/// Compiles the text of a spec that includes no files. `name` is what messages call it, such as `net.spec`.
///
/// # Errors
/// All messages, of which at least one is an error, where the spec cannot be used.
pub fn compile(name: &str, text: &str) -> Result<Compiled, Diagnostics> {
    compile_with(name, text, &mut no_files)
}

/// Compiles the text of a spec, with a loader for the files that it includes.
///
/// # Errors
/// As [`compile`].
pub fn compile_with(name: &str, text: &str, loader: Loader<'_>) -> Result<Compiled, Diagnostics> {
    let Built { model, spec, included, diagnostics } = build_with(name, text, loader)?;
    Ok(Compiled { derivation: derive(model), spec, included, diagnostics })
}

/// The first half of [`compile`]: the model of a spec, before anything is derived, and the warnings about it.
///
/// # Errors
/// As [`compile`]. Where the text cannot be read as statements, only that is said: a statement that is missing would
/// make others look wrong.
pub fn build(name: &str, text: &str) -> Result<(Model, Diagnostics), Diagnostics> {
    build_with(name, text, &mut no_files).map(|built| (built.model, built.diagnostics))
}

/// What is known of a spec before anything is derived.
struct Built {
    model: Model,
    spec: Spec,
    included: Vec<String>,
    diagnostics: Diagnostics,
}

fn no_files(_: &str) -> Result<String, String> {
    Err("this text stands in no folder".to_owned())
}

fn build_with(name: &str, text: &str, loader: Loader<'_>) -> Result<Built, Diagnostics> {
    let mut sources = Sources::default();
    let prelude = sources.add("prelude.spec", syntax::PRELUDE);
    let main = sources.add(name, text);
    let (prelude, mut messages) = syntax::parse(&sources, prelude);
    let (mut user, user_messages) = syntax::parse(&sources, main);
    messages.extend(user_messages);
    let included = include::expand(&mut user, main, &mut sources, loader, &mut messages);
    let mut diagnostics = Diagnostics { sources, messages };
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let (model, messages) = model::build(&user, &prelude);
    diagnostics.messages.extend(messages);
    match model {
        Some(model) => Ok(Built { model, spec: user, included, diagnostics }),
        None => Err(diagnostics),
    }
}
