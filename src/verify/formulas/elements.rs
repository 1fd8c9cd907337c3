//! Symbols with their scripts: elements of tensors, layers, examples, exponents.

use super::build::{binary, call, element};
use super::indices::{entries, position};
use super::reader::{Read, Reader};
use super::symbols::{Symbol, text_of};
use super::tokens::{Kind, Token};
use super::value::{Axis, Value, own_index};
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

/// Which elements of a tensor are meant.
enum Places {
    /// That at these indices.
    Written(Vec<Expr>),
    /// All of them.
    All,
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
    pub(super) fn symbol(&mut self) -> Read<Value> {
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
        // A letter that the rule binds is an index, also where it is the number of updates or examples elsewhere, or an array.
        let is_index = scripts.sub.is_none() && self.indices.contains(word);
        let is_bound = |symbol: &Symbol| is_index && (symbol.is_counter || !symbol.shape.is_empty());
        let is_other = |symbol: &&Symbol| symbol.key == key && !is_bound(symbol);
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
                    let value = match indices {
                        Places::Written(indices) => element(name, indices, *span).into(),
                        Places::All => self.whole_tensor(name, &symbol.shape, *span)?,
                    };
                    let exponent = if with_label { above.after_label } else { above.exponent };
                    let value = match exponent {
                        Some(tokens) if !tokens.is_empty() => self.raised_to(value, tokens)?,
                        _ => value,
                    };
                    return self.raised(value);
                }
            }
        }
        self.other_word(word, *span, &scripts)
    }

    /// A tensor as a whole: its element at indices of its own.
    fn whole_tensor(&mut self, name: String, shape: &[usize], span: Span) -> Read<Value> {
        if shape.len() > 2 {
            let message = format!("`{name}` has {} axes, and without its indices it would need at most two", shape.len());
            return Err(Diagnostic::error(span, message).hint("write its indices below it"));
        }
        let mut axes = shape.iter().map(|&extent| {
            self.axes += 1;
            Axis { name: own_index(self.axes), extent }
        });
        let (rows, columns) = (axes.next(), axes.next());
        let indices = rows.iter().chain(&columns).map(|axis| Expr { kind: ExprKind::Name(axis.name.clone()), span }).collect();
        Ok(Value { rows, columns, ..element(name, indices, span).into() })
    }

    /// A word that is no tensor's.
    fn other_word(&mut self, word: &str, span: Span, scripts: &Scripts<'r>) -> Read<Value> {
        let exponent = match scripts.sup {
            Some(sup) => Some(self.group_value(sup)?),
            None => None,
        };
        if word == "e" && scripts.sub.is_none() {
            let one = Expr { kind: ExprKind::Number(1.0), span };
            return Ok(exponent.unwrap_or(one.into()).map(|exponent| call("exp", vec![exponent], span)));
        }
        if let Some(number) = self.layer_named(word).filter(|_| scripts.sub.is_none()) {
            let value = Expr { kind: ExprKind::Number(number as f64), span };
            return Ok(match exponent {
                Some(exponent) => exponent.map(|exponent| binary(BinaryOperator::Power, value, exponent)),
                None => value.into(),
            });
        }
        if self.indices.iter().any(|index| index == word) && scripts.sub.is_none() {
            let index = Expr { kind: ExprKind::Name(word.to_owned()), span };
            let value = match self.symbols.first_index {
                0 => index,
                first => binary(BinaryOperator::Add, index, Expr { kind: ExprKind::Number(first as f64), span }),
            };
            return Ok(match exponent {
                Some(exponent) => exponent.map(|exponent| binary(BinaryOperator::Power, value, exponent)),
                None => value.into(),
            });
        }
        Err(self.unknown(word, span, scripts))
    }

    /// That a word with these scripts is nothing that the network has, and what comes near it.
    fn unknown(&self, word: &str, span: Span, scripts: &Scripts<'r>) -> Diagnostic {
        let shown = word.trim_start_matches('\\');
        let message = Diagnostic::error(span, format!("`{shown}` is no symbol of this network, with these scripts"));
        let with_key: Vec<&Symbol> = self.symbols.all.iter().filter(|symbol| symbol.key == word).collect();
        if with_key.is_empty() {
            if let Some(spelled) = self.spelled(word) {
                return message.hint(format!("did you mean `\\mathrm{{{spelled}}}`?"));
            }
            let keys = self.symbols.all.iter().map(|symbol| symbol.key.trim_start_matches('\\'));
            let message = match crate::diagnostic::nearest(shown, keys) {
                Some(near) => message.hint(format!("did you mean `{near}`?")),
                None => message,
            };
            return message.hint("section 1 of the sheet lists the symbols: `deltarule sheet SPEC`");
        }
        let label = scripts.sup.map(|sup| self.above(sup).labels.concat()).unwrap_or_default();
        let labels: Vec<&str> = with_key.iter().map(|symbol| symbol.label.as_str()).collect();
        if !labels.contains(&label.as_str()) && !labels.contains(&"") {
            let known = labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
            return message.hint(format!("above `{shown}` stands its layer: {known}"));
        }
        message.hint(format!("`{shown}` takes {} below it", with_key[0].needs()))
    }

    /// The symbol that single letters from here on spell.
    fn spelled(&self, first: &str) -> Option<&'r str> {
        let letters = self.tokens.get(self.at..)?.iter().map_while(|token| match &token.kind {
            Kind::Word(word) => Some(word.as_str()),
            _ => None,
        });
        let spelled: String = std::iter::once(first).chain(letters).collect();
        let keys = self.symbols.all.iter().map(|symbol| symbol.key.as_str()).filter(|key| key.chars().count() > 1);
        keys.filter(|key| spelled.starts_with(key)).max_by_key(|key| key.len())
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
            above.labels.push(self.label(&rest[1..end]));
            rest = &rest[end + 1..];
            above.after_label = Some(rest);
        }
        if above.labels.is_empty() {
            let end = rest
                .iter()
                .position(|token| matches!(token.kind, Kind::Sign('(' | '[')) || is_prime(token) || is_transpose(token))
                .unwrap_or(rest.len());
            above.labels.push(self.label(&rest[..end]));
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
    fn positions(&self, symbol: &Symbol, sub: &'r [Token], place: Span) -> Read<Option<Places>> {
        let mut parts = entries(sub);
        if parts.len() < symbol.tags.len() || symbol.tags.iter().zip(&parts).any(|(tag, part)| *tag != text_of(part)) {
            return Ok(None);
        }
        parts.drain(..symbol.tags.len());
        let rank = symbol.shape.len();
        if symbol.by_update && parts.len() > rank {
            parts.pop();
        }
        if parts.is_empty() && rank > 0 {
            return Ok(Some(Places::All));
        }
        if let [[Token { kind: Kind::Number(number), span }]] = parts[..]
            && let Some(places) = digits(*number, rank)
        {
            let first = self.symbols.first_index;
            let place = |digit: i64| Expr { kind: ExprKind::Number((digit - first) as f64), span: *span };
            return Ok(Some(Places::Written(places.into_iter().map(place).collect())));
        }
        let letters: Vec<&[Token]> = match &parts[..] {
            // Letters beside each other are indices of their own.
            [one] if rank != 1 => one.chunks(1).collect(),
            _ => parts,
        };
        if letters.len() != rank {
            return Ok(None);
        }
        let places = letters.into_iter().map(|tokens| position(tokens, self.symbols.first_index, place));
        places.collect::<Read<Vec<Expr>>>().map(|places| Some(Places::Written(places)))
    }
}

/// The digits of a number, where it has as many as there are axes to be told apart: `w_{12}`.
fn digits(number: f64, rank: usize) -> Option<Vec<i64>> {
    let text = number.to_string();
    let is_each_a_place = rank > 1 && text.len() == rank && text.bytes().all(|digit| digit.is_ascii_digit());
    is_each_a_place.then(|| text.bytes().map(|digit| i64::from(digit - b'0')).collect())
}

fn is_prime(token: &Token) -> bool {
    token.kind == Kind::Sign('\'') || token.kind == Kind::Command("prime".to_owned())
}

fn is_transpose(token: &Token) -> bool {
    token.kind == Kind::Word("\\top".to_owned())
}
