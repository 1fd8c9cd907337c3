//! Scripts in text: lowered and raised characters, what stands in fences behind `_` and `^`, and the ranges of big operators.

use super::symbols::kinds_of;
use super::text::Scanner;
use super::tokens::{Kind, Token};
use crate::diagnostic::Diagnostic;
use crate::sheet::{identifier_latex, raised};

impl Scanner<'_> {
    /// A run of lowered or raised characters: between braces what they are on the line.
    pub(super) fn script(&mut self, start: usize, sign: char, plain: fn(char) -> Option<char>) -> Result<(), Diagnostic> {
        self.sign(start, sign);
        self.sign(start, '{');
        while let Some(letter) = self.rest().chars().next().filter(|letter| *letter != '′' && plain(*letter).is_some()) {
            let from = self.position;
            self.position += letter.len_utf8();
            self.script_letter(from, plain(letter).unwrap_or(letter))?;
        }
        if sign == '^' && self.rest().starts_with('^') {
            // `W^[1]ᵀ` has its layer first; here an exponent stands before it.
            return Err(Diagnostic::error(self.span(start), "two superscripts").hint("put the first into parentheses"));
        }
        self.sign(start, '}');
        Ok(())
    }

    /// A character of a script: letters stand for themselves there.
    fn script_letter(&mut self, start: usize, letter: char) -> Result<(), Diagnostic> {
        match letter {
            _ if letter.is_ascii_digit() => {
                let digit = f64::from(letter.to_digit(10).unwrap_or(0));
                let joined = match self.tokens.last() {
                    Some(Token { kind: Kind::Number(before), span }) if span.end == self.place.start + start as u32 => {
                        Some((before * 10.0 + digit, *span))
                    }
                    _ => None,
                };
                match joined {
                    Some((number, span)) => {
                        self.tokens.pop();
                        let span = span.to(self.span(start));
                        self.tokens.push(Token { kind: Kind::Number(number), span });
                    }
                    None => self.push(start, Kind::Number(digit)),
                }
            }
            '⊤' => self.push(start, Kind::Word("\\top".to_owned())),
            _ if letter.is_alphabetic() => {
                kinds_of(&identifier_latex(&letter.to_string())).into_iter().for_each(|kind| self.push(start, kind));
            }
            '(' | ')' | '[' | ']' => self.sign(start, letter),
            _ => return self.other(start, letter),
        }
        Ok(())
    }

    /// What `^` and `_` apply to: one character, or what stands in fences. Square ones belong to what they hold, the number of a layer.
    pub(super) fn written_script(&mut self, start: usize) -> Result<(), Diagnostic> {
        let is_above = self.text[start..].starts_with('^');
        self.sign(start, '{');
        match self.rest().chars().next() {
            Some(open @ ('(' | '[')) => {
                let length = closing(self.rest());
                let Some(length) = length else {
                    self.position += 1;
                    return Err(Diagnostic::error(self.span(start), "this is never closed"));
                };
                let from = self.position;
                let keeps_fences = open == '[' || is_above;
                let close = if open == '(' { ')' } else { ']' };
                let end = from + length;
                self.position += 1;
                if keeps_fences {
                    self.sign(from, open);
                }
                if is_above {
                    self.within(end - 1)?;
                } else {
                    self.letters_within(end - 1)?;
                }
                self.position = end;
                if keeps_fences {
                    self.sign(end - 1, close);
                }
            }
            Some(_) => {
                let from = self.position;
                if let Some(letter) = self.next() {
                    self.script_letter(from, letter)?;
                }
            }
            None => {}
        }
        // The mark of a transpose, or an exponent, may follow the number of the layer.
        while let Some(letter) =
            self.rest().chars().next().filter(|letter| is_above && *letter != '′' && raised(*letter).is_some())
        {
            let from = self.position;
            self.position += letter.len_utf8();
            self.script_letter(from, raised(letter).unwrap_or(letter))?;
        }
        self.sign(start, '}');
        Ok(())
    }

    /// The tokens up to a position.
    fn within(&mut self, end: usize) -> Result<(), Diagnostic> {
        while self.position < end {
            self.token()?;
        }
        Ok(())
    }

    /// The characters up to a position, each by itself: below a symbol letters are indices.
    fn letters_within(&mut self, end: usize) -> Result<(), Diagnostic> {
        while self.position < end {
            let from = self.position;
            match self.next() {
                Some(letter) if letter.is_whitespace() => {}
                Some(letter) => self.script_letter(from, letter)?,
                None => break,
            }
        }
        Ok(())
    }

    /// The range of a big operator: lowered and raised, or in brackets: `[i=1..n; i≠3]`, `[1≤i≤3]`.
    pub(super) fn limits(&mut self) -> Result<(), Diagnostic> {
        let start = self.position;
        if !self.rest().starts_with('[') {
            return Ok(());
        }
        let Some(length) = closing(self.rest()) else {
            self.position += 1;
            return Err(Diagnostic::error(self.span(start), "this is never closed"));
        };
        let end = start + length;
        let inside = &self.text[start + 1..end - 1];
        let (range, conditions) = inside.split_once(';').unwrap_or((inside, ""));
        let over = range.find("..").map(|dots| start + 1 + dots);
        let range_end = start + 1 + range.len();
        self.position = start + 1;
        self.sign(start, '_');
        self.sign(start, '{');
        self.command(start, "substack");
        self.sign(start, '{');
        self.within(over.unwrap_or(range_end))?;
        let mut at = range_end + 1;
        for condition in conditions.split(';').filter(|_| !conditions.is_empty()) {
            self.push(start, Kind::NewRow);
            self.position = at;
            at += condition.len() + 1;
            self.within(at - 1)?;
        }
        self.sign(start, '}');
        self.sign(start, '}');
        if let Some(over) = over {
            self.position = over + 2;
            self.sign(start, '^');
            self.sign(start, '{');
            self.within(range_end)?;
            self.sign(start, '}');
        }
        self.position = end;
        Ok(())
    }
}

/// How long the part of a text is that the fence at its start encloses.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + letter.len_utf8());
        }
    }
    None
}
