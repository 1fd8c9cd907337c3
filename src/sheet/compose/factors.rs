//! The factors of a chain rule: partial derivatives, each with a derivation of its own, once for all layers where they are alike.

use super::key::only_tidy;
use super::{Composer, begun, continued, references, separated};
use crate::calculus::{Factor, law, reason};
use crate::derivation::Adjoint;
use crate::equation::{ExprId, IndexId, Node, TensorId};
use crate::sheet::Steps;
use crate::sheet::document::{Inline, Line};
use crate::sheet::formula::Writer;
use crate::sheet::math::{Math, Operator, width};

/// How many laws of differentiation are named beside one line.
const MOST_LAWS: usize = 2;
/// The width of a first form, in ems, beyond which only the last is shown.
const WIDE_FACTOR: f64 = 20.0;

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
        let mut steps: Vec<ExprId> = factor.steps.iter().skip(self.first_shown(factor)).map(|step| step.value).collect();
        if self.options.steps == Steps::Key && steps.len() > 2 {
            steps.drain(1..steps.len() - 1);
        }
        steps.push(factor.partial);
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
    pub(super) fn shared_factor_lines(
        &self,
        writer: &mut Writer<'_>,
        factor: &Factor,
        terse: bool,
        stated: &mut Vec<ExprId>,
    ) -> Vec<Line> {
        let shared = self.factor_key(factor).and_then(|(key, layer)| Some((self.factors.get(&key)?, layer)));
        match shared.filter(|(shared, _)| shared.layers.len() > 1) {
            Some((shared, layer)) => {
                let mut lines = writer.seen_from(layer, |writer| self.factor_lines(writer, factor, terse, stated));
                let range = vec![Inline::Math(self.layers_math(self.factor_stack(factor), &shared.layers))];
                if let Some(first) = lines.first_mut() {
                    first.reason = separated(vec![std::mem::take(&mut first.reason), range], "; ");
                }
                lines
            }
            None => self.factor_lines(writer, factor, terse, stated),
        }
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

    /// The lines of one partial derivative: its first form and its last, or the last alone where `terse` or where the first would only
    /// be tidied up.
    pub(super) fn factor_lines(
        &self,
        writer: &mut Writer<'_>,
        factor: &Factor,
        terse: bool,
        stated: &mut Vec<ExprId>,
    ) -> Vec<Line> {
        let left = writer.expression(factor.partial);
        if factor.steps.is_empty() {
            return Vec::new();
        }
        let mut from = vec![Inline::text("from ")];
        from.extend(references(last_uses(factor).filter_map(|tensor| self.number(tensor))));
        let shown_first = self.first_shown(factor);
        let laws = factor.laws.iter().filter_map(|name| law(name)).take(MOST_LAWS);
        from.extend(laws.map(|law| Inline::text(format!(", {law}"))));
        if shown_first > 0 {
            from.push(Inline::text(", only one term of the sum depends on it"));
        }
        let first_value = factor.steps[shown_first].value;
        let first = writer.expression(first_value);
        let rest = &factor.steps[shown_first + 1..];
        if self.options.steps == Steps::All {
            let mut lines = vec![begun(left, first, from).of_partial(factor.partial, first_value)];
            lines.extend(self.form_lines(writer, rest, 0, Vec::new(), stated));
            return lines;
        }
        let Some(last) = rest.last() else { return vec![begun(left, first, from).of_partial(factor.partial, first_value)] };
        let conditions = self.conditions(writer, rest.iter(), stated);
        let right = writer.expression(last.value);
        if only_tidy(rest) {
            let why = separated(vec![from, conditions], "; ");
            return vec![begun(left, right, why).of_partial(factor.partial, last.value)];
        }
        let output = rest.iter().any(|step| step.rule == "in-terms-of-output");
        let why = if output { reason("in-terms-of-output") } else { reason(last.rule) };
        if terse || width(&first) > WIDE_FACTOR {
            let why = vec![from, vec![Inline::text(why)], conditions];
            return vec![begun(left, right, separated(why, "; ")).of_partial(factor.partial, last.value)];
        }
        let why = separated(vec![vec![Inline::text(why)], conditions], "; ");
        vec![begun(left, first, from).of_partial(factor.partial, first_value), continued(right, why).of(last.value)]
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
