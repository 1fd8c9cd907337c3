//! Symbols with their scripts: elements of tensors, layers, examples, exponents.

use super::build::{binary, call, element};
use super::indices::{entries, position};
use super::reader::{Read, Reader};
use super::symbols::{Symbol, text_of};
use super::tokens::{Kind, Token};
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::syntax::tree::{BinaryOperator, Expr, ExprKind};

/// Scripts of a symbol.
#[derive(Default)]
pub(super) struct Scripts<'r> {
    pub(super) sub: Option<&'r [Token]>,
    pub(super) sup: Option<&'r [Token]>,
    pub(super) primes: usize,
}

/// What a superscript may be: a layer, an example, a prime, an exponent.
#[derive(Default)]
struct Above<'r> {
    labels: Vec<String>,
    is_primed: bool,
    /// The exponent, if none of it is a layer.
    exponent: Option<&'r [Token]>,
    /// The exponent, if its first part is a layer.
    after_label: Option<&'r [Token]>,
}

impl<'r> Reader<'r> {
    pub(super) fn scripts(&mut self) -> Read<Scripts<'r>> {
        let mut scripts = Scripts::default();
        loop {
            if self.is_next('\'') {
                self.at += 1;
                scripts.primes += 1;
            } else if self.is_next('_') && scripts.sub.is_none() {
                self.at += 1;
                scripts.sub = Some(self.script()?);
            } else if self.is_next('^') && scripts.sup.is_none() {
                self.at += 1;
                scripts.sup = Some(self.script()?);
            } else {
                return Ok(scripts);
            }
        }
    }

    /// A tensor's element, an index, or the number e.
    pub(super) fn symbol(&mut self) -> Read<Expr> {
        let Some(Token { kind: Kind::Word(word), span }) = self.peek() else { return self.error("a symbol is expected here") };
        self.at += 1;
        let scripts = self.scripts()?;
        let quoted = format!("{word}{}", "'".repeat(scripts.primes));
        let symbols = self.symbols;
        let (key, primes) = if symbols.all.iter().any(|symbol| symbol.key == quoted) {
            (quoted.as_str(), 0)
        } else {
            (word.as_str(), scripts.primes)
        };
        // A letter that the rule binds is an index, also where it is that of the number of updates or examples elsewhere.
        let is_index = scripts.sub.is_none() && self.indices.contains(word);
        let is_other = |symbol: &&Symbol| symbol.key == key && !(is_index && symbol.is_counter);
        let with_key: Vec<&Symbol> = symbols.all.iter().filter(is_other).collect();
        let above = scripts.sup.map(|sup| self.above(sup)).unwrap_or_default();
        // The reading in which most of the superscript is a layer comes first.
        for with_label in [true, false] {
            for symbol in &with_key {
                let has_label = above.labels.first().is_some_and(|label| *label == symbol.label);
                if (has_label && !symbol.label.is_empty()) == with_label
                    && symbol.label.is_empty() != with_label
                    && let Some(indices) = self.positions(symbol, scripts.sub.unwrap_or_default(), *span)?
                {
                    let is_next = primes > 0 || above.is_primed || self.renewed.contains(&symbol.name);
                    let name = if is_next { format!("{}'", symbol.name) } else { symbol.name.clone() };
                    let element = element(name, indices, *span);
                    let exponent = if with_label { above.after_label } else { above.exponent };
                    return match exponent {
                        Some(tokens) if !tokens.is_empty() => {
                            let exponent = self.group_value(tokens)?;
                            Ok(binary(BinaryOperator::Power, element, exponent))
                        }
                        _ => Ok(element),
                    };
                }
            }
        }
        self.other_word(word, *span, &scripts)
    }

    /// A word that is no tensor's.
    fn other_word(&mut self, word: &str, span: Span, scripts: &Scripts<'r>) -> Read<Expr> {
        let exponent = match scripts.sup {
            Some(sup) => Some(self.group_value(sup)?),
            None => None,
        };
        if word == "e" && scripts.sub.is_none() {
            let one = Expr { kind: ExprKind::Number(1.0), span };
            return Ok(call("exp", vec![exponent.unwrap_or(one)], span));
        }
        if self.indices.iter().any(|index| index == word) && scripts.sub.is_none() {
            let index = Expr { kind: ExprKind::Name(word.to_owned()), span };
            let value = match self.symbols.first_index {
                0 => index,
                first => binary(BinaryOperator::Add, index, Expr { kind: ExprKind::Number(first as f64), span }),
            };
            return Ok(match exponent {
                Some(exponent) => binary(BinaryOperator::Power, value, exponent),
                None => value,
            });
        }
        let shown = word.trim_start_matches('\\');
        let message = Diagnostic::error(span, format!("`{shown}` is no symbol of this network, with these scripts"));
        Err(message.hint("section 1 of the sheet lists the symbols: `deltarule sheet SPEC`"))
    }

    /// What a superscript may say.
    fn above(&self, sup: &'r [Token]) -> Above<'r> {
        let mut above = Above { exponent: Some(sup), ..Above::default() };
        let mut rest = sup;
        let fenced = |tokens: &'r [Token]| {
            let close = match tokens.first()?.kind {
                Kind::Sign('(') => ')',
                Kind::Sign('[') => ']',
                _ => return None,
            };
            tokens.iter().position(|token| token.kind == Kind::Sign(close))
        };
        while let Some(end) = fenced(rest) {
            above.labels.push(text_of(&rest[1..end]));
            rest = &rest[end + 1..];
            above.after_label = Some(rest);
        }
        if above.labels.is_empty() {
            let end = rest
                .iter()
                .position(|token| matches!(token.kind, Kind::Sign('(' | '[')) || is_prime(token))
                .unwrap_or(rest.len());
            above.labels.push(text_of(&rest[..end]));
            rest = &rest[end..];
            above.after_label = Some(rest);
        }
        above.is_primed = sup.last().is_some_and(is_prime);
        // The number of an example, or a prime, is no exponent.
        let is_example = |label: &String| self.examples.contains(label);
        if above.is_primed || above.labels.iter().any(is_example) {
            above.exponent = None;
            above.after_label = None;
        }
        if let Some(after) = above.after_label
            && let Some(end) = fenced(after)
            && is_example(&text_of(&after[1..end]))
        {
            above.after_label = Some(&after[end + 1..]);
        }
        above
    }

    /// The positions in a subscript, where it is one of this symbol.
    fn positions(&self, symbol: &Symbol, sub: &'r [Token], place: Span) -> Read<Option<Vec<Expr>>> {
        let mut parts = entries(sub);
        if parts.len() < symbol.tags.len() || symbol.tags.iter().zip(&parts).any(|(tag, part)| *tag != text_of(part)) {
            return Ok(None);
        }
        parts.drain(..symbol.tags.len());
        if symbol.by_update && parts.len() > symbol.rank {
            parts.pop();
        }
        let letters: Vec<&[Token]> = match &parts[..] {
            // Letters beside each other are indices of their own.
            [one] if symbol.rank != 1 => one.chunks(1).collect(),
            _ => parts,
        };
        if letters.len() != symbol.rank {
            return Ok(None);
        }
        letters.into_iter().map(|tokens| position(tokens, self.symbols.first_index, place)).collect::<Read<Vec<Expr>>>().map(Some)
    }
}

fn is_prime(token: &Token) -> bool {
    token.kind == Kind::Sign('\'') || token.kind == Kind::Command("prime".to_owned())
}
