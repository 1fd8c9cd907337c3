//! Indices of symbols: where counting begins at 1 on paper and at 0 in the language.

use super::tokens::{Kind, Token};
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::syntax::tree::{BinaryOperator, Expr, ExprKind};

/// The entries of a subscript: what stands between commas.
pub(super) fn entries(tokens: &[Token]) -> Vec<&[Token]> {
    if tokens.is_empty() { Vec::new() } else { tokens.split(|token| token.kind == Kind::Sign(',')).collect() }
}

/// An expression that is affine in indices, as terms and a constant.
#[derive(Default)]
struct Affine {
    terms: Vec<(String, i64)>,
    constant: i64,
}

/// The position that an index of a symbol stands for, from 0. `first` is the number of the first element on paper, and of the first value
/// of each index.
pub(super) fn position(tokens: &[Token], first: i64, place: Span) -> Result<Expr, Diagnostic> {
    let affine = affine(tokens, place)?;
    let coefficients: i64 = affine.terms.iter().map(|(_, coefficient)| coefficient).sum();
    Ok(written(&affine.terms, affine.constant + first * (coefficients - 1), span_of(tokens, place)))
}

pub(super) fn span_of(tokens: &[Token], place: Span) -> Span {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => place,
    }
}

fn affine(tokens: &[Token], place: Span) -> Result<Affine, Diagnostic> {
    let mut sum = Affine::default();
    let mut sign = 1;
    let mut at = 0;
    let wrong = |token: Option<&Token>| {
        let span = token.map_or(place, |token| token.span);
        Diagnostic::error(span, "an index is a sum of letters and integers, such as `2p+u-1`")
    };
    let mut expects_term = true;
    while let Some(token) = tokens.get(at) {
        match &token.kind {
            Kind::Sign('+') if !expects_term => (sign, expects_term) = (1, true),
            Kind::Sign('-') => (sign, expects_term) = (-1, true),
            Kind::Sign('{' | '}') => {}
            Kind::Number(number) if expects_term && number.fract() == 0.0 && number.abs() < 1e9 => {
                let number = *number as i64;
                match tokens.get(at + 1).map(|next| &next.kind) {
                    Some(Kind::Word(name)) => {
                        sum.terms.push((name.clone(), sign * number));
                        at += 1;
                    }
                    _ => sum.constant += sign * number,
                }
                expects_term = false;
            }
            Kind::Word(name) if expects_term => {
                sum.terms.push((name.clone(), sign));
                expects_term = false;
            }
            _ => return Err(wrong(Some(token))),
        }
        at += 1;
    }
    if expects_term { Err(wrong(tokens.last())) } else { Ok(sum) }
}

/// Terms and a constant in the language.
fn written(terms: &[(String, i64)], constant: i64, span: Span) -> Expr {
    let number = |value: i64| Expr { kind: ExprKind::Number(value as f64), span };
    let binary = |operator, left: Expr, right: Expr| Expr {
        kind: ExprKind::Binary { operator, left: Box::new(left), right: Box::new(right) },
        span,
    };
    let mut sum: Option<Expr> = None;
    let mut add = |negative: bool, term: Expr| {
        sum = Some(match sum.take() {
            None if negative => Expr { kind: ExprKind::Negate(Box::new(term)), span },
            None => term,
            Some(before) if negative => binary(BinaryOperator::Subtract, before, term),
            Some(before) => binary(BinaryOperator::Add, before, term),
        });
    };
    for (name, coefficient) in terms {
        let name = Expr { kind: ExprKind::Name(name.clone()), span };
        let term = match coefficient.unsigned_abs() {
            1 => name,
            times => binary(BinaryOperator::Multiply, number(times as i64), name),
        };
        add(*coefficient < 0, term);
    }
    if constant != 0 {
        add(constant < 0, number(constant.abs()));
    }
    sum.unwrap_or_else(|| number(0))
}
