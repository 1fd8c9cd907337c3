//! From an expression of the tree to a value: element by element over the axes of its tensors.

use super::builder::Builder;
use super::call::Call;
use super::definitions::Callable;
use super::names::for_each_name;
use super::scope::{Binding, Scope};
use super::value::{Indexed, shape_text, shape_words};
use crate::diagnostic::Diagnostic;
use crate::equation::{ExprId, IndexId, Number};
use crate::limits;
use crate::span::Span;
use crate::syntax::tree::{BinaryOperator, Expr, ExprKind, Relation};

impl<'a> Builder<'a> {
    /// The value of an expression; `None` after a complaint.
    pub(super) fn value(&mut self, expr: &'a Expr, scope: &mut Scope) -> Option<Indexed> {
        if self.is_exhausted {
            return None;
        }
        if self.depth >= limits::ELABORATION_DEPTH {
            self.exhaust(Diagnostic::error(expr.span, "this is nested too deep when its calls are written out"));
            return None;
        }
        self.depth += 1;
        let value = self.value_of_kind(expr, scope);
        self.depth -= 1;
        let value = value?;
        self.check_size(value.value, expr.span)?;
        Some(value)
    }

    fn value_of_kind(&mut self, expr: &'a Expr, scope: &mut Scope) -> Option<Indexed> {
        match &expr.kind {
            ExprKind::Number(number) => {
                let number = Number::new(*number)?;
                Some(Indexed::scalar(self.context.number(number)))
            }
            ExprKind::Text(_) => {
                self.complain(Diagnostic::error(expr.span, "a text is no value"));
                None
            }
            ExprKind::Name(name) => self.named_value(name, expr.span, scope),
            ExprKind::Access { name, indices } => self.access(name, indices, expr.span, scope),
            ExprKind::Call { .. } | ExprKind::Pipe { .. } => self.called_value(expr, scope),
            ExprKind::Negate(operand) => {
                let operand = self.value(operand, scope)?;
                Some(Indexed { value: self.context.negate(operand.value), ..operand })
            }
            ExprKind::Binary { operator, left, right } => self.binary(*operator, left, right, scope),
            ExprKind::Compare { .. } | ExprKind::And(..) | ExprKind::Or(..) | ExprKind::Not(_) => {
                let message = "a condition is not a number";
                let hint = "write it in brackets, `[…]`, which are 1 where it holds and 0 where not; or use `if`";
                self.complain(Diagnostic::error(expr.span, message).label("this holds or does not").hint(hint));
                None
            }
            ExprKind::Position => {
                let place = self.row_position(expr.span, scope)?;
                Some(Indexed { axes: scope.leading.clone().unwrap_or_default(), value: self.context.index_value(place) })
            }
            ExprKind::Iverson(condition) => self.condition(condition, scope),
            ExprKind::If { condition, then, otherwise } => self.choice(condition, then, otherwise, scope),
            ExprKind::Reduce { operator, leading, indices, body } => {
                self.reduction(*operator, *leading, indices, body, expr.span, scope)
            }
        }
    }

    /// A call inside of an expression.
    fn called_value(&mut self, expr: &'a Expr, scope: &mut Scope) -> Option<Indexed> {
        let call = self.call_of(expr, scope)?;
        self.call_value(call, false, scope)
    }

    /// The value of a call; `is_root` where it is the whole right-hand side of an equation, which gives it its name.
    pub(super) fn call_value(&mut self, call: Call<'a>, is_root: bool, scope: &mut Scope) -> Option<Indexed> {
        match self.callee(&call, scope)? {
            Callable::Builtin(builtin) => self.apply_builtin(builtin, call, scope),
            Callable::Function(definition, home) => self.expand_function(definition, home, call, is_root, scope),
            Callable::Layer(definition, home) => self.expand_layer(definition, home, call, None, scope).map(|made| made.0),
        }
    }

    fn binary(&mut self, operator: BinaryOperator, left: &'a Expr, right: &'a Expr, scope: &mut Scope) -> Option<Indexed> {
        let left_value = self.value(left, scope);
        let right_value = self.value(right, scope);
        let (axes, operands) = self.aligned(&[(left_value?, left.span), (right_value?, right.span)], scope)?;
        let (a, b) = (operands[0], operands[1]);
        let value = match operator {
            BinaryOperator::Add => self.context.add([a, b]),
            BinaryOperator::Subtract => self.context.subtract(a, b),
            BinaryOperator::Multiply => self.context.multiply([a, b]),
            BinaryOperator::Divide => {
                if self.context.is_integer(b, 0) {
                    self.complain(Diagnostic::error(right.span, "division by 0"));
                    return None;
                }
                self.context.divide(a, b)
            }
            BinaryOperator::Power => self.context.power(a, b),
        };
        Some(Indexed { axes, value })
    }

    /// Brings operands to the same axes: those of the first that has any. All others have the same shape, or none.
    /// The leading axes of a definition's header stay as they are, and an operand may lack them.
    pub(super) fn aligned(&mut self, operands: &[(Indexed, Span)], scope: &Scope) -> Option<(Vec<IndexId>, Vec<ExprId>)> {
        let leading = scope.leading.as_deref().unwrap_or_default();
        let mut axes = Vec::new();
        let mut own_operands = Vec::with_capacity(operands.len());
        for (operand, span) in operands {
            let (lead, own) = operand.axes.split_at(operand.count_leading(leading));
            if !lead.is_empty() {
                axes = leading.to_vec();
            }
            own_operands.push((Indexed { axes: own.to_vec(), value: operand.value }, *span));
        }
        let Some((first, first_span)) = own_operands.iter().find(|(operand, _)| !operand.axes.is_empty()) else {
            return Some((axes, operands.iter().map(|(operand, _)| operand.value).collect()));
        };
        let shape = first.shape(&self.context);
        axes.extend(&first.axes);
        let mut values = Vec::with_capacity(operands.len());
        for (operand, span) in &own_operands {
            let own = operand.shape(&self.context);
            if operand.axes.is_empty() {
                values.push(operand.value);
            } else if own == shape {
                values.push(operand.at_indices(&mut self.context, &first.axes));
            } else {
                let message = format!("shapes {} and {} do not match", shape_text(&shape), shape_text(&own));
                let message = Diagnostic::error(*span, message).label(format!("this has {}", shape_words(&own)));
                self.complain(message.also(*first_span, format!("this has {}", shape_words(&shape))));
                return None;
            }
        }
        Some((axes, values))
    }

    /// The value of a condition, 1 where it holds and 0 where not.
    pub(super) fn condition(&mut self, expr: &'a Expr, scope: &mut Scope) -> Option<Indexed> {
        match &expr.kind {
            ExprKind::Compare { relation, left, right } => self.comparison(*relation, left, right, expr.span, scope),
            ExprKind::And(left, right) | ExprKind::Or(left, right) => {
                let left_value = self.condition(left, scope);
                let right_value = self.condition(right, scope);
                let (axes, operands) = self.aligned(&[(left_value?, left.span), (right_value?, right.span)], scope)?;
                let is_and = matches!(expr.kind, ExprKind::And(..));
                let value = if is_and { self.context.and(operands) } else { self.context.or(operands) };
                Some(Indexed { axes, value })
            }
            ExprKind::Not(operand) => {
                let operand = self.condition(operand, scope)?;
                Some(Indexed { value: self.context.not(operand.value), ..operand })
            }
            _ => {
                let value = self.value(expr, scope)?;
                let Some(known) = self.known(&value) else {
                    let message = Diagnostic::error(expr.span, "a condition is wanted here").label("this is a number");
                    self.complain(message.hint("compare it with another, such as `… > 0`"));
                    return None;
                };
                Some(Indexed::scalar(self.context.integer(i64::from(known != 0.0))))
            }
        }
    }

    /// Whether a condition holds, where that is known by its text alone: it speaks of words and numbers that a layer is given.
    pub(super) fn known_condition(&mut self, expr: &'a Expr, scope: &mut Scope) -> Option<bool> {
        let mut is_fixed = true;
        for_each_name(expr, &mut |name, _, _| {
            let value = match self.find(name, scope) {
                Some(Binding::Value(value)) => self.known(&value).is_some(),
                Some(Binding::Word(_)) | None => true,
                Some(_) => false,
            };
            is_fixed &= value;
        });
        if !is_fixed {
            return None;
        }
        let holds = self.condition(expr, scope)?;
        self.known(&holds).map(|holds| holds != 0.0)
    }

    fn comparison(
        &mut self,
        relation: Relation,
        left: &'a Expr,
        right: &'a Expr,
        span: Span,
        scope: &mut Scope,
    ) -> Option<Indexed> {
        if let Some(holds) = self.comparison_of_words(relation, left, right, span, scope) {
            let holds = holds?;
            return Some(Indexed::scalar(self.context.integer(i64::from(holds))));
        }
        let left_value = self.value(left, scope);
        let right_value = self.value(right, scope);
        let (axes, operands) = self.aligned(&[(left_value?, left.span), (right_value?, right.span)], scope)?;
        Some(Indexed { axes, value: self.context.compare(relation, operands[0], operands[1]) })
    }

    /// Compares words such as `valid`, where one side is the name of one; the other is a name of one or the word itself.
    fn comparison_of_words(
        &mut self,
        relation: Relation,
        left: &'a Expr,
        right: &'a Expr,
        span: Span,
        scope: &Scope,
    ) -> Option<Option<bool>> {
        let word = |builder: &mut Self, expr: &'a Expr| match &expr.kind {
            ExprKind::Name(name) => match builder.find(name, scope) {
                Some(Binding::Word(word)) => Some((word.text, true)),
                None => Some((name.clone(), false)),
                Some(_) => None,
            },
            _ => None,
        };
        let (left_word, right_word) = (word(self, left), word(self, right));
        let is_given = |word: &Option<(String, bool)>| word.as_ref().is_some_and(|word| word.1);
        // A layer's parameter may be a word in one call and a number in another: `padding = same` where it is 2.
        let is_number = |builder: &mut Self, expr: &Expr| match &expr.kind {
            ExprKind::Name(name) if scope.allows_layers && scope.local(name).is_some() => match builder.find(name, scope) {
                Some(Binding::Value(value)) => builder.known(&value).is_some(),
                _ => false,
            },
            _ => false,
        };
        let is_other = left_word.is_some() && is_number(self, right) || right_word.is_some() && is_number(self, left);
        if !is_given(&left_word) && !is_given(&right_word) && !is_other {
            return None;
        }
        match relation {
            Relation::Equal | Relation::NotEqual => {
                // A number is never equal to a word.
                let is_equal = left_word.is_some() && left_word.map(|word| word.0) == right_word.map(|word| word.0);
                Some(Some(is_equal == (relation == Relation::Equal)))
            }
            _ => {
                self.complain(Diagnostic::error(span, "words are equal or not, but none is greater than another"));
                Some(None)
            }
        }
    }

    fn choice(&mut self, condition: &'a Expr, then: &'a Expr, otherwise: &'a Expr, scope: &mut Scope) -> Option<Indexed> {
        let decided = self.condition(condition, scope);
        if let Some(known) = decided.as_ref().and_then(|decided| self.known(decided)) {
            return self.value(if known != 0.0 { then } else { otherwise }, scope);
        }
        // A value that gets a name is computed everywhere, also where its branch is not taken; there it may be
        // infinite, and so may its derivative. So nothing inside of a branch gets one.
        let names_intermediates = std::mem::replace(&mut scope.names_intermediates, false);
        let then_value = self.value(then, scope);
        let otherwise_value = self.value(otherwise, scope);
        scope.names_intermediates = names_intermediates;
        let operands = [(decided?, condition.span), (then_value?, then.span), (otherwise_value?, otherwise.span)];
        let (axes, operands) = self.aligned(&operands, scope)?;
        Some(Indexed { axes, value: self.context.if_else(operands[0], operands[1], operands[2]) })
    }
}
