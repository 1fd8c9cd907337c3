//! Distributions: of initial values and of noise.

use super::Distribution;
use super::builder::Builder;
use super::call::{Call, slots};
use super::definitions::{Callable, Home};
use super::scope::Scope;
use super::value::Indexed;
use crate::diagnostic::Diagnostic;
use crate::equation::Number;
use crate::span::Span;
use crate::syntax::tree::{Expr, ExprKind, FunctionDefinition};

/// The distributions that the language has of its own, with the names of their parameters.
const ELEMENTARY: [(&str, &[&str]); 3] =
    [("normal", &["mean", "deviation"]), ("uniform", &["low", "high"]), ("bernoulli", &["probability"])];

/// The numbers of values that one unit reads, and that read one value, for a parameter of this shape.
///
/// Axes are `[…, input, output]`; those before belong to the receptive field and count for both (He et al. 2015, section 2.2).
pub(super) fn fans(shape: &[usize]) -> (usize, usize) {
    match shape {
        [] => (1, 1),
        [inputs] => (*inputs, 1),
        [field @ .., inputs, outputs] => {
            let field: usize = field.iter().product();
            (field * inputs, field * outputs)
        }
    }
}

impl<'a> Builder<'a> {
    /// What a parameter of this shape is drawn from.
    pub(super) fn initial(&mut self, expr: &'a Expr, shape: &[usize], scope: &mut Scope) -> Option<Distribution> {
        let (fan_in, fan_out) = fans(shape);
        for (name, fan) in [("fan_in", fan_in), ("fan_out", fan_out)] {
            let fan = self.context.number(Number::integer(fan as i64));
            self.ambient.push((name, Indexed::scalar(fan)));
        }
        let initial = self.distribution(expr, scope);
        self.ambient.truncate(self.ambient.len() - 2);
        initial
    }

    /// A distribution, where `fan_in` and `fan_out` mean nothing of their own.
    pub(super) fn distribution(&mut self, expr: &'a Expr, scope: &mut Scope) -> Option<Distribution> {
        let call = match &expr.kind {
            ExprKind::Call { .. } => self.call_of(expr, scope)?,
            ExprKind::Name(name) if self.find(name, scope).is_none() => {
                Call { name, span: expr.span, label: None, arguments: Vec::new() }
            }
            ExprKind::If { condition, then, otherwise } => {
                let holds = self.condition(condition, scope)?;
                let holds = self.number_of(&holds, condition.span)? != 0.0;
                return self.distribution(if holds { then } else { otherwise }, scope);
            }
            _ => return self.finite(expr, scope).map(Distribution::Constant),
        };
        match self.definitions.callable(call.name, scope.home) {
            Some(Callable::Function(definition, home)) => self.expand_distribution(definition, home, call, scope),
            Some(_) => self.finite(expr, scope).map(Distribution::Constant),
            None if ELEMENTARY.iter().any(|(name, _)| *name == call.name) => self.elementary(call, expr.span, scope),
            None => {
                let mut message =
                    Diagnostic::error(call.span, format!("`{}` is not a distribution", call.name)).label("not known");
                let known = self.definitions.callable_names(scope.home).chain(ELEMENTARY.iter().map(|entry| entry.0));
                message = match crate::diagnostic::nearest(call.name, known) {
                    Some(near) => message.hint(format!("did you mean `{near}`?")),
                    None => message.hint(
                        "such as `glorot`, `normal(mean, deviation)`, `uniform(low, high)`, `bernoulli(probability)` or a number",
                    ),
                };
                self.complain(message);
                None
            }
        }
    }

    fn elementary(&mut self, call: Call<'a>, span: Span, scope: &mut Scope) -> Option<Distribution> {
        let (name, formals) = *ELEMENTARY.iter().find(|(name, _)| *name == call.name)?;
        let slots: Vec<super::call::Slot<'_>> =
            formals.iter().map(|name| super::call::Slot { name, is_optional: false }).collect();
        let matched = self.matched(call, &slots)?;
        let mut numbers = Vec::new();
        for given in matched.iter().flatten() {
            let value = self.given_value(given, scope);
            numbers.push(value.and_then(|value| self.number_of(&value, given.span())));
        }
        let numbers = numbers.into_iter().collect::<Option<Vec<f64>>>()?;
        let complaint = match (name, &numbers[..]) {
            _ if !numbers.iter().all(|number| number.is_finite()) => "a distribution has finite numbers",
            ("bernoulli", &[probability]) if (0.0..=1.0).contains(&probability) => {
                return Some(Distribution::Bernoulli(probability));
            }
            ("bernoulli", _) => "a probability lies in [0, 1]",
            ("normal", &[_, deviation]) if deviation < 0.0 => "a standard deviation is not negative",
            ("normal", &[mean, deviation]) => return Some(Distribution::Normal { mean, deviation }),
            ("uniform", &[low, high]) if low > high => "the bounds are in the wrong order: low, then high",
            ("uniform", &[low, high]) => return Some(Distribution::Uniform { low, high }),
            _ => return None,
        };
        let numbers: Vec<String> = numbers.iter().map(f64::to_string).collect();
        self.complain(Diagnostic::error(span, complaint).label(format!("{name} of {}", numbers.join(" and "))));
        None
    }

    /// A call of a definition such as `he`, whose value is a distribution.
    fn expand_distribution(
        &mut self,
        definition: &'a FunctionDefinition,
        home: Home,
        call: Call<'a>,
        scope: &mut Scope,
    ) -> Option<Distribution> {
        let (name, span) = (call.name, call.span);
        let matched = self.matched(call, &slots(&definition.formals))?;
        let mut values = Vec::new();
        for given in &matched {
            let value = given.as_ref().map(|given| (self.given_value(given, scope), given.span()));
            values.push(match value {
                Some((value, span)) => Some((value?, span)),
                None => None,
            });
        }
        self.enter(name, definition.name.span, definition.body.span, span)?;
        let mut inner = Scope::new(home);
        let bound = definition.formals.iter().zip(values).map(|(formal, value)| self.bind_scalar(formal, value, &mut inner));
        let is_sound = bound.fold(true, |is_sound, bound| is_sound & bound.is_some());
        let initial = if is_sound { self.distribution(&definition.body, &mut inner) } else { None };
        self.leave();
        initial
    }

    fn finite(&mut self, expr: &'a Expr, scope: &mut Scope) -> Option<f64> {
        let number = self.number(expr, scope)?;
        if !number.is_finite() {
            self.complain(Diagnostic::error(expr.span, "a value that is drawn is finite"));
            return None;
        }
        Some(number)
    }
}
