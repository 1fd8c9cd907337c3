//! What commands say: fractions, derivatives, roots, functions of one argument or several.

use super::build::{binary, call, fraction, sign_of};
use super::reader::{Read, Reader};
use super::tokens::{Kind, Token};
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
    pub(super) fn command(&mut self, name: &str, span: Span) -> Read<Expr> {
        self.at += 1;
        match name {
            "frac" | "dfrac" | "tfrac" => {
                let (above, below) = (self.script()?, self.script()?);
                let fraction = match (differential(above), differential(below)) {
                    (Some(of), Some(by)) => self.derivative(of, by)?,
                    _ => {
                        let (above, below) = (self.group_value(above)?, self.group_value(below)?);
                        binary(BinaryOperator::Divide, above, below)
                    }
                };
                self.raised(fraction)
            }
            "partial" => self.flat_derivative(),
            "sqrt" => {
                let inner = self.script()?;
                let inner = self.group_value(inner)?;
                self.raised(call("sqrt", vec![inner], span))
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
                self.raised(call(name, arguments, span))
            }
            "lvert" | "lfloor" => {
                let close = if name == "lvert" { "rvert" } else { "rfloor" };
                let inner = self.until(name, close, span)?;
                let inner = self.group_value(inner)?;
                self.raised(call(if name == "lvert" { "abs" } else { "floor" }, vec![inner], span))
            }
            "begin" => self.cases(span),
            "infty" => Ok(Expr { kind: ExprKind::Name("inf".to_owned()), span }),
            "pi" => {
                let pi = Expr { kind: ExprKind::Name("pi".to_owned()), span };
                self.raised(pi)
            }
            _ => match FUNCTIONS.iter().find(|(written, _)| *written == name) {
                Some((_, function)) => self.function(function, span),
                None => Err(Diagnostic::error(span, format!("`\\{name}` has no meaning in a rule"))),
            },
        }
    }

    /// A function with its argument: in parentheses, or the one symbol that follows.
    fn function(&mut self, function: &str, span: Span) -> Read<Expr> {
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
            "sgn" => sign_of(argument, span),
            _ => call(function, vec![argument], span),
        };
        let value = if is_fenced { self.raised(value)? } else { value };
        Ok(match power {
            Some(exponent) => binary(BinaryOperator::Power, value, exponent),
            None => value,
        })
    }

    /// `\partial a/\partial b`, the first mark passed.
    fn flat_derivative(&mut self) -> Read<Expr> {
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
        Ok(fraction(of, by))
    }

    fn derivative(&mut self, of: &'r [Token], by: &'r [Token]) -> Read<Expr> {
        let (of, by) = (self.group_value(of)?, self.group_value(by)?);
        Ok(fraction(of, by))
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
