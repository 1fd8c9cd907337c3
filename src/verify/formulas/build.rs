//! Parts of the tree that formulas are read to.

use super::reader::Read;
use super::value::Value;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::syntax::tree::{Argument, BinaryOperator, BoundIndex, Expr, ExprKind, Name, ReduceOperator, Relation};

pub(super) fn negated(expr: Expr) -> Expr {
    let span = expr.span;
    Expr { kind: ExprKind::Negate(Box::new(expr)), span }
}

pub(super) fn binary(operator: BinaryOperator, left: Expr, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    Expr { kind: ExprKind::Binary { operator, left: Box::new(left), right: Box::new(right) }, span }
}

pub(super) fn iverson(condition: Expr) -> Expr {
    let span = condition.span;
    Expr { kind: ExprKind::Iverson(Box::new(condition)), span }
}

pub(super) fn both(left: Expr, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    Expr { kind: ExprKind::And(Box::new(left), Box::new(right)), span }
}

pub(super) fn either(left: Expr, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    Expr { kind: ExprKind::Or(Box::new(left), Box::new(right)), span }
}

pub(super) fn compared(relation: Relation, left: Expr, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    Expr { kind: ExprKind::Compare { relation, left: Box::new(left), right: Box::new(right) }, span }
}

pub(super) fn call(function: &str, arguments: Vec<Expr>, span: Span) -> Expr {
    let name = Name { text: function.to_owned(), span };
    let arguments = arguments.into_iter().map(|value| Argument { name: None, value }).collect();
    Expr { kind: ExprKind::Call { name, arguments }, span }
}

/// `[u > 0] - [u < 0]`
pub(super) fn sign_of(value: Expr, span: Span) -> Expr {
    let bracket = |relation| {
        let zero = Expr { kind: ExprKind::Number(0.0), span };
        let compared = ExprKind::Compare { relation, left: Box::new(value.clone()), right: Box::new(zero) };
        Expr { kind: ExprKind::Iverson(Box::new(Expr { kind: compared, span })), span }
    };
    binary(BinaryOperator::Subtract, bracket(Relation::Greater), bracket(Relation::Less))
}

pub(super) fn element(name: String, indices: Vec<Expr>, span: Span) -> Expr {
    let kind = match indices[..] {
        [] => ExprKind::Name(name),
        _ => ExprKind::Access { name: Name { text: name, span }, indices },
    };
    Expr { kind, span }
}

/// What a big operator makes of one index.
pub(super) fn reduced(operator: ReduceOperator, index: BoundIndex, body: Expr) -> Expr {
    let span = body.span;
    Expr { kind: ExprKind::Reduce { operator, leading: false, indices: vec![index], body: Box::new(body) }, span }
}

/// `d` before a name makes it a differential. The derivative of a number has the layout of what it is by, that of a vector by a
/// vector a row for each element of the first.
pub(super) fn derivative(of: Value, by: Value) -> Read<Value> {
    let span = of.span().to(by.span());
    let expr = fraction(of.expr, by.expr);
    match (&of.rows, &of.columns, &by.rows, &by.columns) {
        (None, None, _, _) => Ok(Value { rows: by.rows, columns: by.columns, ..expr.into() }),
        (_, _, None, None) => Ok(Value { rows: of.rows, columns: of.columns, ..expr.into() }),
        (Some(_), None, Some(_), None) => Ok(Value { rows: of.rows, columns: by.rows, is_jacobian: true, ..expr.into() }),
        _ => Err(Diagnostic::error(span, "the derivative of a matrix by an array has more than two axes")
            .hint("write it with indices")),
    }
}

fn fraction(of: Expr, by: Expr) -> Expr {
    let differential = |expr: Expr| {
        let kind = match expr.kind {
            ExprKind::Name(name) => ExprKind::Name(format!("d{name}")),
            ExprKind::Access { name, indices } => {
                ExprKind::Access { name: Name { text: format!("d{}", name.text), span: name.span }, indices }
            }
            other => other,
        };
        Expr { kind, span: expr.span }
    };
    binary(BinaryOperator::Divide, differential(of), differential(by))
}
