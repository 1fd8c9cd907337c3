//! Formulas: from tokens to the tree of the language.

use std::collections::BTreeSet;

use super::build::{binary, negated};
use super::conditions::has_relation;
use super::indices::span_of;
use super::symbols::Symbols;
use super::tokens::{Kind, Token};
use crate::diagnostic::Diagnostic;
use crate::limits;
use crate::span::Span;
use crate::syntax::tree::{BinaryOperator, Expr, ExprKind, Name};

pub(super) type Read<T> = Result<T, Diagnostic>;

/// Reads one side of a rule.
pub(super) struct Reader<'r> {
    pub(super) symbols: &'r Symbols,
    pub(super) tokens: &'r [Token],
    pub(super) at: usize,
    /// Where the tokens end, for messages.
    pub(super) end: Span,
    /// Letters that are indices here.
    pub(super) indices: Vec<String>,
    /// Letters that name an example of the minibatch.
    pub(super) examples: Vec<String>,
    /// Tensors whose symbols stand for their new values.
    pub(super) renewed: BTreeSet<String>,
    pub(super) depth: usize,
}

impl<'r> Reader<'r> {
    pub(super) fn new(symbols: &'r Symbols, tokens: &'r [Token], end: Span) -> Self {
        let (indices, examples, renewed) = (Vec::new(), Vec::new(), BTreeSet::new());
        Reader { symbols, tokens, at: 0, end, indices, examples, renewed, depth: 0 }
    }

    /// The left side, which gives its letters to the indices.
    pub(super) fn left(&mut self, is_update: bool) -> Read<Expr> {
        // Every letter below a symbol is an index of the rule.
        let mut below = 0i32;
        for (at, token) in self.tokens.iter().enumerate() {
            match &token.kind {
                Kind::Sign('{') if below > 0 || at > 0 && self.tokens[at - 1].kind == Kind::Sign('_') => below += 1,
                Kind::Sign('}') if below > 0 => below -= 1,
                Kind::Word(name) if below > 0 || at > 0 && self.tokens[at - 1].kind == Kind::Sign('_') => {
                    self.indices.push(name.clone());
                }
                _ => {}
            }
        }
        let left = self.whole()?;
        if !is_update {
            return Ok(left);
        }
        let primed = |name: &str| if name.ends_with('\'') { name.to_owned() } else { format!("{name}'") };
        let kind = match left.kind {
            ExprKind::Name(name) => ExprKind::Name(primed(&name)),
            ExprKind::Access { name, indices } => {
                ExprKind::Access { name: Name { text: primed(&name.text), span: name.span }, indices }
            }
            _ => return Err(Diagnostic::error(left.span, "an arrow stands behind the parameter or state that it changes")),
        };
        Ok(Expr { kind, span: left.span })
    }

    /// Takes over what the left side says: its indices, and what was updated before it.
    pub(super) fn adopt(&mut self, left: &Reader<'_>, expr: &Expr) {
        self.indices = left.indices.clone();
        let target = match &expr.kind {
            ExprKind::Name(name) => name,
            ExprKind::Access { name, .. } => &name.text,
            _ => return,
        };
        self.renewed = self.symbols.renewed_before(target);
    }

    /// All tokens as one expression.
    pub(super) fn whole(&mut self) -> Read<Expr> {
        let value = self.sum()?;
        match self.peek() {
            None => Ok(value),
            Some(token) => Err(Diagnostic::error(token.span, "the formula ends before this").label("not read")),
        }
    }

    /// A part of the tokens as one expression, with the same names.
    pub(super) fn part(&mut self, tokens: &'r [Token], read: impl FnOnce(&mut Self) -> Read<Expr>) -> Read<Expr> {
        let end = span_of(tokens, self.end);
        let outer = (std::mem::replace(&mut self.tokens, tokens), std::mem::replace(&mut self.at, 0));
        let outer_end = std::mem::replace(&mut self.end, end);
        let result = read(self);
        (self.tokens, self.at) = outer;
        self.end = outer_end;
        result
    }

    pub(super) fn group_value(&mut self, tokens: &'r [Token]) -> Read<Expr> {
        self.part(tokens, Self::whole)
    }

    pub(super) fn peek(&self) -> Option<&'r Token> {
        self.tokens.get(self.at)
    }

    pub(super) fn is_next(&self, sign: char) -> bool {
        self.peek().is_some_and(|token| token.kind == Kind::Sign(sign))
    }

    pub(super) fn is_command(&self, name: &str) -> bool {
        matches!(self.peek(), Some(Token { kind: Kind::Command(command), .. }) if command == name)
    }

    pub(super) fn here(&self) -> Span {
        self.peek().map_or(self.end, |token| token.span)
    }

    pub(super) fn error<T>(&self, message: impl Into<String>) -> Read<T> {
        Err(Diagnostic::error(self.here(), message))
    }

    /// Terms with their signs.
    pub(super) fn sum(&mut self) -> Read<Expr> {
        self.depth += 1;
        if self.depth > limits::NESTING {
            return self.error("this is nested too deep");
        }
        let mut sum: Option<Expr> = None;
        loop {
            let negative = self.is_next('-');
            if negative || self.is_next('+') {
                self.at += 1;
            } else if sum.is_some() {
                break;
            }
            let term = self.product()?;
            sum = Some(match sum {
                None if negative => negated(term),
                None => term,
                Some(before) => binary(if negative { BinaryOperator::Subtract } else { BinaryOperator::Add }, before, term),
            });
        }
        self.depth -= 1;
        match sum {
            Some(sum) => Ok(sum),
            None => self.error("a formula is missing here"),
        }
    }

    /// Factors beside each other.
    pub(super) fn product(&mut self) -> Read<Expr> {
        let mut product = self.factor()?;
        loop {
            if self.is_command("cdot") || self.is_command("times") {
                self.at += 1;
            } else if self.is_next('/') {
                self.at += 1;
                let divisor = self.factor()?;
                product = binary(BinaryOperator::Divide, product, divisor);
                continue;
            } else if !self.begins_factor() {
                return Ok(product);
            }
            let factor = self.factor()?;
            product = binary(BinaryOperator::Multiply, product, factor);
        }
    }

    fn begins_factor(&self) -> bool {
        match self.peek().map(|token| &token.kind) {
            Some(Kind::Word(_) | Kind::Number(_) | Kind::Sign('(' | '[' | '{')) => true,
            Some(Kind::Command(name)) => !matches!(
                name.as_str(),
                "le" | "leq" | "ge" | "geq" | "ne" | "neq" | "land" | "lor" | "rvert" | "rfloor" | "end" | "leftarrow" | "gets"
            ),
            _ => false,
        }
    }

    /// One factor, with its exponent.
    pub(super) fn factor(&mut self) -> Read<Expr> {
        let Some(token) = self.peek() else { return self.error("a formula ends where a factor is expected") };
        match &token.kind {
            Kind::Word(_) => self.symbol(),
            Kind::Number(number) => {
                self.at += 1;
                let number = Expr { kind: ExprKind::Number(*number), span: token.span };
                self.raised(number)
            }
            Kind::Sign('(' | '{') => {
                let inner = self.fenced()?;
                let value = self.group_value(inner)?;
                self.raised(value)
            }
            Kind::Sign('[') => {
                let inner = self.fenced()?;
                let value = if has_relation(inner) {
                    let condition = self.part(inner, Self::condition)?;
                    let span = condition.span;
                    Expr { kind: ExprKind::Iverson(Box::new(condition)), span }
                } else {
                    self.group_value(inner)?
                };
                self.raised(value)
            }
            Kind::Command(name) => self.command(name, token.span),
            _ => self.error("a factor is expected here"),
        }
    }

    /// A value with the exponent that follows, if one does.
    pub(super) fn raised(&mut self, base: Expr) -> Read<Expr> {
        if !self.is_next('^') {
            return Ok(base);
        }
        self.at += 1;
        let exponent = self.script()?;
        let exponent = self.group_value(exponent)?;
        Ok(binary(BinaryOperator::Power, base, exponent))
    }

    /// The tokens between a pair of fences, which are passed.
    pub(super) fn fenced(&mut self) -> Read<&'r [Token]> {
        let start = self.at;
        let mut open = Vec::new();
        while let Some(token) = self.peek() {
            self.at += 1;
            match token.kind {
                Kind::Sign(sign @ ('(' | '[' | '{')) => open.push(sign),
                Kind::Sign(sign @ (')' | ']' | '}')) => {
                    let expected = open.pop().map(|open| match open {
                        '(' => ')',
                        '[' => ']',
                        _ => '}',
                    });
                    if expected != Some(sign) {
                        return Err(Diagnostic::error(token.span, format!("this `{sign}` closes nothing")));
                    }
                }
                _ => {}
            }
            if open.is_empty() {
                return Ok(&self.tokens[start + 1..self.at - 1]);
            }
        }
        let place = self.tokens.get(start).map_or(self.end, |token| token.span);
        Err(Diagnostic::error(place, "this is never closed"))
    }

    /// What `_` or `^` applies to: a group in braces, or one token.
    pub(super) fn script(&mut self) -> Read<&'r [Token]> {
        if self.is_next('{') {
            return self.fenced();
        }
        if self.peek().is_none() {
            return self.error("a script is missing here");
        }
        self.at += 1;
        Ok(&self.tokens[self.at - 1..self.at])
    }
}
