//! Formulas: from tokens to the tree of the language.

use std::collections::BTreeSet;

use super::build::{binary, iverson, negated};
use super::conditions::has_relation;
use super::indices::span_of;
use super::symbols::Symbols;
use super::tokens::{Kind, Token};
use super::value::Value;
use crate::diagnostic::Diagnostic;
use crate::limits;
use crate::span::Span;
use crate::syntax::tree::{BinaryOperator, Expr, ExprKind, Name};
use crate::verify::tree::{at, places};

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
    /// Letters that number layers here, with the layer that each stands for.
    pub(super) layers: Vec<(String, i64)>,
    /// How many axes of arrays have got indices of their own.
    pub(super) axes: usize,
    pub(super) depth: usize,
}

impl<'r> Reader<'r> {
    pub(super) fn new(symbols: &'r Symbols, tokens: &'r [Token], end: Span, layer: Option<&(String, i64)>) -> Self {
        let (indices, examples, renewed) = (Vec::new(), Vec::new(), BTreeSet::new());
        let layers = layer.cloned().into_iter().collect();
        Reader { symbols, tokens, at: 0, end, indices, examples, renewed, layers, axes: 0, depth: 0 }
    }

    /// The left side, which gives its letters to the indices.
    pub(super) fn left(&mut self, is_update: bool) -> Read<Value> {
        let left = self.whole()?;
        self.indices = letters_of(&left.expr);
        if !is_update {
            return Ok(left);
        }
        let primed = |name: &str| if name.ends_with('\'') { name.to_owned() } else { format!("{name}'") };
        let span = left.span();
        let kind = match &left.expr.kind {
            ExprKind::Name(name) => ExprKind::Name(primed(name)),
            ExprKind::Access { name, indices } => {
                ExprKind::Access { name: Name { text: primed(&name.text), span: name.span }, indices: indices.clone() }
            }
            _ => return Err(Diagnostic::error(span, "an arrow stands behind the parameter or state that it changes")),
        };
        Ok(Value { expr: Expr { kind, span }, ..left })
    }

    /// Takes over what the left side says: its indices, and what was updated before it.
    pub(super) fn adopt(&mut self, left: &Reader<'_>, value: &Value) {
        self.indices = left.indices.clone();
        self.axes = left.axes;
        let target = match &value.expr.kind {
            ExprKind::Name(name) => name,
            ExprKind::Access { name, .. } => &name.text,
            _ => return,
        };
        self.renewed = self.symbols.renewed_before(target);
    }

    /// All tokens as one expression.
    pub(super) fn whole(&mut self) -> Read<Value> {
        let value = self.sum()?;
        match self.peek() {
            None => Ok(value),
            Some(token) => Err(Diagnostic::error(token.span, "the formula ends before this").label("not read")),
        }
    }

    /// A part of the tokens as one expression, with the same names.
    pub(super) fn part(&mut self, tokens: &'r [Token], read: impl FnOnce(&mut Self) -> Read<Value>) -> Read<Value> {
        let end = span_of(tokens, self.end);
        let outer = (std::mem::replace(&mut self.tokens, tokens), std::mem::replace(&mut self.at, 0));
        let outer_end = std::mem::replace(&mut self.end, end);
        let result = read(self);
        (self.tokens, self.at) = outer;
        self.end = outer_end;
        result
    }

    pub(super) fn group_value(&mut self, tokens: &'r [Token]) -> Read<Value> {
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
    pub(super) fn sum(&mut self) -> Read<Value> {
        self.depth += 1;
        if self.depth > limits::NESTING {
            return self.error("this is nested too deep");
        }
        let mut sum: Option<Value> = None;
        loop {
            let negative = self.is_next('-');
            if negative || self.is_next('+') {
                self.at += 1;
            } else if sum.is_some() {
                break;
            }
            let term = self.hadamard()?;
            let operator = if negative { BinaryOperator::Subtract } else { BinaryOperator::Add };
            sum = Some(match sum {
                None if negative => term.map(negated),
                None => term,
                Some(before) => before.with(term, |before, term| binary(operator, before, term))?,
            });
        }
        self.depth -= 1;
        match sum {
            Some(sum) => Ok(sum),
            None => self.error("a formula is missing here"),
        }
    }

    /// Products that are multiplied element by element.
    fn hadamard(&mut self) -> Read<Value> {
        let mut product = self.product()?;
        while self.is_command("odot") || self.is_command("circ") {
            self.at += 1;
            product = product.hadamard(self.product()?)?;
        }
        Ok(product)
    }

    /// Factors beside each other.
    pub(super) fn product(&mut self) -> Read<Value> {
        let mut product = self.sized_factor()?;
        loop {
            if self.is_command("cdot") || self.is_command("times") {
                self.at += 1;
            } else if self.is_next('/') {
                self.at += 1;
                let divisor = self.sized_factor()?;
                product = product.with(divisor, |above, below| binary(BinaryOperator::Divide, above, below))?;
                continue;
            } else if !self.begins_factor() {
                return Ok(product);
            }
            product = product.times(self.sized_factor()?)?;
        }
    }

    /// A factor, and its size where that stands behind it.
    fn sized_factor(&mut self) -> Read<Value> {
        let factor = self.factor()?;
        if self.is_next('⟨') {
            let size = self.fenced()?;
            self.check_size(&factor, size)?;
        }
        Ok(factor)
    }

    fn begins_factor(&self) -> bool {
        match self.peek().map(|token| &token.kind) {
            Some(Kind::Word(_) | Kind::Number(_) | Kind::Sign('(' | '[' | '{')) => true,
            Some(Kind::Command(name)) => !matches!(
                name.as_str(),
                "le" | "leq"
                    | "ge"
                    | "geq"
                    | "ne"
                    | "neq"
                    | "land"
                    | "lor"
                    | "rvert"
                    | "rVert"
                    | "rfloor"
                    | "end"
                    | "leftarrow"
                    | "gets"
                    | "odot"
                    | "circ"
                    | "dots"
            ),
            _ => false,
        }
    }

    /// One factor, with its exponent.
    pub(super) fn factor(&mut self) -> Read<Value> {
        let Some(token) = self.peek() else { return self.error("a formula ends where a factor is expected") };
        match &token.kind {
            Kind::Word(_) => self.symbol(),
            Kind::Number(number) => {
                self.at += 1;
                let number = Expr { kind: ExprKind::Number(*number), span: token.span };
                self.raised(number.into())
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
                    condition.map(iverson)
                } else {
                    self.group_value(inner)?
                };
                self.raised(value)
            }
            Kind::Command(name) => self.command(name, token.span),
            _ => self.error("a factor is expected here"),
        }
    }

    /// A value with the exponent that follows, if one does: a power, element by element, or the mark of a transpose.
    pub(super) fn raised(&mut self, mut base: Value) -> Read<Value> {
        while self.is_next('^') {
            self.at += 1;
            let exponent = self.script()?;
            base = self.raised_to(base, exponent)?;
        }
        Ok(base)
    }

    /// A value with an exponent.
    pub(super) fn raised_to(&mut self, base: Value, exponent: &'r [Token]) -> Read<Value> {
        let (is_transposed, exponent) = match exponent {
            [Token { kind: Kind::Word(mark), .. }, rest @ ..] if is_transpose(mark, &base) => (true, rest),
            _ => (false, exponent),
        };
        let base = if is_transposed { base.transposed() } else { base };
        if exponent.is_empty() {
            return Ok(base);
        }
        let exponent = self.group_value(exponent)?;
        base.with(exponent, |base, exponent| binary(BinaryOperator::Power, base, exponent))
    }

    /// The tokens between a pair of fences, which are passed.
    pub(super) fn fenced(&mut self) -> Read<&'r [Token]> {
        let start = self.at;
        let mut open = Vec::new();
        while let Some(token) = self.peek() {
            self.at += 1;
            match token.kind {
                Kind::Sign(sign @ ('(' | '[' | '{' | '⟨')) => open.push(sign),
                Kind::Sign(sign @ (')' | ']' | '}' | '⟩')) => {
                    let expected = open.pop().map(|open| match open {
                        '(' => ')',
                        '[' => ']',
                        '⟨' => '⟩',
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

/// Whether an exponent is the mark of a transpose: `T` is one where arrays are raised to it.
fn is_transpose(mark: &str, base: &Value) -> bool {
    mark == "\\top" || (mark == "T" && !base.is_element())
}

/// The letters at which elements are taken: the indices of a rule, where it is the left side.
fn letters_of(left: &Expr) -> Vec<String> {
    let mut letters = Vec::new();
    for place in places(left) {
        let ExprKind::Access { indices, .. } = &at(left, &place).kind else { continue };
        for index in indices {
            letters.extend(places(index).iter().filter_map(|place| match &at(index, place).kind {
                ExprKind::Name(name) => Some(name.clone()),
                _ => None,
            }));
        }
    }
    letters
}

/// The letters below symbols: indices, and what else is a part of names.
pub(super) fn letters_below(tokens: &[Token]) -> Vec<String> {
    let mut letters = Vec::new();
    let mut below = 0i32;
    for (at, token) in tokens.iter().enumerate() {
        let follows = at > 0 && tokens[at - 1].kind == Kind::Sign('_');
        match &token.kind {
            Kind::Sign('{') if below > 0 || follows => below += 1,
            Kind::Sign('}') if below > 0 => below -= 1,
            Kind::Word(name) if below > 0 || follows => letters.push(name.clone()),
            _ => {}
        }
    }
    letters
}
