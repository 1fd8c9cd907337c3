//! Values that are known when the model is built: numbers, sizes, ranges.

use super::builder::Builder;
use super::scope::Scope;
use super::value::Indexed;
use crate::diagnostic::Diagnostic;
use crate::equation::{Bindings, ExprId, Node, Role, TensorId, evaluate, for_each_child};
use crate::limits;
use crate::span::Span;
use crate::syntax::tree::{Expr, ExprKind, Within};

/// No tensor has a value yet.
struct NoTensors;

impl Bindings for NoTensors {
    fn element(&self, _: TensorId, _: &[i64]) -> Option<f64> {
        None
    }
}

/// Where a number comes from: for the name of a definition's parameter, the argument.
fn given_at(expr: &Expr, scope: &Scope) -> Span {
    match &expr.kind {
        ExprKind::Name(name) => scope.local(name).map_or(expr.span, |bound| bound.span),
        _ => expr.span,
    }
}

impl<'a> Builder<'a> {
    /// The number that a value is, where it depends on no tensor and no index.
    pub(super) fn known(&self, value: &Indexed) -> Option<f64> {
        let is_constant = value.axes.is_empty() && self.context.tensors_in(value.value).is_empty();
        if !is_constant || self.evaluations(value.value) > limits::EVALUATIONS {
            return None;
        }
        evaluate(&self.context, &NoTensors, &[], value.value).ok()
    }

    /// How many parts are looked at when an expression is evaluated.
    fn evaluations(&self, expr: ExprId) -> u64 {
        let mut count = 1u64;
        for_each_child(self.context.node(expr), |part| count = count.saturating_add(self.evaluations(part)));
        match self.context.node(expr) {
            Node::Reduce { indices, .. } | Node::ArgReduce { indices, .. } => {
                indices.iter().fold(count, |count, &index| count.saturating_mul(self.context.index_of(index).extent() as u64))
            }
            _ => count,
        }
    }

    /// The number that an expression is, or a complaint that it is none.
    pub(super) fn number(&mut self, expr: &'a Expr, scope: &mut Scope) -> Option<f64> {
        let value = self.value(expr, scope)?;
        self.number_of(&value, expr.span)
    }

    /// The number that a value is, or a complaint.
    pub(super) fn number_of(&mut self, value: &Indexed, span: Span) -> Option<f64> {
        match self.known(value) {
            Some(number) if number.is_nan() => {
                self.complain(Diagnostic::error(span, "this is not a number").label("such as 0/0"));
                None
            }
            Some(number) => Some(number),
            None => {
                let hint = "it may be made of numbers, of names that `let` defines, and of a definition's own parameters";
                let message = "a number is wanted here that is known before any data is";
                self.complain(Diagnostic::error(span, message).label("this depends on data or on an index").hint(hint));
                None
            }
        }
    }

    /// The integer that an expression is, or a complaint.
    pub(super) fn integer(&mut self, expr: &'a Expr, scope: &mut Scope) -> Option<i64> {
        let number = self.number(expr, scope)?;
        if number.fract() != 0.0 || number.abs() > limits::AXIS_EXTENT as f64 {
            let message = format!("an integer is wanted here, and this is {number}");
            self.complain(Diagnostic::error(given_at(expr, scope), message));
            return None;
        }
        Some(number as i64)
    }

    /// The size that an expression is, at least 1, or a complaint.
    pub(super) fn size(&mut self, expr: &'a Expr, scope: &mut Scope) -> Option<usize> {
        let number = self.number(expr, scope)?;
        let complaint = if number.fract() != 0.0 {
            format!("a size is an integer, and this is {number}")
        } else if number < 1.0 {
            format!("a size is at least 1, and this is {number}")
        } else if number > limits::AXIS_EXTENT as f64 {
            format!("a size is at most {}, and this is {number}", limits::AXIS_EXTENT)
        } else {
            return Some(number as usize);
        };
        self.complain(Diagnostic::error(given_at(expr, scope), complaint));
        None
    }

    /// The number that a constant of an optimizer or a regularizer stands for; `None` where it changes with `k`.
    fn constant_number(&self, given: &Indexed) -> Option<f64> {
        let Node::Access { tensor, .. } = self.context.node(given.value) else { return None };
        let equation = self.constants.iter().find(|equation| equation.target == *tensor)?;
        self.known(&Indexed::scalar(equation.value))
    }

    /// Whether a value is a constant of an optimizer or a regularizer.
    fn is_constant(&self, given: &Indexed) -> bool {
        matches!(self.context.node(given.value), Node::Access { tensor, .. } if self.context.tensor(*tensor).role == Role::Constant)
    }

    /// Checks a number given to a definition against the interval that its header states. A schedule is not checked.
    pub(super) fn check_within(
        &mut self,
        name: &str,
        given: &Indexed,
        within: &'a Within,
        span: Span,
        scope: &mut Scope,
    ) -> Option<()> {
        let number = match self.constant_number(given) {
            Some(number) => number,
            None if self.is_constant(given) => return Some(()),
            None => self.number_of(given, span)?,
        };
        let low = self.number(&within.low, scope)?;
        let high = self.number(&within.high, scope)?;
        if number >= low && number <= high {
            return Some(());
        }
        let mut message = Diagnostic::error(span, format!("`{name}` is {number}, outside of [{low}, {high}]"));
        if let Some(reason) = &within.reason {
            message = message.hint(format!("[{low}, {high}] is {reason}"));
        }
        self.complain(message.also(within.low.span.to(within.high.span), "stated here"));
        None
    }
}
