//! Elements of tensors, reductions, and the ranges of indices.

use super::builder::Builder;
use super::definitions::Home;
use super::scope::{Binding, Scope};
use super::value::{Indexed, axes_words};
use crate::diagnostic::Diagnostic;
use crate::equation::{Affine, ExprId, IndexId, Node, ReduceKind, Relation};
use crate::limits;
use crate::span::Span;
use crate::syntax::tree::{BinaryOperator, BoundIndex, Expr, ExprKind, Name, ReduceOperator};

/// How the values of an index expression lie to an axis.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// All of them on it.
    Inside,
    /// None of them.
    Outside,
    /// Some, or it is not known.
    Both,
}

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
        self.note_recurrent_read(&value, &place, span);
        Some(Indexed { axes: lead, value: self.read(&value, &place) })
    }

    /// The element of a value at a place; outside of it all is 0.
    fn read(&mut self, value: &Indexed, place: &[Affine]) -> ExprId {
        let shape = value.shape(&self.context);
        let reaches: Vec<Reach> = place.iter().zip(&shape).map(|(affine, &extent)| self.reach(affine, extent)).collect();
        if reaches.contains(&Reach::Outside) {
            return self.context.integer(0);
        }
        let element = value.at(&mut self.context, place);
        if !reaches.contains(&Reach::Both) || self.is_whole_tensor(value) {
            return element;
        }
        let mut conditions = Vec::new();
        for ((affine, extent), _) in place.iter().zip(shape).zip(reaches).filter(|(_, reach)| *reach == Reach::Both) {
            let (at, zero, end) =
                (self.context.index_value(affine.clone()), self.context.integer(0), self.context.integer(extent as i64));
            conditions.push(self.context.compare(Relation::GreaterEqual, at, zero));
            conditions.push(self.context.compare(Relation::Less, at, end));
        }
        let (is_inside, zero) = (self.context.and(conditions), self.context.integer(0));
        self.context.if_else(is_inside, element, zero)
    }

    /// Whether a value is an element of a tensor whose axes end where those of the value do, so that it is 0 outside by itself.
    fn is_whole_tensor(&self, value: &Indexed) -> bool {
        let Node::Access { tensor, indices } = self.context.node(value.value) else { return false };
        let shape = &self.context.tensor(*tensor).shape;
        value.axes.iter().all(|&axis| {
            let extent = self.context.index_of(axis).extent();
            indices.iter().zip(shape).any(|(affine, &own)| affine.as_index() == Some(axis) && own == extent)
        })
    }

    /// How the values of an affine expression lie to the places `0..extent` of an axis.
    fn reach(&self, affine: &Affine, extent: usize) -> Reach {
        let (mut least, mut greatest) = (affine.constant, affine.constant);
        for &(index, coefficient) in &affine.terms {
            let range = self.context.index_of(index);
            let (a, b) = (coefficient.saturating_mul(range.start), coefficient.saturating_mul(range.end - 1));
            least = least.saturating_add(a.min(b));
            greatest = greatest.saturating_add(a.max(b));
        }
        if greatest < 0 || least >= extent as i64 {
            Reach::Outside
        } else if least >= 0 && greatest < extent as i64 {
            Reach::Inside
        } else {
            Reach::Both
        }
    }

    /// One index of an access. A plain index stays on the axis, which fixes its range. That an affine one is never inside is a
    /// mistake, except where a definition of the prelude is general.
    fn position(&mut self, expr: &'a Expr, axis: IndexId, tensor: &str, scope: &mut Scope) -> Option<Affine> {
        let affine = self.affine(expr, scope)?;
        let extent = self.context.index_of(axis).extent();
        if let (ExprKind::Name(_), Some(index)) = (&expr.kind, affine.as_index()) {
            let range = self.context.index_of(index);
            if range.start < 0 || range.end > extent as i64 {
                let (name, start, last) = (range.name.clone(), range.start, range.end - 1);
                let message =
                    format!("`{name}` runs from {start} to {last}, and this axis of `{tensor}` from 0 to {}", extent - 1);
                let hint =
                    format!("where 0 is meant outside of `{tensor}`, write `{name} + 0`: only an index by itself must fit");
                self.misfit(Diagnostic::error(expr.span, message).label("this leaves the axis").hint(hint))?;
                return Some(affine);
            }
        }
        if scope.home == Home::User && self.reach(&affine, extent) == Reach::Outside {
            let message = format!("this reads outside of `{tensor}`, where all is 0");
            let label = match extent {
                1 => "the axis has the index 0 alone".to_owned(),
                _ => format!("the axis has the indices 0 to {}", extent - 1),
            };
            self.misfit(Diagnostic::error(expr.span, message).label(label))?;
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
            ExprKind::Position => return self.row_position(expr.span, scope),
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

    /// The place of the axes that `..` stands for when they are laid out in a row, the last axis fastest.
    pub(super) fn row_position(&mut self, span: Span, scope: &Scope) -> Option<Affine> {
        let Some(leading) = &scope.leading else {
            let message = "`..` stands for the leading axes of a definition's header, and there are none here";
            self.complain(Diagnostic::error(span, message));
            return None;
        };
        let mut place = Some(Affine::default());
        let mut step = 1i64;
        for &axis in leading.iter().rev() {
            place = place.and_then(|place| place.plus(step, &Affine::index(axis)));
            step = step.saturating_mul(self.context.index_of(axis).extent() as i64);
        }
        self.in_range(place, span)
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
            if let Some(total) = self.total(operator, &bound, &value) {
                return Some(total);
            }
        }
        Some(Indexed { value: self.reduced(operator, &bound, value.value), axes: value.axes })
    }

    /// Reduces a value; over indices that it does not read, what is the same at each place.
    pub(super) fn reduced(&mut self, operator: ReduceOperator, bound: &[IndexId], body: ExprId) -> ExprId {
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

    /// The extent of an index as far as it is known: that of the header or of the first axis that it is used on plainly.
    pub(super) fn extent_so_far(&mut self, index: &Name, body: &'a Expr, scope: &Scope) -> Option<usize> {
        if let Some(Binding::Range(extent)) = scope.local(&index.text).map(|bound| &bound.binding) {
            return Some(*extent);
        }
        let mut uses = Vec::new();
        self.collect_uses(&index.text, body, scope, &mut uses);
        uses.first().map(|first| first.extent)
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
                    self.complain(Diagnostic::error(index.span, message).label("it stands on no axis by itself").hint(hint));
                }
                return None;
            }
        };
        if let Some(other) = uses.iter().find(|other| other.extent != extent) {
            let message = format!("the index `{}` has two ranges", index.text);
            let label = format!("this axis of `{}` has extent {}", other.tensor, other.extent);
            self.misfit(Diagnostic::error(other.span, message).label(label).also(first, text))?;
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
