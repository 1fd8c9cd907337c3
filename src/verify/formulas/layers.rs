//! The number of a layer in general, and sizes that change from layer to layer.

use super::indices::{entries, span_of};
use super::reader::{Read, Reader};
use super::symbols::{Symbols, text_of};
use super::tokens::{Kind, Token};
use super::value::Value;
use crate::diagnostic::Diagnostic;

impl<'r> Reader<'r> {
    /// The layer that a letter numbers here; `L` is the last one, unless it is something else.
    pub(super) fn layer_named(&self, word: &str) -> Option<i64> {
        let bound = self.layers.iter().rev().find(|(letter, _)| letter == word).map(|(_, number)| *number);
        bound.or_else(|| self.symbols.last_layer(word))
    }

    /// What stands above a symbol, with the numbers of layers in place of their letters.
    pub(super) fn label(&self, tokens: &[Token]) -> String {
        let names_layer = |token: &Token| matches!(&token.kind, Kind::Word(word) if self.layer_named(word).is_some());
        match tokens.iter().any(names_layer) {
            true => self.number(tokens).ok().flatten().map_or_else(|| text_of(tokens), |number| number.to_string()),
            false => text_of(tokens),
        }
    }

    /// The value of a sum of integers, numbers of layers and sizes of layers; `None` where something else is among them.
    pub(super) fn number(&self, tokens: &[Token]) -> Read<Option<i64>> {
        let (mut total, mut sign, mut expects_term) = (0, 1, true);
        let mut rest = tokens;
        while let [token, after @ ..] = rest {
            rest = after;
            let term = match &token.kind {
                Kind::Sign('+') if !expects_term => {
                    (sign, expects_term) = (1, true);
                    continue;
                }
                Kind::Sign('-') => {
                    (sign, expects_term) = (-1, true);
                    continue;
                }
                Kind::Sign('{' | '}') => continue,
                Kind::Number(number) if expects_term && number.fract() == 0.0 && number.abs() < 1e9 => *number as i64,
                Kind::Word(word) if expects_term => match (self.symbols.sizes.get(word), rest) {
                    (Some(sizes), [Token { kind: Kind::Sign('_'), .. }, script @ ..]) => {
                        let (script, after) = script_of(script);
                        rest = after;
                        let layer = self.number(script)?.and_then(|layer| sizes.get(&layer));
                        let Some(&size) = layer else {
                            let message = format!("`{word}` is the size of a layer, and there is no layer `{}`", text_of(script));
                            return Err(Diagnostic::error(span_of(script, token.span), message));
                        };
                        size as i64
                    }
                    _ => match self.layer_named(word) {
                        Some(layer) => layer,
                        None => return Ok(None),
                    },
                },
                _ => return Ok(None),
            };
            (total, expects_term) = (total + sign * term, false);
        }
        Ok((!expects_term).then_some(total))
    }

    /// Holds the size that stands with a factor against that of its tensor.
    pub(super) fn check_size(&self, value: &Value, size: &[Token]) -> Read<()> {
        let is_times = |token: &Token| token.kind == Kind::Command("times".to_owned());
        let written: Vec<Option<i64>> = size.split(is_times).map(|extent| self.number(extent)).collect::<Read<_>>()?;
        let extent = |axis: &Option<super::value::Axis>| axis.as_ref().map_or(1, |axis| axis.extent as i64);
        match written[..] {
            [Some(rows), Some(columns)] if (rows, columns) == (extent(&value.rows), extent(&value.columns)) => Ok(()),
            [None, _] | [_, None] => Ok(()),
            [Some(rows), Some(columns)] => {
                let message = format!("this is {}, not {rows} × {columns}", value.size());
                Err(Diagnostic::error(span_of(size, value.span()), "a wrong size").label(message))
            }
            _ => Err(Diagnostic::error(span_of(size, value.span()), "a size has rows and columns, such as `3\\times 2`")),
        }
    }
}

impl Symbols {
    /// Whether a letter stands for the number of a layer in a formula: it does where it stands above a symbol, or below the letter of a
    /// size.
    pub(super) fn numbers_layers(&self, letter: &str, tokens: &[Token]) -> bool {
        let is_letter = |token: &Token| matches!(&token.kind, Kind::Word(word) if word == letter);
        let reaches = |script: &[Token]| script_of(script).0.iter().any(is_letter);
        tokens.iter().enumerate().any(|(at, token)| match token.kind {
            Kind::Sign('^') => !self.layers.is_empty() && reaches(&tokens[at + 1..]) && self.carries_layer(&tokens[..at]),
            Kind::Sign('_') => {
                let base = at.checked_sub(1).and_then(|base| tokens.get(base));
                let is_size = matches!(base, Some(Token { kind: Kind::Word(word), .. }) if self.sizes.contains_key(word));
                is_size && reaches(&tokens[at + 1..])
            }
            _ => false,
        })
    }

    /// Whether the last of some tokens is a symbol that goes by a layer, perhaps with what stands below it.
    fn carries_layer(&self, tokens: &[Token]) -> bool {
        let mut depth = 0;
        for (at, token) in tokens.iter().enumerate().rev() {
            match &token.kind {
                Kind::Sign('}') => depth += 1,
                Kind::Sign('{') => depth -= 1,
                Kind::Word(word) if depth == 0 => {
                    let is_below = at > 0 && tokens[at - 1].kind == Kind::Sign('_');
                    if !is_below {
                        return self.all.iter().any(|symbol| symbol.key == *word && symbol.label.parse::<i64>().is_ok());
                    }
                }
                Kind::Number(_) | Kind::Sign('_' | '\'') => {}
                _ if depth > 0 => {}
                _ => return false,
            }
        }
        false
    }

    /// The number of the last layer, where that is what a letter stands for.
    fn last_layer(&self, word: &str) -> Option<i64> {
        let is_free = word == "L" && self.all.iter().all(|symbol| symbol.key != word);
        self.layers.last().copied().filter(|_| is_free)
    }
}

/// What a script applies to, and the tokens after it.
fn script_of(tokens: &[Token]) -> (&[Token], &[Token]) {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Sign('{') => depth += 1,
            Kind::Sign('}') => depth -= 1,
            _ => {}
        }
        if depth <= 0 {
            return tokens.split_at(at + 1);
        }
    }
    (tokens, &[])
}

/// What is said behind a formula: for which values of its letters it is meant.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranges<'r> {
    /// Letters with the tokens of their values.
    pub(super) stated: Vec<(&'r Token, &'r [Token])>,
}

impl<'r> Ranges<'r> {
    /// Takes the ranges off the end of a right side: `…, l = 1, 2; j = 1, …, s_l`.
    pub(super) fn split_off(tokens: &'r [Token]) -> (&'r [Token], Ranges<'r>) {
        let mut starts = Vec::new();
        let mut depth = 0;
        for (at, token) in tokens.iter().enumerate() {
            match &token.kind {
                Kind::Sign('(' | '[' | '{') => depth += 1,
                Kind::Sign(')' | ']' | '}') => depth -= 1,
                Kind::Command(name) if name == "begin" => depth += 1,
                Kind::Command(name) if name == "end" => depth -= 1,
                Kind::Sign('=') if depth == 0 && at > 1 => {
                    let follows = matches!(tokens[at - 2].kind, Kind::Sign(',' | ';'));
                    starts.extend(Some(at - 1).filter(|_| follows && matches!(tokens[at - 1].kind, Kind::Word(_))));
                }
                _ => {}
            }
        }
        let Some(&first) = starts.first() else { return (tokens, Ranges::default()) };
        let ends = starts.iter().skip(1).copied().chain([tokens.len()]);
        let stated = starts.iter().zip(ends).map(|(&start, end)| (&tokens[start], without_separators(&tokens[start + 2..end])));
        (without_separators(&tokens[..first]), Ranges { stated: stated.collect() })
    }
}

fn without_separators(mut tokens: &[Token]) -> &[Token] {
    while let [rest @ .., Token { kind: Kind::Sign(',' | ';'), .. }] = tokens {
        tokens = rest;
    }
    tokens
}

impl<'r> Reader<'r> {
    /// The values of a letter, in the order in which they are written: `1, 2`, `1, …, 4`, `L-1 down to 2`.
    pub(super) fn values(&self, tokens: &[Token]) -> Read<Vec<i64>> {
        let wrong = |tokens: &[Token]| {
            let message = Diagnostic::error(span_of(tokens, self.end), "a range is written `l = 1, 2` or `l = 1, \\dots, 4`");
            Err(message.hint("with numbers, and `L` for the last layer"))
        };
        let mut values: Vec<i64> = Vec::new();
        let mut continues = false;
        for entry in entries(tokens) {
            for part in entry.split_inclusive(is_dots) {
                let (number, dots) = match part {
                    [number @ .., last] if is_dots(last) => (number, true),
                    number => (number, false),
                };
                if !number.is_empty() {
                    let Some(number) = self.number(number)? else { return wrong(tokens) };
                    match values.last().copied().filter(|_| continues) {
                        Some(last) if number >= last => values.extend(last + 1..=number),
                        Some(last) => values.extend((number..last).rev()),
                        None => values.push(number),
                    }
                    if values.len() > MOST_VALUES {
                        return wrong(tokens);
                    }
                }
                continues = dots || continues && number.is_empty();
            }
        }
        if values.is_empty() || continues { wrong(tokens) } else { Ok(values) }
    }
}

fn is_dots(token: &Token) -> bool {
    matches!(&token.kind, Kind::Command(name) if name == "dots" || name == "ldots" || name == "cdots")
}

/// The most values that a range may have.
const MOST_VALUES: usize = 10_000;
