//! The factors of a chain rule: partial derivatives, each with a derivation of its own, once for all layers where they are alike.

use super::{Composer, begun, continued, references, separated};
use crate::calculus::{Factor, reason};
use crate::derivation::Adjoint;
use crate::equation::{Elementary, ExprId, IndexId, Node, TensorId};
use crate::sheet::Steps;
use crate::sheet::document::{Inline, Line};
use crate::sheet::formula::Writer;
use crate::sheet::math::{Math, Operator, width};

impl Composer<'_> {
    /// Writes about one factor, whose own indices are in scope meanwhile; the chain rule's sum will use their names.
    pub(super) fn within_factor<T>(
        &self,
        writer: &mut Writer<'_>,
        adjoint: &Adjoint,
        factor: &Factor,
        write: impl FnOnce(&mut Writer<'_>) -> T,
    ) -> T {
        let mut own = self.free_in_partial(factor);
        own.retain(|index| !adjoint.equation.indices.contains(index));
        writer.bind_all(&own);
        let outer = writer.axes();
        let shown = factor.steps.iter().skip(self.first_shown(factor));
        let steps: Vec<ExprId> = shown.map(|step| step.value).chain([factor.partial]).collect();
        if outer.is_some() {
            writer.use_matrices(&self.axes_of_partial(factor), &steps);
        }
        let written = write(writer);
        writer.set_axes(outer);
        writer.prefer_and_release(&own);
        written
    }

    /// The axes of a partial derivative: those of what is differentiated, then those of what it is by.
    pub(super) fn axes_of_partial(&self, factor: &Factor) -> Vec<IndexId> {
        let mut axes = Vec::new();
        if let Node::Partial { of, by } = self.context().node(factor.partial) {
            for part in [of, by] {
                if let Node::Access { indices, .. } = self.context().node(*part) {
                    let plain = indices.iter().filter_map(|affine| affine.as_index());
                    axes.extend(plain.filter(|index| !axes.contains(index)).collect::<Vec<IndexId>>());
                }
            }
        }
        axes
    }

    pub(super) fn free_in_partial(&self, factor: &Factor) -> Vec<IndexId> {
        match self.context().node(factor.partial) {
            Node::Partial { of, by } => [*of, *by].into_iter().flat_map(|part| self.context().free_indices(part)).collect(),
            _ => Vec::new(),
        }
    }

    /// A partial derivative that is short enough to be named within a reason.
    pub(super) fn simple_factor(&self, writer: &mut Writer<'_>, factor: &Factor) -> Option<Vec<Inline>> {
        let value = writer.expression(factor.steps.last()?.value);
        if !is_simple(&value) {
            return None;
        }
        let mut text = references(last_uses(factor).filter_map(|tensor| self.number(tensor)));
        text.insert(0, Inline::text("from "));
        let partial = writer.expression(factor.partial);
        text.extend([Inline::text(", "), Inline::Math(Math::relation(partial, Operator::Equal, value))]);
        Some(text)
    }

    /// Where a partial derivative was derived that stands with another adjoint.
    pub(super) fn derived_before(&self, writer: &mut Writer<'_>, adjoint: &Adjoint, factor: &Factor) -> Option<Vec<Inline>> {
        let (key, _) = self.factor_key(factor)?;
        let first = self.factors.get(&key)?.first;
        if first == adjoint.equation.target {
            return None;
        }
        let partial = writer.expression(factor.partial);
        let text = [Inline::Math(partial), Inline::text(" as for ")];
        Some(text.into_iter().chain(references(self.number(first))).collect())
    }

    /// The lines of one partial derivative, in general terms where other layers have the same.
    pub(super) fn shared_factor_lines(&self, writer: &mut Writer<'_>, factor: &Factor) -> Vec<Line> {
        let shared = self.factor_key(factor).and_then(|(key, layer)| Some((self.factors.get(&key)?, layer)));
        match shared.filter(|(shared, _)| shared.layers.len() > 1) {
            Some((shared, layer)) => {
                let mut lines = writer.seen_from(layer, |writer| self.factor_lines(writer, factor));
                let range = vec![Inline::Math(self.layers_math(self.factor_stack(factor), &shared.layers))];
                if let Some(first) = lines.first_mut() {
                    first.reason = separated(vec![std::mem::take(&mut first.reason), range], "; ");
                }
                lines
            }
            None => self.factor_lines(writer, factor),
        }
    }

    /// The rules of differentiation that a partial derivative begins with, those that a reader may have to think of.
    pub(super) fn rules_of(&self, factor: &Factor) -> Vec<&'static str> {
        let context = self.context();
        let Node::Partial { of, by } = context.node(factor.partial) else { return Vec::new() };
        let (Node::Access { tensor: of, .. }, Node::Access { tensor: by, .. }) = (context.node(*of), context.node(*by)) else {
            return Vec::new();
        };
        let Some(equation) = self.derivation.forward.iter().find(|equation| equation.target == *of) else { return Vec::new() };
        let depends = |expr: ExprId| context.contains_tensor(expr, *by);
        let mut rules: Vec<&'static str> = Vec::new();
        context.visit(equation.value, &mut |context, part| {
            let rule = match context.node(part) {
                Node::Power(base, exponent) if depends(*base) => match context.as_number(*exponent) {
                    Some(number) if number.value() < 0.0 => Some("quotient rule"),
                    _ => Some("power rule"),
                },
                Node::Multiply(factors) if factors.iter().filter(|&&factor| depends(factor)).count() > 1 => {
                    let is_quotient = |&factor: &ExprId| {
                        matches!(context.node(factor), Node::Power(base, exponent)
                            if depends(*base) && context.as_number(*exponent).is_some_and(|number| number.value() < 0.0))
                    };
                    Some(if factors.iter().any(is_quotient) { "quotient rule" } else { "product rule" })
                }
                Node::Call(Elementary::Ln, argument) if depends(*argument) => Some("the derivative of ln u is 1/u"),
                _ => None,
            };
            rules.extend(rule.filter(|rule| !rules.contains(rule)));
        });
        rules.truncate(2);
        rules
    }

    /// The first form of a partial derivative that is shown. A reader sees at once which term of a sum is left: the forms before that are
    /// of no help.
    pub(super) fn first_shown(&self, factor: &Factor) -> usize {
        if self.options.steps == Steps::All {
            return 0;
        }
        let picked = factor.steps.iter().skip(1).take_while(|step| step.rule != "in-terms-of-output");
        picked.enumerate().filter(|(_, step)| step.rule == "sum-over-delta").last().map_or(0, |(at, _)| at + 1)
    }

    /// The lines of one partial derivative.
    pub(super) fn factor_lines(&self, writer: &mut Writer<'_>, factor: &Factor) -> Vec<Line> {
        let left = writer.expression(factor.partial);
        if factor.steps.is_empty() {
            return Vec::new();
        }
        let mut from = vec![Inline::text("from ")];
        from.extend(references(last_uses(factor).filter_map(|tensor| self.number(tensor))));
        let shown_first = self.first_shown(factor);
        from.extend(self.rules_of(factor).into_iter().map(|rule| Inline::text(format!(", {rule}"))));
        if shown_first > 0 {
            from.push(Inline::text(", only one term of the sum depends on it"));
        }
        let first = factor.steps[shown_first].value;
        let mut lines = vec![begun(left, writer.expression(first), from).of_partial(factor.partial, first)];
        let rest = &factor.steps[shown_first + 1..];
        if self.options.steps == Steps::All {
            lines.extend(self.form_lines(writer, rest, true));
        } else if let Some(last) = rest.last() {
            let output = rest.iter().any(|step| step.rule == "in-terms-of-output");
            let why = if output { reason("in-terms-of-output") } else { reason(last.rule) };
            let why = separated(vec![vec![Inline::text(why)], self.conditions(writer, rest.iter())], "; ");
            lines.push(continued(writer.expression(last.value), why).of(last.value));
        }
        lines
    }
}

fn last_uses(factor: &Factor) -> impl Iterator<Item = TensorId> + '_ {
    factor.steps.first().into_iter().flat_map(|step| step.uses.iter().copied())
}

/// Short enough to be named within the reason.
fn is_simple(math: &Math) -> bool {
    const SIMPLE: f64 = 3.0;
    matches!(math, Math::Identifier(_) | Math::Number(_) | Math::Scripts { .. } | Math::Fenced(..)) && width(math) <= SIMPLE
}
