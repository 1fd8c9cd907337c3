//! Elements of tensors, reductions, and the ranges of indices.

use super::builder::Builder;
use super::scope::{Binding, Scope};
use super::value::{Indexed, axes_words};
use crate::diagnostic::Diagnostic;
use crate::equation::{Affine, IndexId, ReduceKind};
use crate::limits;
use crate::span::Span;
use crate::syntax::tree::{BinaryOperator, BoundIndex, Expr, ExprKind, Name, ReduceOperator};

/// A plain use of an index: on which axis of what, of what extent, and where.
struct Use {
    extent: usize,
    tensor: String,
    span: Span,
}

impl<'a> Builder<'a> {
    /// `x[i, 0]`.
    pub(super) fn access(&mut self, name: &'a Name, indices: &'a [Expr], span: Span, scope: &mut Scope) -> Option<Indexed> {
        let value = match self.find(&name.text, scope) {
            Some(Binding::Value(value)) => value,
            Some(Binding::Broken) => return None,
            _ => return self.named_value(&name.text, name.span, scope),
        };
        // Leading axes are not written.
        let (lead, own) = value.axes.split_at(value.count_leading(scope.leading.as_deref().unwrap_or_default()));
        let value = Indexed { axes: own.to_vec(), value: value.value };
        let lead = lead.to_vec();
        if value.axes.len() != indices.len() {
            let axes = if value.axes.is_empty() { "no axes".to_owned() } else { axes_words(value.axes.len()) };
            let message = format!("`{}` has {axes}, and is read with {}", name.text, indices_words(indices.len()));
            let mut message = Diagnostic::error(span, message);
            if let Some(bound) = scope.local(&name.text) {
                message = message.also(bound.span, "declared here");
            }
            self.complain(message);
            return None;
        }
        let mut place = Vec::new();
        for (expr, axis) in indices.iter().zip(value.axes.clone()) {
            place.push(self.position(expr, axis, &name.text, scope));
        }
        let place = place.into_iter().collect::<Option<Vec<Affine>>>()?;
        // Outside of a tensor all is 0.
        let is_outside = place.iter().zip(value.shape(&self.context)).any(|(affine, extent)| {
            affine.terms.is_empty() && !usize::try_from(affine.constant).is_ok_and(|position| position < extent)
        });
        let value = if is_outside { self.context.integer(0) } else { value.at(&mut self.context, &place) };
        Some(Indexed { axes: lead, value })
    }

    /// One index of an access.
    fn position(&mut self, expr: &'a Expr, axis: IndexId, tensor: &str, scope: &mut Scope) -> Option<Affine> {
        let affine = self.affine(expr, scope)?;
        let extent = self.context.index_of(axis).extent() as i64;
        if affine.terms.is_empty() {
            if !(0..extent).contains(&affine.constant) {
                let message = format!("this reads outside of `{tensor}`, where all is 0");
                let label = format!("the axis has the indices 0 to {}", extent - 1);
                self.complain(Diagnostic::warning(expr.span, message).label(label));
            }
            return Some(affine);
        }
        let Some(index) = affine.as_index() else {
            let message = "an index that is a sum or a multiple is not supported yet";
            self.complain(Diagnostic::error(expr.span, message).label("a plain index or a number can stand here"));
            return None;
        };
        let range = self.context.index_of(index);
        if range.start < 0 || range.end > extent {
            let (name, start, last) = (range.name.clone(), range.start, range.end - 1);
            let message = format!("`{name}` runs from {start} to {last}, and this axis of `{tensor}` from 0 to {}", extent - 1);
            self.complain(Diagnostic::error(expr.span, message).label("reading outside of a tensor is not supported yet"));
            return None;
        }
        Some(affine)
    }

    /// An expression as an affine one in indices.
    fn affine(&mut self, expr: &'a Expr, scope: &mut Scope) -> Option<Affine> {
        match &expr.kind {
            ExprKind::Name(name) => {
                if let Some(Binding::Index(index)) = self.find(name, scope) {
                    return Some(Affine::index(index));
                }
            }
            ExprKind::Negate(operand) => {
                let operand = self.affine(operand, scope)?;
                return self.in_range(Affine::default().plus(-1, &operand), expr.span);
            }
            ExprKind::Binary { operator: operator @ (BinaryOperator::Add | BinaryOperator::Subtract), left, right } => {
                let (left, right) = (self.affine(left, scope), self.affine(right, scope));
                let sign = if *operator == BinaryOperator::Add { 1 } else { -1 };
                return self.in_range(left?.plus(sign, &right?), expr.span);
            }
            ExprKind::Binary { operator: BinaryOperator::Multiply, left, right } => {
                let (left, right) = (self.affine(left, scope)?, self.affine(right, scope)?);
                let (factor, other) = if left.terms.is_empty() { (left, right) } else { (right, left) };
                if factor.terms.is_empty() {
                    return self.in_range(Affine::default().plus(factor.constant, &other), expr.span);
                }
                self.complain(Diagnostic::error(expr.span, "an index cannot be a product of indices"));
                return None;
            }
            _ => {}
        }
        Some(Affine::constant(self.integer(expr, scope)?))
    }

    /// An index whose numbers are small enough to be added without overflow.
    fn in_range(&mut self, affine: Option<Affine>, span: Span) -> Option<Affine> {
        let limit = limits::AXIS_EXTENT as u64;
        let is_small = |affine: &Affine| {
            affine.constant.unsigned_abs() <= limit && affine.terms.iter().all(|term| term.1.unsigned_abs() <= limit)
        };
        let affine = affine.filter(is_small);
        if affine.is_none() {
            self.complain(Diagnostic::error(span, format!("the numbers of an index are at most {limit}")));
        }
        affine
    }

    /// `sum(i, k in 0..4: body)`.
    pub(super) fn reduction(
        &mut self,
        operator: ReduceOperator,
        leading: bool,
        indices: &'a [BoundIndex],
        body: &'a Expr,
        span: Span,
        scope: &mut Scope,
    ) -> Option<Indexed> {
        let mut bound = Vec::new();
        if leading && scope.leading.is_none() {
            let message = "`..` stands for the leading axes of a definition's header, and there are none here";
            self.complain(Diagnostic::error(span, message).hint("name the indices, as in `sum(i: …)`"));
            return None;
        }
        if let Some(surplus) = indices.get(limits::AXES) {
            let message = format!("this binds {} indices, and may bind {}", indices.len(), limits::AXES);
            self.complain(Diagnostic::error(surplus.name.span, message));
            return None;
        }
        let mut is_broken = false;
        let mut ranges = Vec::new();
        for index in indices {
            ranges.push(self.range_of(index, body, scope));
        }
        for (index, range) in indices.iter().zip(ranges) {
            let binding = match range {
                Some((start, end)) => {
                    let id = self.context.add_index(&index.name.text, start, end);
                    bound.push(id);
                    Binding::Index(id)
                }
                None => {
                    is_broken = true;
                    Binding::Broken
                }
            };
            scope.bind(&index.name.text, index.name.span, binding);
        }
        // Also where an index has no range, for what else there is to say.
        let value = self.value(body, scope);
        indices.iter().for_each(|index| scope.unbind(&index.name.text));
        let mut value = if is_broken { None } else { value }?;
        if let (true, Some(leading)) = (leading, &scope.leading) {
            value.axes.drain(..value.count_leading(leading));
            bound.splice(0..0, leading.iter().copied());
        }
        Some(Indexed { value: self.reduced(operator, &bound, value.value), axes: value.axes })
    }

    /// Reduces a value; over indices that it does not read, what is the same at each place.
    fn reduced(&mut self, operator: ReduceOperator, bound: &[IndexId], body: crate::equation::ExprId) -> crate::equation::ExprId {
        let context = &mut self.context;
        let count = |context: &crate::equation::Context, indices: &[IndexId]| {
            indices.iter().fold(1i64, |product, &index| product.saturating_mul(context.index_of(index).extent() as i64))
        };
        let (read, constant): (Vec<IndexId>, Vec<IndexId>) =
            bound.iter().partition(|&&index| context.contains_index(body, index));
        let kind = match operator {
            ReduceOperator::Sum | ReduceOperator::Mean => ReduceKind::Sum,
            ReduceOperator::Product => ReduceKind::Product,
            ReduceOperator::Max => ReduceKind::Max,
            ReduceOperator::Min => ReduceKind::Min,
        };
        let value = context.reduce(kind, &read, body);
        let (times, number) = (count(context, &constant), count(context, &read));
        match operator {
            ReduceOperator::Max | ReduceOperator::Min => value,
            ReduceOperator::Mean if number == 1 => value,
            ReduceOperator::Mean => {
                let number = context.integer(number);
                context.divide(value, number)
            }
            ReduceOperator::Sum | ReduceOperator::Product if times == 1 => value,
            ReduceOperator::Sum => {
                let times = context.integer(times);
                context.multiply([times, value])
            }
            ReduceOperator::Product => {
                let times = context.integer(times);
                context.power(value, times)
            }
        }
    }

    /// First value and one past the last of an index that a reduction binds.
    fn range_of(&mut self, index: &'a BoundIndex, body: &'a Expr, scope: &mut Scope) -> Option<(i64, i64)> {
        if let Some((first, end)) = &index.range {
            let (start, stop) = (self.integer(first, scope), self.integer(end, scope));
            let (start, stop) = (start?, stop?);
            if start >= stop {
                let message = format!("the range {start}..{stop} is empty, for its end is excluded");
                self.complain(Diagnostic::error(first.span.to(end.span), message));
                return None;
            }
            return Some((start, stop));
        }
        let extent = self.extent_by_use(&index.name, None, body, scope)?;
        Some((0, extent as i64))
    }

    /// The extent of an index: what its plain uses say, which must agree with each other and with what is stated.
    pub(super) fn extent_by_use(
        &mut self,
        index: &Name,
        stated: Option<(usize, Span)>,
        body: &'a Expr,
        scope: &mut Scope,
    ) -> Option<usize> {
        let mut uses = Vec::new();
        let is_sound = self.collect_uses(&index.text, body, scope, &mut uses);
        let known = stated.or_else(|| match scope.local(&index.text) {
            Some(bound) => match bound.binding {
                Binding::Range(extent) => Some((extent, bound.span)),
                _ => None,
            },
            None => None,
        });
        let (extent, first, text) = match (known, uses.first()) {
            (Some((extent, span)), _) => (extent, span, format!("the range of `{}` is {extent} here", index.text)),
            (None, Some(first)) => {
                (first.extent, first.span, format!("this axis of `{}` has extent {}", first.tensor, first.extent))
            }
            (None, None) => {
                // Where what is indexed is unknown, that has been said, or will be.
                if is_sound {
                    let message = format!("the range of the index `{}` is unknown", index.text);
                    let hint = "it is that of an axis on which the index stands by itself; or state it: ";
                    let hint = format!("{hint}`sum({0} in 0..4: …)`, or `[{0}: 4]` on the left-hand side", index.text);
                    self.complain(Diagnostic::error(index.span, message).label("used on no axis").hint(hint));
                }
                return None;
            }
        };
        if let Some(other) = uses.iter().find(|other| other.extent != extent) {
            let message = format!("the index `{}` has two ranges", index.text);
            let label = format!("this axis of `{}` has extent {}", other.tensor, other.extent);
            self.complain(Diagnostic::error(other.span, message).label(label).also(first, text));
            return None;
        }
        Some(extent)
    }

    /// The plain uses of an index; `false` where some name could not be looked up.
    fn collect_uses(&mut self, index: &str, expr: &'a Expr, scope: &Scope, uses: &mut Vec<Use>) -> bool {
        let mut is_sound = true;
        if let ExprKind::Access { name, indices } = &expr.kind {
            match self.find(&name.text, scope) {
                Some(Binding::Value(value)) => {
                    let lead = value.count_leading(scope.leading.as_deref().unwrap_or_default());
                    is_sound = value.axes.len() == lead + indices.len();
                    for (position, &extent) in indices.iter().zip(&value.shape(&self.context)[lead..]) {
                        if matches!(&position.kind, ExprKind::Name(used) if used == index) {
                            uses.push(Use { extent, tensor: name.text.clone(), span: position.span });
                        }
                    }
                }
                _ => is_sound = false,
            }
        }
        if let ExprKind::Reduce { indices, .. } = &expr.kind
            && indices.iter().any(|bound| bound.name.text == index)
        {
            return true;
        }
        super::names::for_each_part(expr, &mut |part| is_sound &= self.collect_uses(index, part, scope, uses));
        is_sound
    }
}

fn indices_words(count: usize) -> String {
    if count == 1 { "1 index".to_owned() } else { format!("{count} indices") }
}
