//! Comparisons, their connectives, and values by cases.

use super::build::{both, compared, either};
use super::indices::span_of;
use super::reader::{Read, Reader};
use super::symbols::text_of;
use super::tokens::{Kind, Token};
use super::value::{Value, aligned};
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::syntax::tree::{Expr, ExprKind, Relation};

impl<'r> Reader<'r> {
    /// Comparisons and their connectives.
    pub(super) fn condition(&mut self) -> Read<Value> {
        let mut condition = self.conjunction()?;
        while self.is_command("lor") {
            self.at += 1;
            let right = self.conjunction()?;
            condition = condition.with(right, either)?;
        }
        match self.peek() {
            None => Ok(condition),
            Some(token) => Err(Diagnostic::error(token.span, "the condition ends before this")),
        }
    }

    fn conjunction(&mut self) -> Read<Value> {
        let mut condition = self.comparison()?;
        while self.is_command("land") {
            self.at += 1;
            let right = self.comparison()?;
            condition = condition.with(right, both)?;
        }
        Ok(condition)
    }

    /// `a`, relation, `b`; also `a \le b \le c`.
    fn comparison(&mut self) -> Read<Value> {
        if self.is_command("lnot") || self.is_command("neg") {
            let span = self.here();
            self.at += 1;
            let inner = self.comparison()?;
            return Ok(inner.map(|inner| Expr { kind: ExprKind::Not(Box::new(inner)), span }));
        }
        if (self.is_next('(') || self.is_next('[')) && self.fence_holds_condition() {
            let inner = self.fenced()?;
            return self.part(inner, Self::condition);
        }
        let mut left = self.sum()?;
        let mut whole: Option<Value> = None;
        while let Some(relation) = self.relation() {
            self.at += 1;
            let right = self.sum()?;
            let compared = left.with(right.clone(), |left, right| compared(relation, left, right))?;
            whole = Some(match whole {
                Some(before) => before.with(compared, both)?,
                None => compared,
            });
            left = right;
        }
        match whole {
            Some(whole) => Ok(whole),
            None => self.error("a relation is expected here"),
        }
    }

    fn fence_holds_condition(&self) -> bool {
        let mut ahead = Reader::new(self.symbols, self.tokens, self.end, None);
        ahead.at = self.at;
        ahead.fenced().is_ok_and(has_relation)
    }

    fn relation(&self) -> Option<Relation> {
        match &self.peek()?.kind {
            Kind::Sign('=') => Some(Relation::Equal),
            Kind::Sign('<') => Some(Relation::Less),
            Kind::Sign('>') => Some(Relation::Greater),
            Kind::Command(name) => match name.as_str() {
                "le" | "leq" => Some(Relation::LessEqual),
                "ge" | "geq" => Some(Relation::GreaterEqual),
                "ne" | "neq" => Some(Relation::NotEqual),
                _ => None,
            },
            _ => None,
        }
    }

    /// `\begin{cases} a & \text{if }c \\ b & \text{otherwise} \end{cases}`, the first command passed.
    pub(super) fn cases(&mut self, span: Span) -> Read<Value> {
        let name = self.script()?;
        if text_of(name) != "cases" {
            return Err(Diagnostic::error(span, "of environments, only `cases` are read"));
        }
        let inner = self.until("begin", "end", span)?;
        let closing = self.script()?;
        if text_of(closing) != "cases" {
            return Err(Diagnostic::error(span, "these cases are never closed"));
        }
        let mut value: Option<Value> = None;
        let rows: Vec<&'r [Token]> = rows_of(inner);
        for row in rows.iter().rev() {
            let mut cells = row.split(|token| token.kind == Kind::Sign('&'));
            let then = cells.next().unwrap_or_default();
            let then = self.group_value(without_comma(then))?;
            let condition = cells.next().unwrap_or_default();
            value = Some(match (value, condition) {
                (None, []) => then,
                (None, _) if rows.len() > 1 => {
                    // A last case with a condition of its own: what it leaves open is 0.
                    let zero = Expr { kind: ExprKind::Number(0.0), span };
                    self.choice(condition, then, zero.into(), span)?
                }
                (Some(otherwise), [_, ..]) => self.choice(condition, then, otherwise, span)?,
                _ => return Err(Diagnostic::error(span_of(row, span), "each case but the last has a condition")),
            });
        }
        match value {
            Some(value) => Ok(value),
            None => Err(Diagnostic::error(span, "there are no cases here")),
        }
    }

    fn choice(&mut self, condition: &'r [Token], then: Value, otherwise: Value, span: Span) -> Read<Value> {
        let mut parts = [self.part(condition, Self::condition)?, then, otherwise];
        let (rows, columns) = aligned(&mut parts)?;
        let [condition, then, otherwise] = parts.map(|part| Box::new(part.expr));
        let choice = Expr { kind: ExprKind::If { condition, then, otherwise }, span };
        Ok(Value { rows, columns, ..choice.into() })
    }
}

fn without_comma(tokens: &[Token]) -> &[Token] {
    match tokens {
        [rest @ .., Token { kind: Kind::Sign(','), .. }] => rest,
        _ => tokens,
    }
}

/// The rows of cases: not those of cases inside.
fn rows_of(tokens: &[Token]) -> Vec<&[Token]> {
    let mut rows = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, token) in tokens.iter().enumerate() {
        match &token.kind {
            Kind::Command(name) if name == "begin" => depth += 1,
            Kind::Command(name) if name == "end" => depth -= 1,
            Kind::NewRow if depth == 0 => {
                rows.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    rows.push(&tokens[start..]);
    rows.retain(|row| !row.is_empty());
    rows
}

/// Whether tokens compare anything outside of scripts and deeper brackets.
pub(super) fn has_relation(tokens: &[Token]) -> bool {
    let mut depth = 0;
    tokens.iter().any(|token| {
        match token.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        let is_relation = match &token.kind {
            Kind::Sign('=' | '<' | '>') => true,
            Kind::Command(name) => {
                matches!(name.as_str(), "le" | "leq" | "ge" | "geq" | "ne" | "neq" | "land" | "lor" | "lnot" | "neg")
            }
            _ => false,
        };
        depth == 0 && is_relation
    })
}
