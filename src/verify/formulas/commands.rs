//! What commands say: fractions, derivatives, roots, functions of one argument or several.

use super::build::{binary, call, derivative, sign_of};
use super::reader::{Read, Reader};
use super::tokens::{Kind, Token};
use super::value::{Value, aligned};
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::syntax::tree::{BinaryOperator, Expr, ExprKind, ReduceOperator};

/// The functions that are written as commands, and their names in the language.
const FUNCTIONS: [(&str, &str); 10] = [
    ("exp", "exp"),
    ("ln", "ln"),
    ("log", "ln"),
    ("sin", "sin"),
    ("cos", "cos"),
    ("tan", "tan"),
    ("tanh", "tanh"),
    ("arctan", "atan"),
    ("erf", "erf"),
    ("sgn", "sgn"),
];

impl<'r> Reader<'r> {
    pub(super) fn command(&mut self, name: &str, span: Span) -> Read<Value> {
        self.at += 1;
        match name {
            "frac" | "dfrac" | "tfrac" => {
                let (above, below) = (self.script()?, self.script()?);
                let fraction = match (differential(above), differential(below)) {
                    (Some(of), Some(by)) => self.derivative(of, by)?,
                    _ => {
                        let (above, below) = (self.group_value(above)?, self.group_value(below)?);
                        above.with(below, |above, below| binary(BinaryOperator::Divide, above, below))?
                    }
                };
                self.raised(fraction)
            }
            "partial" => self.flat_derivative(),
            "sqrt" => {
                let inner = if self.is_next('{') {
                    let inner = self.script()?;
                    self.group_value(inner)?
                } else {
                    // A root sign without a line above what it is taken of.
                    return self.factor().map(|inner| inner.map(|inner| call("sqrt", vec![inner], span)));
                };
                self.raised(inner.map(|inner| call("sqrt", vec![inner], span)))
            }
            "sum" => self.big(ReduceOperator::Sum, span),
            "prod" => self.big(ReduceOperator::Product, span),
            "max" | "min" if self.is_next('_') => {
                self.big(if name == "max" { ReduceOperator::Max } else { ReduceOperator::Min }, span)
            }
            "max" | "min" => {
                if !self.is_next('(') {
                    return self.error("arguments in parentheses are expected here");
                }
                let inner = self.fenced()?;
                let mut arguments = Vec::new();
                for argument in arguments_of(inner) {
                    arguments.push(self.group_value(argument)?);
                }
                let (rows, columns) = aligned(&mut arguments)?;
                let arguments = arguments.into_iter().map(|argument| argument.expr).collect();
                self.raised(Value { rows, columns, ..call(name, arguments, span).into() })
            }
            "lvert" | "lfloor" => {
                let close = if name == "lvert" { "rvert" } else { "rfloor" };
                let inner = self.until(name, close, span)?;
                let inner = self.group_value(inner)?;
                let function = if name == "lvert" { "abs" } else { "floor" };
                self.raised(inner.map(|inner| call(function, vec![inner], span)))
            }
            "lVert" => self.norm(span),
            "underset" => {
                let (size, inner) = (self.script()?, self.script()?);
                let inner = self.group_value(inner)?;
                self.check_size(&inner, size)?;
                self.raised(inner)
            }
            "begin" => self.cases(span),
            "infty" => Ok(Expr { kind: ExprKind::Name("inf".to_owned()), span }.into()),
            "pi" => {
                let pi = Expr { kind: ExprKind::Name("pi".to_owned()), span };
                self.raised(pi.into())
            }
            _ => match FUNCTIONS.iter().find(|(written, _)| *written == name) {
                Some((_, function)) => self.function(function, span),
                None => Err(Diagnostic::error(span, format!("`\\{name}` has no meaning in a rule"))),
            },
        }
    }

    /// A function with its argument: in parentheses, or the one symbol that follows.
    fn function(&mut self, function: &str, span: Span) -> Read<Value> {
        let power = if self.is_next('^') {
            self.at += 1;
            let exponent = self.script()?;
            Some(self.group_value(exponent)?)
        } else {
            None
        };
        let is_fenced = self.is_next('(') || self.is_next('[');
        let argument = if is_fenced {
            let inner = self.fenced()?;
            self.group_value(inner)?
        } else {
            self.factor()?
        };
        let value = match function {
            "sgn" => argument.map(|argument| sign_of(argument, span)),
            _ => argument.map(|argument| call(function, vec![argument], span)),
        };
        let value = if is_fenced { self.raised(value)? } else { value };
        Ok(match power {
            Some(exponent) => value.with(exponent, |value, exponent| binary(BinaryOperator::Power, value, exponent))?,
            None => value,
        })
    }

    /// `\partial a/\partial b`, the first mark passed.
    fn flat_derivative(&mut self) -> Read<Value> {
        let of = self.symbol()?;
        if !self.is_next('/') {
            return self.error("`/` is expected behind what is differentiated");
        }
        self.at += 1;
        if !self.is_command("partial") {
            return self.error("`\\partial` is expected here");
        }
        self.at += 1;
        let by = self.symbol()?;
        derivative(of, by)
    }

    fn derivative(&mut self, of: &'r [Token], by: &'r [Token]) -> Read<Value> {
        let (of, by) = (self.group_value(of)?, self.group_value(by)?);
        derivative(of, by)
    }

    /// `\lVert a\rVert_F^2`, the first bar passed: the root of the sum of all squares, of which the square is usual.
    fn norm(&mut self, span: Span) -> Read<Value> {
        let inner = self.until("lVert", "rVert", span)?;
        let squared = self.group_value(inner)?.squared_norm();
        if self.is_next('_') {
            self.at += 1;
            self.script()?;
        }
        if self.is_next('^')
            && let Some(Token { kind: Kind::Number(exponent), .. }) = self.tokens.get(self.at + 1 + usize::from(self.has_brace()))
            && *exponent == 2.0
        {
            self.at += 1;
            self.script()?;
            return Ok(squared);
        }
        self.raised(squared.map(|squared| call("sqrt", vec![squared], span)))
    }

    /// Whether the script that is next stands in braces.
    fn has_brace(&self) -> bool {
        self.tokens.get(self.at + 1).is_some_and(|token| token.kind == Kind::Sign('{'))
    }

    /// The tokens up to a closing command, which is passed.
    pub(super) fn until(&mut self, open: &str, close: &str, span: Span) -> Read<&'r [Token]> {
        let start = self.at;
        let mut depth = 1;
        while self.peek().is_some() {
            if self.is_command(open) {
                depth += 1;
            } else if self.is_command(close) {
                depth -= 1;
            }
            self.at += 1;
            if depth == 0 {
                return Ok(&self.tokens[start..self.at - 1]);
            }
        }
        Err(Diagnostic::error(span, "this is never closed"))
    }
}

/// What stands behind `\partial`, where that is all of one side of a fraction.
fn differential(tokens: &[Token]) -> Option<&[Token]> {
    match tokens {
        [Token { kind: Kind::Command(name), .. }, rest @ ..] if name == "partial" && !rest.is_empty() => Some(rest),
        _ => None,
    }
}

/// The arguments between commas that stand in no brackets.
fn arguments_of(tokens: &[Token]) -> Vec<&[Token]> {
    let mut arguments = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') => depth -= 1,
            Kind::Sign(',') if depth == 0 => {
                arguments.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    arguments.push(&tokens[start..]);
    arguments
}
