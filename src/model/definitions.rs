//! The definitions of the prelude and of the user, by name.
//!
//! A name in a user's spec means the user's definition, else what is built in, else the prelude's. A name in the prelude
//! never means a user's: a spec that shadows `sigmoid` does not change what `swish` computes.

use std::collections::BTreeMap;

use super::builtin::Builtin;
use crate::diagnostic::Diagnostic;
use crate::limits;
use crate::span::Span;
use crate::syntax::tree::{Formal, FunctionDefinition, LayerDefinition, Name, OptimizerDefinition, Spec, StatementKind};

/// The file that a text stands in, which decides what its names mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Home {
    /// The prelude.
    Prelude,
    /// The user's spec.
    User,
}

/// What a call may mean.
#[derive(Clone, Copy, Debug)]
pub(super) enum Callable<'a> {
    /// An elementary function, or one of the piecewise ones that the language has of its own.
    Builtin(Builtin),
    /// A definition by the language.
    Function(&'a FunctionDefinition, Home),
    /// A definition with parameters and equations of its own.
    Layer(&'a LayerDefinition, Home),
}

/// All definitions of one file.
#[derive(Default)]
struct Table<'a> {
    callables: BTreeMap<&'a str, (Callable<'a>, Span)>,
    optimizers: BTreeMap<&'a str, &'a OptimizerDefinition>,
}

/// All definitions.
pub(super) struct Definitions<'a> {
    prelude: Table<'a>,
    user: Table<'a>,
}

impl<'a> Definitions<'a> {
    /// Collects the definitions of both files, and complains where a file has two of one name.
    pub(super) fn collect(user: &'a Spec, prelude: &'a Spec, complaints: &mut Vec<Diagnostic>) -> Self {
        Self { prelude: table(prelude, Home::Prelude, complaints), user: table(user, Home::User, complaints) }
    }

    /// What a call of `name` means in a file.
    pub(super) fn callable(&self, name: &str, home: Home) -> Option<Callable<'a>> {
        let own = if home == Home::User { self.user.callables.get(name).map(|entry| entry.0) } else { None };
        let builtin = || Builtin::from_name(name).map(Callable::Builtin);
        own.or_else(builtin).or_else(|| self.prelude.callables.get(name).map(|entry| entry.0))
    }

    /// The update rule of that name, for a file.
    pub(super) fn optimizer(&self, name: &str) -> Option<(&'a OptimizerDefinition, Home)> {
        let user = self.user.optimizers.get(name).map(|&definition| (definition, Home::User));
        user.or_else(|| self.prelude.optimizers.get(name).map(|&definition| (definition, Home::Prelude)))
    }

    /// The names that a call may have in a file.
    pub(super) fn callable_names(&self, home: Home) -> impl Iterator<Item = &'a str> + use<'a, '_> {
        let user = (home == Home::User).then(|| self.user.callables.keys().copied());
        user.into_iter()
            .flatten()
            .chain(self.prelude.callables.keys().copied())
            .chain(Builtin::names().map(|name| -> &'a str { name }))
    }

    /// The names of update rules.
    pub(super) fn optimizer_names(&self) -> impl Iterator<Item = &'a str> + use<'a, '_> {
        self.user.optimizers.keys().copied().chain(self.prelude.optimizers.keys().copied())
    }

    /// The layer that a call means, if it means one.
    pub(super) fn layer(&self, name: &str, home: Home) -> Option<&'a LayerDefinition> {
        match self.callable(name, home) {
            Some(Callable::Layer(definition, _)) => Some(definition),
            _ => None,
        }
    }
}

/// Complains about parameters of one name, and about more of them than the bound, with which a definition is left out.
fn check_formals(name: &Name, formals: &[Formal], complaints: &mut Vec<Diagnostic>) -> bool {
    if formals.len() > limits::FORMALS {
        let message = format!("`{}` has {} parameters, and a definition may have {}", name.text, formals.len(), limits::FORMALS);
        complaints.push(Diagnostic::error(name.span, message));
    }
    for (position, formal) in formals.iter().enumerate().take(limits::FORMALS) {
        if let Some(first) = formals[..position].iter().find(|other| other.name.text == formal.name.text) {
            let message = format!("`{}` has two parameters `{}`", name.text, formal.name.text);
            let message = Diagnostic::error(formal.name.span, message).label("again here");
            complaints.push(message.also(first.name.span, "first here"));
        }
    }
    formals.len() <= limits::FORMALS
}

fn table<'a>(spec: &'a Spec, home: Home, complaints: &mut Vec<Diagnostic>) -> Table<'a> {
    let mut table = Table::default();
    for statement in &spec.statements {
        let (name, earlier): (&Name, Option<Span>) = match &statement.kind {
            StatementKind::Function(definition) if check_formals(&definition.name, &definition.formals, complaints) => {
                let entry = (Callable::Function(definition, home), definition.name.span);
                (&definition.name, table.callables.insert(&definition.name.text, entry).map(|entry| entry.1))
            }
            StatementKind::Layer(definition) if check_formals(&definition.name, &definition.formals, complaints) => {
                let entry = (Callable::Layer(definition, home), definition.name.span);
                (&definition.name, table.callables.insert(&definition.name.text, entry).map(|entry| entry.1))
            }
            StatementKind::OptimizerDefinition(definition)
                if check_formals(&definition.name, &definition.formals, complaints) =>
            {
                (&definition.name, table.optimizers.insert(&definition.name.text, definition).map(|entry| entry.name.span))
            }
            _ => continue,
        };
        if let Some(earlier) = earlier {
            let message = format!("`{}` is defined twice", name.text);
            complaints.push(Diagnostic::error(name.span, message).label("again here").also(earlier, "first here"));
        }
    }
    table
}
