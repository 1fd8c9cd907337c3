//! LaTeX's math mode as tokens: what only spaces or sizes something is left out.

use super::tokens::{Kind, Token};
use crate::diagnostic::Diagnostic;
use crate::span::Span;

/// Commands that say how large or how far apart something is set.
const SPACING: [&str; 19] = [
    "left",
    "right",
    "bigl",
    "bigr",
    "Bigl",
    "Bigr",
    "biggl",
    "biggr",
    "Biggl",
    "Biggr",
    "big",
    "Big",
    "displaystyle",
    "textstyle",
    "limits",
    "quad",
    "qquad",
    "thinspace",
    "nonumber",
];

/// Commands whose argument is a name set in another shape.
const SHAPES: [&str; 6] = ["mathrm", "mathbf", "mathsf", "mathcal", "mathit", "boldsymbol"];

/// Commands for what is no letter.
const COMMANDS: [&str; 50] = [
    "frac",
    "dfrac",
    "tfrac",
    "sqrt",
    "sum",
    "prod",
    "max",
    "min",
    "exp",
    "ln",
    "log",
    "sin",
    "cos",
    "tan",
    "tanh",
    "arctan",
    "partial",
    "cdot",
    "times",
    "le",
    "leq",
    "ge",
    "geq",
    "ne",
    "neq",
    "land",
    "lor",
    "lnot",
    "neg",
    "leftarrow",
    "gets",
    "lvert",
    "rvert",
    "lfloor",
    "rfloor",
    "substack",
    "operatorname",
    "begin",
    "end",
    "infty",
    "prime",
    "pi",
    "dots",
    "ldots",
    "cdots",
    "odot",
    "circ",
    "lVert",
    "rVert",
    "underset",
];

/// The tokens of a formula that stands at `place` of its file.
pub(super) fn tokens(text: &str, place: Span) -> Result<Vec<Token>, Diagnostic> {
    let mut scanner = Scanner { text, position: 0, place, tokens: Vec::new() };
    while scanner.position < text.len() {
        scanner.token()?;
    }
    Ok(scanner.tokens)
}

struct Scanner<'t> {
    text: &'t str,
    position: usize,
    place: Span,
    tokens: Vec<Token>,
}

impl Scanner<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span { start: self.place.start + start as u32, end: self.place.start + end as u32, ..self.place }
    }

    fn push(&mut self, start: usize, kind: Kind) {
        let span = self.span(start, self.position);
        self.tokens.push(Token { kind, span });
    }

    fn take_while(&mut self, is: impl Fn(char) -> bool) -> String {
        let rest = &self.text[self.position..];
        let length = rest.find(|letter| !is(letter)).unwrap_or(rest.len());
        self.position += length;
        rest[..length].to_owned()
    }

    fn token(&mut self) -> Result<(), Diagnostic> {
        let start = self.position;
        let Some(next) = self.text[start..].chars().next() else { return Ok(()) };
        self.position += next.len_utf8();
        match next {
            '\\' => return self.command(start),
            _ if next.is_whitespace() => {}
            '$' | '~' => {}
            '0'..='9' => {
                self.position = start;
                let mut digits = self.take_while(|digit| digit.is_ascii_digit());
                if self.text[self.position..].starts_with('.')
                    && self.text[self.position + 1..].starts_with(|d: char| d.is_ascii_digit())
                {
                    self.position += 1;
                    digits = format!("{digits}.{}", self.take_while(|digit| digit.is_ascii_digit()));
                }
                let number = digits.parse().map_err(|_| Diagnostic::error(self.span(start, self.position), "no number"))?;
                self.push(start, Kind::Number(number));
            }
            _ if next.is_alphabetic() => self.push(start, Kind::Word(next.to_string())),
            '≤' => self.push(start, Kind::Command("le".to_owned())),
            '≥' => self.push(start, Kind::Command("ge".to_owned())),
            '≠' => self.push(start, Kind::Command("ne".to_owned())),
            '←' => self.push(start, Kind::Command("leftarrow".to_owned())),
            '−' => self.push(start, Kind::Sign('-')),
            '·' | '*' => self.push(start, Kind::Command("cdot".to_owned())),
            '…' => self.push(start, Kind::Command("dots".to_owned())),
            '+' | '-' | '=' | '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | '_' | '^' | '&' | ',' | ';' | '/' | '\'' | '|' => {
                self.push(start, Kind::Sign(next));
            }
            _ => {
                let message = format!("`{next}` means nothing in a formula");
                return Err(Diagnostic::error(self.span(start, self.position), message));
            }
        }
        Ok(())
    }

    fn command(&mut self, start: usize) -> Result<(), Diagnostic> {
        let name = self.take_while(|letter| letter.is_ascii_alphabetic());
        if name.is_empty() {
            let sign = self.text[self.position..].chars().next();
            self.position += sign.map_or(0, char::len_utf8);
            match sign {
                Some('\\') => {
                    // A distance may follow in brackets: `\\[2pt]`.
                    let rest = &self.text[self.position..];
                    if rest.starts_with('[')
                        && let Some(end) = rest.find(']')
                        && rest[1..end].ends_with("pt")
                    {
                        self.position += end + 1;
                    }
                    self.push(start, Kind::NewRow);
                }
                Some('|') => {
                    let is_open = self.tokens.iter().filter(|token| token.kind == Kind::Command("lVert".to_owned())).count()
                        > self.tokens.iter().filter(|token| token.kind == Kind::Command("rVert".to_owned())).count();
                    self.push(start, Kind::Command(if is_open { "rVert" } else { "lVert" }.to_owned()));
                }
                Some('{' | '}') => self.push(start, Kind::Sign(if sign == Some('{') { '(' } else { ')' })),
                _ => {}
            }
            return Ok(());
        }
        if name == "text" {
            // `if` and `otherwise` say nothing that does not stand there already.
            match self.argument(start)?.trim() {
                "for" => self.push(start, Kind::Sign(';')),
                "to" | "down to" => self.push(start, Kind::Command("dots".to_owned())),
                _ => {}
            }
            return Ok(());
        }
        if SPACING.contains(&name.as_str()) {
            return Ok(());
        }
        if SHAPES.contains(&name.as_str()) {
            let word = self.argument(start)?;
            let word = word.replace("\\_", "_").replace(['{', '}', ' '], "");
            self.push(start, Kind::Word(word));
            return Ok(());
        }
        let is_command = COMMANDS.contains(&name.as_str());
        self.push(start, if is_command { Kind::Command(name) } else { Kind::Word(format!("\\{name}")) });
        if self.tokens.last().is_some_and(|token| token.kind == Kind::Command("operatorname".to_owned())) {
            if self.text[self.position..].starts_with('*') {
                self.position += 1;
            }
            let word = self.argument(start)?.replace("\\,", " ").replace("\\_", "_");
            self.tokens.pop();
            self.push(start, Kind::Command(word));
        }
        Ok(())
    }

    /// The text between the braces that follow.
    fn argument(&mut self, start: usize) -> Result<String, Diagnostic> {
        self.take_while(char::is_whitespace);
        let rest = &self.text[self.position..];
        let missing = || Diagnostic::error(self.span(start, self.position), "this command needs an argument in braces");
        if !rest.starts_with('{') {
            return Err(missing());
        }
        let mut depth = 0;
        for (at, letter) in rest.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let argument = rest[1..at].to_owned();
                self.position += at + 1;
                return Ok(argument);
            }
        }
        Err(missing())
    }
}
