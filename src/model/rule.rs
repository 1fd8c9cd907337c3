//! Expressions of a rule, which speak of a network that is built already.
//!
//! The same reading as that of a spec's equations, with the same functions and the same messages, but with names that are known
//! beforehand. An index that does not fit its axis is no error here: the element outside is 0, and what does not fit is noted.

use super::builder::Builder;
use super::definitions::{Definitions, Home};
use super::names::for_each_name;
use super::scope::{Binding, Scope};
use super::value::Indexed;
use crate::diagnostic::Diagnostic;
use crate::equation::{Context, ExprId, IndexId};
use crate::span::Span;
use crate::syntax::tree::{Expr, Name, Spec};

/// A name and what it stands for: an element for each place of its axes.
#[derive(Clone, Debug)]
pub struct Known {
    /// The name, such as `dense1.w` or `dE/dy`.
    pub name: String,
    /// An index for each axis.
    pub axes: Vec<IndexId>,
    /// The element there.
    pub value: ExprId,
}

/// What an expression may speak of.
#[derive(Clone, Copy)]
pub struct Vocabulary<'v> {
    /// The spec, whose functions and constants are known.
    pub user: &'v Spec,
    /// The prelude.
    pub prelude: &'v Spec,
    /// Names of values.
    pub known: &'v [Known],
    /// Names of indices that are bound around the expression.
    pub indices: &'v [(String, IndexId)],
}

/// What an expression means.
#[derive(Clone, Debug)]
pub struct Meaning {
    /// The axes it has of its own: none for an element.
    pub axes: Vec<IndexId>,
    /// The element there.
    pub value: ExprId,
    /// Indices that leave an axis or have two ranges.
    pub misfits: Vec<Diagnostic>,
}

/// The meaning of an expression.
///
/// # Errors
/// What is wrong with it.
pub fn meaning(context: &mut Context, vocabulary: &Vocabulary<'_>, expr: &Expr) -> Result<Meaning, Vec<Diagnostic>> {
    reading(context, vocabulary, expr, |builder, scope| {
        let value = builder.value(expr, scope)?;
        Some(Meaning { axes: value.axes, value: value.value, misfits: builder.misfits.take().unwrap_or_default() })
    })
}

/// The extent of an index by its plain uses in an expression.
///
/// # Errors
/// Where it has none, or two.
pub fn extent(context: &mut Context, vocabulary: &Vocabulary<'_>, index: &Name, expr: &Expr) -> Result<usize, Vec<Diagnostic>> {
    reading(context, vocabulary, expr, |builder, scope| builder.extent_by_use(index, None, expr, scope))
}

fn reading<'a, T>(
    context: &mut Context,
    vocabulary: &Vocabulary<'a>,
    expr: &'a Expr,
    read: impl FnOnce(&mut Builder<'a>, &mut Scope) -> Option<T>,
) -> Result<T, Vec<Diagnostic>> {
    let mut messages = Vec::new();
    let definitions = Definitions::collect(vocabulary.user, vocabulary.prelude, &mut messages);
    let mut builder = Builder::new(definitions, Vec::new());
    builder.context = std::mem::take(context);
    builder.misfits = Some(Vec::new());
    builder.lets(&vocabulary.prelude.statements, Home::Prelude);
    builder.lets(&vocabulary.user.statements, Home::User);
    let mut scope = Scope::new(Home::User);
    // Only what is read is bound: a rule reads few of the many names there are.
    for_each_name(expr, &mut |name, part, _| {
        let value = vocabulary.known.iter().find(|known| known.name == name);
        if let Some(known) = value
            && scope.local(name).is_none()
        {
            let value = Indexed { axes: known.axes.clone(), value: known.value };
            scope.bind(name, part.span, Binding::Value(value));
        }
    });
    let start = Span { start: expr.span.start, end: expr.span.start, ..expr.span };
    for (name, index) in vocabulary.indices {
        scope.bind(name, start, Binding::Index(*index));
    }
    let result = read(&mut builder, &mut scope);
    *context = std::mem::take(&mut builder.context);
    match result {
        Some(result) => Ok(result),
        None => {
            if builder.messages.is_empty() {
                builder.messages.push(Diagnostic::error(expr.span, "this has no meaning"));
            }
            Err(near_names(builder.messages, vocabulary))
        }
    }
}

/// A suggestion for each name that is not known: the scope has only the names that are.
fn near_names(mut messages: Vec<Diagnostic>, vocabulary: &Vocabulary<'_>) -> Vec<Diagnostic> {
    for message in &mut messages {
        let Some(name) = message.message.strip_prefix('`').and_then(|rest| rest.strip_suffix("` is not known")) else { continue };
        let known = vocabulary.known.iter().map(|known| known.name.as_str());
        if let Some(near) = crate::diagnostic::nearest(name, known)
            && message.hints.is_empty()
        {
            message.hints.push(format!("did you mean `{near}`?"));
        }
    }
    messages
}
