//! What an optimizer's gradient is piped through: `optimizer sgd(0.5) |> clip_norm(1)`.
//!
//! A clipping function is a function like others, of numbers or of tensors. In one of tensors, `..` stands for all axes of the
//! gradients of all parameters of the line: the sum in `function clip_norm(g[..], limit) = g * min(limit / sqrt(sum(..: g^2)), 1)` is one
//! number for the whole line, and becomes a constant that is computed from the gradients.

use super::builder::Builder;
use super::call::{Call, Given, slots};
use super::definitions::Callable;
use super::scope::Scope;
use super::value::{Indexed, shape_words};
use crate::diagnostic::Diagnostic;
use crate::equation::{Equation, ExprId, IndexId, Node, ReduceKind};
use crate::span::Span;
use crate::syntax::tree::{Expr, ExprKind, Name, ReduceOperator};

/// A function that a gradient is put through.
pub(super) struct Clip<'a> {
    name: &'a str,
    span: Span,
    callable: Callable<'a>,
    /// What it is given besides the gradient.
    arguments: Vec<(Option<&'a Name>, Given<'a>)>,
    /// What its constants are called by: `clip_norm` in `clip_norm.sum`.
    owner: String,
}

/// The reductions over all gradients of a line, as far as they are known while a clipping function is read for one of them.
///
/// One may lie in another, as the mean lies in a variance. So the function is read for all gradients until each of its reductions is known,
/// one more at a time.
#[derive(Clone, Default)]
pub(super) struct Totals {
    /// Those that are known, in the order in which the function needs them.
    known: Vec<ExprId>,
    /// How many have been met.
    met: usize,
    /// The first that is not known, of one gradient alone.
    part: Option<Part>,
}

/// A reduction over one gradient.
#[derive(Clone, Copy)]
struct Part {
    operator: ReduceOperator,
    /// Its value; the sum where a mean is wanted.
    value: ExprId,
    /// How many values it reduces.
    count: i64,
}

impl<'a> Builder<'a> {
    /// What follows a `|>` of an optimizer line; its numbers become constants.
    pub(super) fn clip(&mut self, call: &'a Expr, label: Option<&'a Name>, scope: &mut Scope) -> Option<Clip<'a>> {
        let mut call = match &call.kind {
            ExprKind::Name(name) => Call { name, span: call.span, label: None, arguments: Vec::new() },
            ExprKind::Call { .. } => self.call_of(call, scope)?,
            _ => {
                let message = "a function of the gradient is wanted after `|>`";
                self.complain(Diagnostic::error(call.span, message).hint("such as `clip_norm(1)`"));
                return None;
            }
        };
        call.label = label;
        if self.definitions.callable(call.name, scope.home).is_none() && self.definitions.optimizer(call.name).is_some() {
            let message = format!("`{}` is an optimizer, and a function of the gradient is wanted after `|>`", call.name);
            self.complain(Diagnostic::error(call.span, message).hint("such as `clip_norm(1)`; a line has one optimizer"));
            return None;
        }
        let callable = self.callee(&call, scope)?;
        let parameters: Vec<&'a str> = match callable {
            Callable::Function(definition, _) => slots(&definition.formals).into_iter().map(|slot| slot.name).collect(),
            Callable::Builtin(builtin) => builtin.formals().to_vec(),
            Callable::Layer(definition, _) => {
                let message = format!("`{}` is a layer, and a function of the gradient is wanted here", call.name);
                let message = Diagnostic::error(call.span, message).also(definition.name.span, "defined here");
                self.complain(message.hint("such as `clip_norm(1)`"));
                return None;
            }
        };
        let owner = self.unused_owner(call.name);
        let Call { name, span, arguments, .. } = call;
        let mut constants = Vec::new();
        for (position, (named, given)) in arguments.into_iter().enumerate() {
            // The gradient is the first argument.
            let parameter = named.map(|name| name.text.as_str()).or_else(|| parameters.get(position + 1).copied());
            let at = given.span();
            let constant = self.given_value(&given, scope).and_then(|value| {
                self.check_schedule(&value, at)?;
                let parameter = parameter.filter(|parameter| parameters.contains(parameter));
                Some(parameter.map_or(value.clone(), |name| self.constant_named(format!("{owner}.{name}"), value, at)))
            });
            constants.push(constant.map(|constant| (named, Given::Computed(constant, at))));
        }
        let arguments = constants.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Clip { name, span, callable, arguments, owner })
    }

    /// What a clipping function makes of the gradients of a line.
    pub(super) fn clipped(&mut self, clip: &Clip<'a>, gradients: &[Indexed], scope: &mut Scope) -> Option<Vec<Indexed>> {
        let mut known = Vec::new();
        while !gradients.is_empty() {
            let mut clipped = Vec::new();
            let mut parts = Vec::new();
            for gradient in gradients {
                self.totals = Some(Totals { known: known.clone(), ..Totals::default() });
                let value = self.clipped_gradient(clip, gradient, scope);
                let totals = self.totals.take().unwrap_or_default();
                clipped.push(value?);
                parts.extend(totals.part);
            }
            if parts.is_empty() {
                return Some(clipped.into_iter().map(|value| self.with_named_totals(clip, value)).collect());
            }
            if parts.len() < gradients.len() {
                let message = format!("what `{}` reduces depends on the shape of a gradient", clip.name);
                self.complain(Diagnostic::error(clip.span, message).label("a line's gradients are clipped together"));
                return None;
            }
            let total = self.total_of(&parts);
            known.push(self.named_total(clip, word_of(parts[0].operator), total));
        }
        Some(Vec::new())
    }

    fn clipped_gradient(&mut self, clip: &Clip<'a>, gradient: &Indexed, scope: &mut Scope) -> Option<Indexed> {
        let mut arguments = clip.arguments.clone();
        arguments.insert(0, (None, Given::Computed(gradient.clone(), clip.span)));
        let call = Call { name: clip.name, span: clip.span, label: None, arguments };
        let value = match clip.callable {
            Callable::Function(definition, home) => self.expand_function(definition, home, call, true, scope)?,
            Callable::Builtin(builtin) => self.apply_builtin(builtin, call, scope)?,
            Callable::Layer(..) => return None,
        };
        let (found, wanted) = (value.shape(&self.context), gradient.shape(&self.context));
        if found == wanted {
            return Some(value);
        }
        let message = format!("`{}` gives another shape than it is given", clip.name);
        let message = Diagnostic::error(clip.span, message);
        let label = format!("for a gradient that has {}, this has {}", shape_words(&wanted), shape_words(&found));
        self.complain(message.label(label).hint("what follows `|>` gives a value for each element of the gradient"));
        None
    }

    /// In a clipping function, what a reduction over all elements of a gradient is over all gradients of the line.
    pub(super) fn total(&mut self, operator: ReduceOperator, bound: &[IndexId], body: &Indexed) -> Option<Indexed> {
        let totals = self.totals.as_ref()?;
        let outer: Vec<IndexId> =
            self.context.free_indices(body.value).into_iter().filter(|index| !bound.contains(index)).collect();
        if !body.axes.is_empty() || !outer.is_empty() {
            return None;
        }
        let (met, known) = (totals.met, totals.known.get(totals.met).copied());
        let value = match known {
            Some(known) => known,
            None => {
                let simple = if operator == ReduceOperator::Mean { ReduceOperator::Sum } else { operator };
                self.reduced(simple, bound, body.value)
            }
        };
        let extents = bound.iter().map(|&index| self.context.index_of(index).extent() as i64);
        let count = extents.fold(1, i64::saturating_mul);
        let totals = self.totals.as_mut()?;
        totals.met += 1;
        if met == totals.known.len() {
            totals.part = Some(Part { operator, value, count });
        }
        Some(Indexed::scalar(value))
    }

    fn total_of(&mut self, parts: &[Part]) -> ExprId {
        let values: Vec<ExprId> = parts.iter().map(|part| part.value).collect();
        let context = &mut self.context;
        match parts[0].operator {
            ReduceOperator::Sum => context.add(values),
            ReduceOperator::Product => context.multiply(values),
            ReduceOperator::Max => values[1..].iter().fold(values[0], |greatest, &value| context.maximum(greatest, value)),
            ReduceOperator::Min => values[1..].iter().fold(values[0], |least, &value| context.minimum(least, value)),
            ReduceOperator::Mean => {
                let count = parts.iter().fold(0, |count: i64, part| count.saturating_add(part.count));
                let (sum, count) = (context.add(values), context.integer(count));
                context.divide(sum, count)
            }
        }
    }

    /// Also a reduction over one gradient that no `..` stands for is computed once, not for each element.
    fn with_named_totals(&mut self, clip: &Clip<'a>, value: Indexed) -> Indexed {
        let mut totals = Vec::new();
        self.context.visit(value.value, &mut |context, part| {
            if let Node::Reduce { kind, .. } = context.node(part)
                && context.free_indices(part).is_empty()
            {
                totals.push((part, *kind));
            }
        });
        let mut named = value.value;
        for (total, kind) in totals {
            let word = match kind {
                ReduceKind::Sum => "sum",
                ReduceKind::Product => "product",
                ReduceKind::Max => "greatest",
                ReduceKind::Min => "least",
            };
            let constant = self.named_total(clip, word, total);
            named = self.context.replace(named, total, constant);
        }
        Indexed { value: named, ..value }
    }

    /// A total as a constant, unless it is a number.
    fn named_total(&mut self, clip: &Clip<'a>, word: &str, total: ExprId) -> ExprId {
        if self.context.tensors_in(total).is_empty() {
            return total;
        }
        if let Some(Equation { target, .. }) = self.constants.iter().find(|constant| constant.value == total) {
            return self.context.access(*target, Vec::new());
        }
        let name = format!("{}.{word}", clip.owner);
        let name = if self.taken.contains(&name) { self.unused_name(&format!("{}.", clip.owner), word) } else { name };
        self.constant_named(name, Indexed::scalar(total), clip.span).value
    }
}

/// What the constant of a total is called by.
fn word_of(operator: ReduceOperator) -> &'static str {
    match operator {
        ReduceOperator::Sum => "sum",
        ReduceOperator::Mean => "mean",
        ReduceOperator::Product => "product",
        ReduceOperator::Max => "greatest",
        ReduceOperator::Min => "least",
    }
}
