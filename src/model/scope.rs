//! What the names of an expression mean at one place.

use std::collections::BTreeMap;

use super::builder::Builder;
use super::definitions::Home;
use super::value::Indexed;
use crate::diagnostic::{self, Diagnostic};
use crate::equation::{Affine, IndexId, Number, TensorId};
use crate::span::Span;
use crate::syntax::tree::Name;

/// What one name means.
#[derive(Clone, Debug)]
pub(super) enum Binding {
    /// A tensor, a scalar or a number.
    Value(Indexed),
    /// An index of the equation or of a reduction.
    Index(IndexId),
    /// An index of a layer's header: a range that indices of its name have in the body.
    Range(usize),
    /// A word such as `valid`, given to a layer.
    Word(Word),
    /// Something that is wrong, which has been said.
    Broken,
}

/// A word that a layer is given.
#[derive(Clone, Debug)]
pub(super) struct Word {
    /// The word.
    pub(super) text: String,
    /// Where it stands.
    pub(super) span: Span,
    /// A name that is near, for it may be a misspelled one.
    pub(super) near: Option<String>,
}

/// A binding and where it was made.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    /// What the name means.
    pub(super) binding: Binding,
    /// Where it was given that meaning.
    pub(super) span: Span,
}

/// The names in scope, and where what is made there belongs.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    names: BTreeMap<String, Vec<Bound>>,
    /// The file that the text in scope stands in.
    pub(super) home: Home,
    /// The indices that `..` stands for. A value that has the leading axes begins with these very indices.
    pub(super) leading: Option<Vec<IndexId>>,
    /// Indices of the text around, over which equations in scope are repeated.
    pub(super) outer: Vec<IndexId>,
    /// The tensors that were made in this scope, by their names in it.
    pub(super) owned: Vec<(String, TensorId)>,
    /// What names of tensors begin with: `dense1.` inside of a layer.
    pub(super) prefix: String,
    /// Whether intermediate values get names of their own.
    pub(super) names_intermediates: bool,
    /// Where the text in scope is used, for the order of parameters.
    pub(super) place: Vec<u32>,
    /// The names of layers in this text, by the place of the call.
    pub(super) instances: BTreeMap<u32, String>,
    /// Whether the text is an equation's or a layer's, where layers may be called.
    pub(super) allows_layers: bool,
}

impl Scope {
    /// An empty scope.
    pub(super) fn new(home: Home) -> Self {
        Scope {
            names: BTreeMap::new(),
            home,
            leading: None,
            outer: Vec::new(),
            owned: Vec::new(),
            prefix: String::new(),
            names_intermediates: false,
            place: Vec::new(),
            instances: BTreeMap::new(),
            allows_layers: false,
        }
    }

    /// Gives a name a meaning, until [`Self::unbind`].
    pub(super) fn bind(&mut self, name: &str, span: Span, binding: Binding) {
        self.names.entry(name.to_owned()).or_default().push(Bound { binding, span });
    }

    /// Gives a name the meaning back that it had before the last [`Self::bind`].
    pub(super) fn unbind(&mut self, name: &str) {
        if let Some(stack) = self.names.get_mut(name) {
            stack.pop();
            if stack.is_empty() {
                self.names.remove(name);
            }
        }
    }

    /// What a name means here, not looking beyond this scope.
    pub(super) fn local(&self, name: &str) -> Option<&Bound> {
        self.names.get(name).and_then(|stack| stack.last())
    }

    /// The names in scope.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }
}

/// Names that have a meaning only in some statements, and what it is.
const ELSEWHERE: [(&str, &str); 6] = [
    ("k", "`k`, the number of the update, has a meaning only in an `optimizer` line and in what it calls"),
    ("g", "`g`, the gradient, has a meaning only in the body of an optimizer"),
    ("w", "`w`, the parameter, has a meaning only in the body of an optimizer"),
    ("m", "`m`, the size of the minibatch, has a meaning only in a `regularizer` line"),
    ("fan_in", "`fan_in` has a meaning only after the `~` of a parameter and in what is called there"),
    ("fan_out", "`fan_out` has a meaning only after the `~` of a parameter and in what is called there"),
];

impl Builder<'_> {
    /// What a name means: a local one, one of the statement, a `let` of the file, a constant.
    pub(super) fn find(&mut self, name: &str, scope: &Scope) -> Option<Binding> {
        if let Some(bound) = scope.local(name) {
            return Some(bound.binding.clone());
        }
        if let Some((_, value)) = self.ambient.iter().rev().find(|(ambient, _)| *ambient == name) {
            return Some(Binding::Value(value.clone()));
        }
        let lets = if scope.home == Home::User { &self.user_lets } else { &self.prelude_lets };
        if let Some(bound) = lets.get(name) {
            return Some(bound.binding.clone());
        }
        let number = match name {
            "pi" => std::f64::consts::PI,
            "inf" => f64::INFINITY,
            "true" => 1.0,
            "false" => 0.0,
            _ => return None,
        };
        let number = Number::new(number)?;
        Some(Binding::Value(Indexed::scalar(self.context.number(number))))
    }

    /// The value of a name.
    pub(super) fn named_value(&mut self, name: &str, span: Span, scope: &Scope) -> Option<Indexed> {
        match self.find(name, scope) {
            Some(Binding::Value(value)) => Some(value),
            Some(Binding::Index(index)) => Some(Indexed::scalar(self.context.index_value(Affine::index(index)))),
            Some(Binding::Broken) => None,
            Some(Binding::Word(word)) => {
                let message = Diagnostic::error(word.span, format!("`{}` is not a number, nor the name of one", word.text));
                let message = message.also(span, format!("`{name}` is read as a number here"));
                self.complain(match word.near {
                    Some(near) => message.hint(format!("did you mean `{near}`?")),
                    None => message,
                });
                None
            }
            Some(Binding::Range(_)) => {
                let message = format!("the index `{name}` has no value here");
                let hint = format!(
                    "it is one only inside of a reduction such as `sum({name}: …)` or with `{name}` on the left-hand side"
                );
                self.complain(Diagnostic::error(span, message).hint(hint));
                None
            }
            None => {
                self.complain_about_unknown(name, span, scope);
                None
            }
        }
    }

    /// Says that a name means nothing, and what may have been meant.
    pub(super) fn complain_about_unknown(&mut self, name: &str, span: Span, scope: &Scope) {
        let mut message = Diagnostic::error(span, format!("`{name}` is not known")).label("no such name");
        if let Some(near) = self.nearest_name(name, scope) {
            message = message.hint(format!("did you mean `{near}`?"));
        } else if let Some((_, hint)) = ELSEWHERE.iter().find(|entry| entry.0 == name) {
            message = message.hint(*hint);
        } else if self.definitions.callable(name, scope.home).is_some() {
            message = message.hint(format!("`{name}` is a function; call it, as in `{name}(…)` or `… |> {name}`"));
        }
        self.complain(message);
    }

    /// The known name that was most likely meant.
    pub(super) fn nearest_name(&self, name: &str, scope: &Scope) -> Option<String> {
        let lets = if scope.home == Home::User { &self.user_lets } else { &self.prelude_lets };
        let ambient = self.ambient.iter().map(|(name, _)| *name);
        let known = scope.names().chain(lets.keys().map(String::as_str)).chain(ambient).chain(["pi", "inf"]);
        diagnostic::nearest(name, known).map(str::to_owned)
    }

    /// Binds a declared name, or says that it is taken.
    pub(super) fn bind_new(&mut self, scope: &mut Scope, name: &Name, binding: Binding) {
        if matches!(binding, Binding::Broken) {
            self.insist(name.span);
        }
        if let Some(bound) = scope.local(&name.text)
            && !matches!(bound.binding, Binding::Range(_))
        {
            let earlier = bound.span;
            self.complain_about_doubled(&name.text, name.span, earlier);
            return;
        }
        scope.bind(&name.text, name.span, binding);
    }

    /// Says that something has no meaning, should no message have said why: no mistake leaves a model.
    pub(super) fn insist(&mut self, span: Span) {
        if !self.has_errors() {
            self.complain(Diagnostic::error(span, "this has no meaning"));
        }
    }

    /// Says that a name is declared twice.
    pub(super) fn complain_about_doubled(&mut self, name: &str, again: Span, first: Span) {
        let message = format!("`{name}` is declared twice");
        self.complain(Diagnostic::error(again, message).label("again here").also(first, "first here"));
    }
}
