//! Calls: what is called, and which argument goes where.

use super::builder::Builder;
use super::builtin::Builtin;
use super::definitions::Callable;
use super::scope::Scope;
use super::value::{Indexed, list_words};
use crate::diagnostic::{self, Diagnostic};
use crate::span::Span;
use crate::syntax::tree::{Expr, ExprKind, Formal, Name};

/// An argument as it was written, or as it was computed before.
#[derive(Clone)]
pub(super) enum Given<'a> {
    /// An expression that stands in the caller's scope.
    Written(&'a Expr),
    /// A value that is known already, and where it stands.
    Computed(Indexed, Span),
}

impl Given<'_> {
    /// Where it stands.
    pub(super) fn span(&self) -> Span {
        match self {
            Given::Written(expr) => expr.span,
            Given::Computed(_, span) => *span,
        }
    }
}

/// A call with its arguments in order.
pub(super) struct Call<'a> {
    /// What is called.
    pub(super) name: &'a str,
    /// Where its name stands.
    pub(super) span: Span,
    /// The name that `as` gives.
    pub(super) label: Option<&'a Name>,
    /// The arguments, with their names where these were written.
    pub(super) arguments: Vec<(Option<&'a Name>, Given<'a>)>,
}

/// A parameter of what is called.
pub(super) struct Slot<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Whether it may be left out.
    pub(super) is_optional: bool,
}

/// The parameters of a definition.
pub(super) fn slots(formals: &[Formal]) -> Vec<Slot<'_>> {
    formals.iter().map(|formal| Slot { name: &formal.name.text, is_optional: formal.default.is_some() }).collect()
}

impl<'a> Builder<'a> {
    /// A call or a pipe as a call; in `x |> f(a)` the value of `x` is computed here.
    pub(super) fn call_of(&mut self, expr: &'a Expr, scope: &mut Scope) -> Option<Call<'a>> {
        match &expr.kind {
            ExprKind::Call { name, arguments } => {
                let arguments = arguments.iter().map(|argument| (argument.name.as_ref(), Given::Written(&argument.value)));
                Some(Call { name: &name.text, span: name.span, label: None, arguments: arguments.collect() })
            }
            ExprKind::Pipe { value, call, label } => {
                let first = self.value(value, scope);
                let mut inner = match &call.kind {
                    ExprKind::Name(name) => Call { name, span: call.span, label: None, arguments: Vec::new() },
                    ExprKind::Call { .. } => self.call_of(call, scope)?,
                    _ => {
                        let message = "a function or a layer is wanted after `|>`";
                        self.complain(Diagnostic::error(call.span, message));
                        return None;
                    }
                };
                inner.label = label.as_ref();
                inner.arguments.insert(0, (None, Given::Computed(first?, value.span)));
                Some(inner)
            }
            _ => None,
        }
    }

    /// What a call calls.
    pub(super) fn callee(&mut self, call: &Call<'a>, scope: &Scope) -> Option<Callable<'a>> {
        if let Some(callable) = self.definitions.callable(call.name, scope.home) {
            if let (Some(label), false) = (call.label, matches!(callable, Callable::Layer(..))) {
                let message = format!("`{}` is no layer: it owns nothing that `as` could name", call.name);
                self.complain(Diagnostic::error(label.span, message));
            }
            return Some(callable);
        }
        let mut message =
            Diagnostic::error(call.span, format!("`{}` is not defined", call.name)).label("no such function or layer");
        let near = diagnostic::nearest(call.name, self.definitions.callable_names(scope.home));
        if let Some(near) = near {
            message = message.hint(format!("did you mean `{near}`?"));
        } else if self.definitions.optimizer(call.name).is_some() {
            message = message.hint(format!("`{}` is an optimizer: write `optimizer {}(…)`", call.name, call.name));
        } else if matches!(call.name, "normal" | "uniform") {
            message = message.hint(format!("`{}` is a distribution, which stands after the `~` of a parameter", call.name));
        } else if scope.local(call.name).is_some() {
            message =
                message.hint(format!("`{}` is a value; its elements are read with brackets, `{}[…]`", call.name, call.name));
        }
        self.complain(message);
        None
    }

    /// Brings arguments into the order of the parameters; those left out are `None`.
    pub(super) fn matched(&mut self, call: Call<'a>, slots: &[Slot<'_>]) -> Option<Vec<Option<Given<'a>>>> {
        let mut matched: Vec<Option<Given<'a>>> = slots.iter().map(|_| None).collect();
        let mut is_sound = true;
        let (mut position, mut surplus) = (0, Vec::new());
        for (name, given) in call.arguments {
            let span = name.map_or(given.span(), |name| name.span);
            let at = match name {
                None => {
                    position += 1;
                    if position > slots.len() {
                        surplus.push(span);
                        continue;
                    }
                    position - 1
                }
                Some(name) => match slots.iter().position(|slot| slot.name == name.text) {
                    Some(at) => at,
                    None => {
                        self.complain_about_argument(call.name, name, slots);
                        is_sound = false;
                        continue;
                    }
                },
            };
            if let Some(earlier) = &matched[at] {
                let message = format!("`{}` is given twice", slots[at].name);
                self.complain(Diagnostic::error(span, message).label("again here").also(earlier.span(), "first here"));
                is_sound = false;
                continue;
            }
            matched[at] = Some(given);
        }
        if let Some(&first) = surplus.first() {
            let message = format!("`{}` takes {}, and {} are given", call.name, arguments_words(slots.len()), position);
            self.complain(Diagnostic::error(first, message).label("too many").hint(signature(call.name, slots)));
            is_sound = false;
        }
        let missing: Vec<&str> = slots
            .iter()
            .zip(&matched)
            .filter(|(slot, given)| given.is_none() && !slot.is_optional)
            .map(|(slot, _)| slot.name)
            .collect();
        if !missing.is_empty() && is_sound {
            let message = format!("`{}` also wants {}", call.name, list_words(missing));
            self.complain(Diagnostic::error(call.span, message).hint(signature(call.name, slots)));
            is_sound = false;
        }
        is_sound.then_some(matched)
    }

    fn complain_about_argument(&mut self, callee: &str, name: &Name, slots: &[Slot<'_>]) {
        let mut message = Diagnostic::error(name.span, format!("`{callee}` has no parameter `{}`", name.text));
        message = match diagnostic::nearest(&name.text, slots.iter().map(|slot| slot.name)) {
            Some(near) => message.hint(format!("did you mean `{near}`?")),
            None => message.hint(signature(callee, slots)),
        };
        self.complain(message);
    }

    /// The value of an argument, in the caller's scope.
    pub(super) fn given_value(&mut self, given: &Given<'a>, scope: &mut Scope) -> Option<Indexed> {
        match given {
            Given::Written(expr) => self.value(expr, scope),
            Given::Computed(value, _) => Some(value.clone()),
        }
    }

    /// A call of what is built in: element by element.
    pub(super) fn apply_builtin(&mut self, builtin: Builtin, call: Call<'a>, scope: &mut Scope) -> Option<Indexed> {
        let slots: Vec<Slot<'_>> = builtin.formals().iter().map(|name| Slot { name, is_optional: false }).collect();
        let matched = self.matched(call, &slots)?;
        let mut operands = Vec::new();
        for given in matched.iter().flatten() {
            operands.push(self.given_value(given, scope).map(|value| (value, given.span())));
        }
        let operands = operands.into_iter().collect::<Option<Vec<_>>>()?;
        let (axes, values) = self.aligned(&operands, scope)?;
        Some(Indexed { axes, value: builtin.apply(&mut self.context, &values) })
    }
}

fn arguments_words(count: usize) -> String {
    match count {
        0 => "no arguments".to_owned(),
        1 => "1 argument".to_owned(),
        _ => format!("{count} arguments"),
    }
}

/// How something is called, for a hint.
fn signature(name: &str, slots: &[Slot<'_>]) -> String {
    let slots: Vec<String> =
        slots.iter().map(|slot| if slot.is_optional { format!("{} = …", slot.name) } else { slot.name.to_owned() }).collect();
    format!("it is called as `{name}({})`", slots.join(", "))
}
