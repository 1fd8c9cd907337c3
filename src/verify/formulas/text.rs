//! Formulas in one line of Unicode text as tokens: the same ones that LaTeX has for them, so that both have one meaning.

use super::symbols::{Symbols, kinds_of};
use super::tokens::{Kind, Token};
use crate::diagnostic::Diagnostic;
use crate::sheet::{identifier_latex, lowered, raised};
use crate::span::Span;

/// Signs that stand for commands of LaTeX.
const COMMANDS: [(char, &str); 23] = [
    ('Σ', "sum"),
    ('Π', "prod"),
    ('√', "sqrt"),
    ('∂', "partial"),
    ('·', "cdot"),
    ('*', "cdot"),
    ('∗', "cdot"),
    ('×', "times"),
    ('⊙', "odot"),
    ('∘', "circ"),
    ('≤', "le"),
    ('≥', "ge"),
    ('≠', "ne"),
    ('∧', "land"),
    ('∨', "lor"),
    ('¬', "lnot"),
    ('←', "leftarrow"),
    ('⌊', "lfloor"),
    ('⌋', "rfloor"),
    ('∞', "infty"),
    ('π', "pi"),
    ('…', "dots"),
    ('⋯', "dots"),
];

/// Words that are functions and operators.
const FUNCTIONS: [&str; 13] = ["exp", "ln", "log", "sin", "cos", "tan", "tanh", "arctan", "erf", "sgn", "max", "min", "argmax"];

/// A character that nobody sees: a formula that has it is text, whatever else it has.
const JOINER: char = '\u{2060}';

/// Whether a rule is written in the signs of the sheet: those that the language has not.
pub(in crate::verify) fn is_text(rule: &str, symbols: &Symbols) -> bool {
    let is_in_names = |letter: char| symbols.all.iter().any(|symbol| symbol.name.contains(letter));
    let is_mark = |letter: char| match letter {
        '−' | '⟨' | '‖' | '⊤' | '′' | JOINER => true,
        '*' => false,
        _ if COMMANDS.iter().any(|(sign, _)| *sign == letter) => !letter.is_alphabetic() || !is_in_names(letter),
        _ => (lowered(letter).is_some() || raised(letter).is_some()) && !is_in_names(letter),
    };
    rule.contains("^[") || rule.chars().any(is_mark)
}

/// The tokens of a formula that stands at `place` of its file.
pub(super) fn tokens(text: &str, place: Span, symbols: &Symbols) -> Result<Vec<Token>, Diagnostic> {
    let start = numbered(text);
    let mut scanner = Scanner { text, position: start, place, symbols, fences: Vec::new(), tokens: Vec::new() };
    while scanner.position < text.len() {
        scanner.token()?;
    }
    Ok(scanner.tokens)
}

/// Where a formula begins behind its number on the sheet: `(12)  ∂ℓ/∂y …`.
fn numbered(text: &str) -> usize {
    let number = text.strip_prefix('(').and_then(|rest| rest.split_once(") "));
    match number {
        Some((digits, _)) if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) => digits.len() + 2,
        _ => 0,
    }
}

pub(super) struct Scanner<'t> {
    pub(super) text: &'t str,
    pub(super) position: usize,
    pub(super) place: Span,
    symbols: &'t Symbols,
    /// The fences that are open, bars among them.
    fences: Vec<char>,
    pub(super) tokens: Vec<Token>,
}

impl Scanner<'_> {
    pub(super) fn span(&self, start: usize) -> Span {
        Span { start: self.place.start + start as u32, end: self.place.start + self.position as u32, ..self.place }
    }

    pub(super) fn push(&mut self, start: usize, kind: Kind) {
        let span = self.span(start);
        self.tokens.push(Token { kind, span });
    }

    pub(super) fn sign(&mut self, start: usize, sign: char) {
        self.push(start, Kind::Sign(sign));
    }

    pub(super) fn command(&mut self, start: usize, name: &str) {
        self.push(start, Kind::Command(name.to_owned()));
    }

    pub(super) fn rest(&self) -> &str {
        &self.text[self.position..]
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.rest().chars().next()?;
        self.position += next.len_utf8();
        Some(next)
    }

    fn take(&mut self, prefix: &str) -> bool {
        let is_there = self.rest().starts_with(prefix);
        if is_there {
            self.position += prefix.len();
        }
        is_there
    }

    pub(super) fn token(&mut self) -> Result<(), Diagnostic> {
        let start = self.position;
        let rest = self.rest();
        let Some(next) = rest.chars().next() else { return Ok(()) };
        if next.is_whitespace() || next == JOINER {
            self.position += next.len_utf8();
            return Ok(());
        }
        if lowered(next).is_some() {
            return self.script(start, '_', lowered);
        }
        if next != '′' && raised(next).is_some() {
            return self.script(start, '^', raised);
        }
        if next.is_ascii_digit() {
            return self.number(start);
        }
        let known = self.symbols.words.iter().any(|(word, _)| rest.starts_with(word.as_str()));
        let operator = COMMANDS.iter().find(|(sign, _)| *sign == next).filter(|_| !(known && next.is_alphabetic()));
        if let Some((_, name)) = operator {
            self.position += next.len_utf8();
            self.command(start, name);
            return if matches!(*name, "sum" | "prod") { self.limits() } else { Ok(()) };
        }
        if next.is_alphabetic() || next == '_' && known {
            return self.word(start);
        }
        self.position += next.len_utf8();
        self.other(start, next)
    }

    pub(super) fn other(&mut self, start: usize, next: char) -> Result<(), Diagnostic> {
        match next {
            '−' | '-' => self.sign(start, '-'),
            '′' | '\'' => self.sign(start, '\''),
            '⊤' => self.push(start, Kind::Word("\\top".to_owned())),
            '.' if self.take(".") => self.command(start, "dots"),
            '^' | '_' => {
                self.sign(start, next);
                return self.written_script(start);
            }
            '|' | '‖' => self.bar(start, next),
            '{' => {
                self.fences.push('{');
                self.command(start, "begin");
                self.braced(start, "cases");
            }
            '}' => {
                self.fences.pop();
                self.command(start, "end");
                self.braced(start, "cases");
            }
            ';' if self.fences.contains(&'{') => self.push(start, Kind::NewRow),
            '(' | '[' | '⟨' => {
                self.fences.push(next);
                self.sign(start, next);
            }
            ')' | ']' | '⟩' => {
                self.fences.pop();
                self.sign(start, next);
            }
            '+' | '=' | '<' | '>' | ',' | ';' | '/' => self.sign(start, next),
            _ => {
                let message = format!("`{next}` means nothing in a formula");
                return Err(Diagnostic::error(self.span(start), message));
            }
        }
        Ok(())
    }

    fn braced(&mut self, start: usize, word: &str) {
        self.sign(start, '{');
        self.push(start, Kind::Word(word.to_owned()));
        self.sign(start, '}');
    }

    /// A bar opens where a factor may begin and none is open there already.
    fn bar(&mut self, start: usize, bar: char) {
        let ends_factor = match self.tokens.last().map(|token| &token.kind) {
            Some(Kind::Word(_) | Kind::Number(_) | Kind::Sign(')' | ']' | '}' | '\'' | '⟩')) => true,
            Some(Kind::Command(name)) => matches!(name.as_str(), "rvert" | "rVert" | "rfloor" | "pi" | "infty"),
            _ => false,
        };
        let closes = ends_factor && self.fences.last() == Some(&bar);
        if closes {
            self.fences.pop();
        } else {
            self.fences.push(bar);
        }
        self.command(
            start,
            match (bar, closes) {
                ('|', false) => "lvert",
                ('|', true) => "rvert",
                (_, false) => "lVert",
                (_, true) => "rVert",
            },
        );
    }

    fn number(&mut self, start: usize) -> Result<(), Diagnostic> {
        let digits = |text: &str| text.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(text.len());
        self.position += digits(self.rest());
        if let Some(fraction) = self.rest().strip_prefix('.')
            && fraction.starts_with(|digit: char| digit.is_ascii_digit())
        {
            self.position += 1 + digits(fraction);
        }
        let number = self.text[start..self.position].parse();
        let number = number.map_err(|_| Diagnostic::error(self.span(start), "this is no number"))?;
        self.push(start, Kind::Number(number));
        Ok(())
    }

    /// A symbol's letters, a function, or any other word.
    fn word(&mut self, start: usize) -> Result<(), Diagnostic> {
        let is_inside = |letter: char| {
            letter.is_alphanumeric() && lowered(letter).is_none() && raised(letter).is_none() || matches!(letter, '_' | '.')
        };
        let rest = self.rest();
        let run = &rest[..rest.find(|letter| !is_inside(letter)).unwrap_or(rest.len())];
        let run = run.trim_end_matches(['.', '_']);
        let ends_word = |length: usize| length >= run.len() || rest[length..].starts_with('_');
        let known = self.symbols.words.iter().find(|(word, _)| rest.starts_with(word.as_str()) && ends_word(word.len()));
        if let Some((word, kinds)) = known {
            self.position += word.len();
            for kind in kinds.clone() {
                self.push(start, kind);
            }
            return Ok(());
        }
        let letters = run.find(['_', '.']).unwrap_or(run.len()).max(1);
        let word = if letters <= run.len() { &run[..letters] } else { run };
        let word = if word.is_empty() { &rest[..rest.chars().next().map_or(0, char::len_utf8)] } else { word };
        let word = word.to_owned();
        self.position += word.len();
        match word.as_str() {
            "if" => self.sign(start, '&'),
            "for" => self.sign(start, ';'),
            "otherwise" | "down" => {}
            "to" => self.command(start, "dots"),
            function if FUNCTIONS.contains(&function) => {
                self.command(start, function);
                if matches!(function, "max" | "min" | "argmax") && !self.rest().starts_with('(') {
                    return self.limits();
                }
            }
            word => kinds_of(&identifier_latex(word)).into_iter().for_each(|kind| self.push(start, kind)),
        }
        Ok(())
    }
}
