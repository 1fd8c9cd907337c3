//! Where statements begin and end.
//!
//! Takes a text, gives the ranges of its statements in order. A mistake inside a statement stays inside it, since
//! each range is parsed by itself. All that the grammar recurses on is counted here, without recursion, so that no text
//! is deep enough to overflow a stack; brackets of a range handed on are balanced.

use super::vocabulary::OUTSIDE_BODIES;
use crate::diagnostic::Diagnostic;
use crate::limits;
use crate::span::{SourceId, Span};

/// A statement's place in the text.
#[derive(Debug)]
pub(super) struct Chunk {
    /// First byte.
    pub(super) start: usize,
    /// One past the last byte: of the whole statement, or of the head where there is a body.
    pub(super) end: usize,
    /// The statements between the braces of a definition.
    pub(super) body: Option<Body>,
}

/// What stands between the braces of a definition.
#[derive(Debug)]
pub(super) struct Body {
    /// The statements.
    pub(super) statements: Vec<Chunk>,
    /// One past the closing brace.
    pub(super) end: usize,
}

/// Splits a text into statements. A statement whose brackets do not match is reported and left out.
pub(super) fn split(text: &str, source: SourceId, diagnostics: &mut Vec<Diagnostic>) -> Vec<Chunk> {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut scanner = Scanner { text, position: start, source, diagnostics };
    let mut chunks = Vec::new();
    while scanner.skip_separators() && scanner.diagnostics.len() < limits::SYNTAX_MESSAGES {
        if scanner.next() == Some('}') {
            scanner.report(scanner.position, 1, "this `}` closes nothing");
            scanner.position += 1;
        } else {
            chunks.extend(scanner.statement(false));
        }
    }
    chunks
}

/// Whether the brackets of a part of the text match and are not nested too deep; says where not.
pub(super) fn is_sound(text: &str, range: std::ops::Range<usize>, source: SourceId, diagnostics: &mut Vec<Diagnostic>) -> bool {
    let known = diagnostics.len();
    let mut scanner = Scanner { text: &text[..range.end], position: range.start, source, diagnostics };
    let chunk = scanner.statement(false);
    let rest = chunk.map_or(range.end, |chunk| chunk.end);
    let rest = rest + text[rest..range.end].len() - text[rest..range.end].trim_start().len();
    if diagnostics.len() == known && rest < range.end {
        let span = Span { source, start: rest as u32, end: range.end as u32 };
        diagnostics.push(Diagnostic::error(span, "the rule ends before this"));
    }
    diagnostics.len() == known
}

/// A bracket that is still open.
#[derive(Default)]
struct Open {
    /// `(`, `[` or `{`; the statement itself for the outermost.
    sign: char,
    /// Where.
    position: usize,
    /// Operators since the last comma.
    operators: usize,
    /// The deepest bracket inside since the last comma.
    inner: usize,
    /// The depth of what stands before the last comma.
    before: usize,
}

impl Open {
    fn depth(&self) -> usize {
        self.before.max(self.operators + self.inner)
    }
}

struct Scanner<'a> {
    text: &'a str,
    position: usize,
    source: SourceId,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn span(&self, start: usize, length: usize) -> Span {
        Span { source: self.source, start: start as u32, end: (start + length) as u32 }
    }

    fn report(&mut self, start: usize, length: usize, message: impl Into<String>) {
        let span = self.span(start, length);
        self.diagnostics.push(Diagnostic::error(span, message));
    }

    /// Goes to the next statement, or to the brace that closes the body; false at the end of the text.
    fn skip_separators(&mut self) -> bool {
        loop {
            match self.next() {
                Some(' ' | '\t' | '\r' | '\n' | ';') => self.position += 1,
                Some('/') if self.skip_comment() => {}
                other => return other.is_some(),
            }
        }
    }

    /// Skips a comment that begins here; false where none does.
    fn skip_comment(&mut self) -> bool {
        if self.rest().starts_with("//") {
            self.skip_line();
            return true;
        }
        if !self.rest().starts_with("/*") {
            return false;
        }
        let start = self.position;
        let mut open = 0usize;
        while let Some(next) = self.next() {
            if self.rest().starts_with("/*") {
                open += 1;
                if open == limits::NESTING + 1 {
                    self.report(self.position, 2, format!("comments are nested more than {} deep", limits::NESTING));
                    self.position = self.text.len();
                    return true;
                }
                self.position += 2;
            } else if self.rest().starts_with("*/") {
                open -= 1;
                self.position += 2;
                if open == 0 {
                    return true;
                }
            } else {
                self.position += next.len_utf8();
            }
        }
        self.report(start, 2, "this comment is never closed");
        if let Some(message) = self.diagnostics.pop() {
            self.diagnostics.push(message.hint("every `/*` needs a `*/` of its own: comments nest"));
        }
        true
    }

    /// Goes to the end of the line.
    fn skip_line(&mut self) {
        self.position = self.rest().find('\n').map_or(self.text.len(), |length| self.position + length);
    }

    /// Whether the next line that holds more than blanks and comments begins with `|>`; if so, goes there.
    fn continues(&mut self) -> bool {
        let line_end = self.position;
        let known = self.diagnostics.len();
        while let Some(next) = self.next() {
            match next {
                ' ' | '\t' | '\r' | '\n' => self.position += 1,
                '/' if self.skip_comment() => {}
                _ => break,
            }
        }
        let continues = self.rest().starts_with("|>");
        if !continues {
            self.diagnostics.truncate(known);
            self.position = line_end;
        }
        continues
    }

    /// Skips a name or a number, and returns it.
    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '\'';
        let mut length = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        let word = &rest[..length];
        if word.starts_with(|first: char| first.is_ascii_digit()) && word.ends_with(['e', 'E']) && rest[length..].starts_with('-')
        {
            length += 1;
        }
        self.position += length;
        word
    }

    /// Skips text in quotes; false, and the statement is at its end, where it does not end on its line.
    fn quoted(&mut self) -> bool {
        let start = self.position;
        let inside = &self.rest()[1..];
        match inside.find(['"', '\n']) {
            Some(length) if inside[length..].starts_with('"') => {
                self.position += length + 2;
                true
            }
            _ => {
                self.report(start, 1, "the text that begins here is not closed on its line");
                self.skip_line();
                false
            }
        }
    }

    /// One statement, and the body behind it. `None` where something was reported that makes it unreadable.
    fn statement(&mut self, in_body: bool) -> Option<Chunk> {
        let known = self.diagnostics.len();
        let start = self.position;
        let mut is_definition = !in_body && matches!(self.word(), "layer" | "optimizer");
        self.position = start;
        let mut open = vec![Open::default()];
        let mut end = start;
        let mut has_body = false;
        while let Some(next) = self.next() {
            let outermost = open.len() == 1;
            match next {
                '\n' if outermost => {
                    if !self.continues() {
                        break;
                    }
                    continue;
                }
                ';' if outermost => break,
                '}' if outermost && in_body => break,
                '{' if outermost && is_definition => {
                    has_body = true;
                    break;
                }
                ' ' | '\t' | '\r' | '\n' => {
                    self.position += 1;
                    continue;
                }
                '/' if self.skip_comment() => continue,
                '"' => {
                    if !self.quoted() {
                        return None;
                    }
                }
                '(' | '[' | '{' => self.open(&mut open, next, known),
                ')' | ']' | '}' => {
                    if !self.close(&mut open, next, in_body) {
                        return None;
                    }
                }
                _ => {
                    // The braces of `optimizer if k < 9 { … } else { … }` are no body.
                    let is_if = self.token(open.last_mut()?, next) == "if";
                    is_definition &= !(is_if && outermost);
                }
            }
            end = self.position;
        }
        if open.len() > 1 {
            self.never_closed(&open);
        }
        let depth = open.first().map_or(0, Open::depth);
        if self.diagnostics.len() == known && depth > limits::EXPRESSION_DEPTH {
            self.too_deep(start, end, depth);
        }
        let sound = self.diagnostics.len() == known;
        let body = has_body.then(|| self.body());
        sound.then_some(Chunk { start, end, body })
    }

    fn open(&mut self, open: &mut Vec<Open>, sign: char, known: usize) {
        open.push(Open { sign, position: self.position, ..Open::default() });
        // Past the bound brackets are still matched, to find the statement's end.
        if open.len() == limits::NESTING + 2 && self.diagnostics.len() == known {
            self.report(self.position, 1, format!("brackets are nested more than {} deep", limits::NESTING));
        }
        self.position += 1;
    }

    /// Closes the innermost bracket; false, and the statement is at its end, where it is of another kind.
    fn close(&mut self, open: &mut Vec<Open>, sign: char, in_body: bool) -> bool {
        let here = self.span(self.position, 1);
        let innermost = open.last().filter(|_| open.len() > 1);
        let Some(innermost) = innermost else {
            self.report(self.position, 1, format!("this `{sign}` closes nothing"));
            self.skip_line();
            return false;
        };
        if matches!((innermost.sign, sign), ('(', ')') | ('[', ']') | ('{', '}')) {
            let depth = innermost.depth() + 1;
            open.pop();
            if let Some(outer) = open.last_mut() {
                outer.inner = outer.inner.max(depth);
            }
            self.position += 1;
            return true;
        }
        let place = self.span(innermost.position, 1);
        if sign == '}' && in_body && open.iter().all(|bracket| bracket.sign != '{') {
            // The brace closes the body, and what it finds open should have been closed before.
            let message = Diagnostic::error(place, format!("this `{}` is never closed", innermost.sign));
            self.diagnostics.push(message.also(here, "the body ends here"));
        } else {
            let message = Diagnostic::error(here, format!("`{sign}` does not close `{}`", innermost.sign));
            self.diagnostics.push(message.also(place, "this is still open"));
            self.skip_line();
        }
        false
    }

    /// Skips what is no bracket, and counts it where it deepens the tree. Returns it if it is a word.
    fn token(&mut self, open: &mut Open, next: char) -> &'a str {
        if next.is_alphanumeric() || next == '_' {
            let word = self.word();
            open.operators += usize::from(matches!(word, "if" | "and" | "or" | "not"));
            return word;
        }
        let two = self.rest().get(..2).is_some_and(|two| matches!(two, "<=" | ">=" | "!=" | "|>" | "->"));
        match next {
            ',' => {
                open.before = open.depth();
                open.operators = 0;
                open.inner = 0;
            }
            '+' | '-' | '*' | '/' | '^' | '<' | '>' | '=' | '!' | '|' => open.operators += 1,
            _ => {}
        }
        self.position += if two { 2 } else { next.len_utf8() };
        ""
    }

    /// The end of the text inside brackets. Those opened on later lines than the first probably belong to other statements,
    /// so the last one on the first line is to blame, and what follows that line is read again.
    fn never_closed(&mut self, open: &[Open]) {
        let first = open.get(1).map_or(0, |first| first.position);
        let line_end = self.text[first..].find('\n').map_or(self.text.len(), |length| first + length);
        if let Some(blamed) = open.iter().skip(1).take_while(|bracket| bracket.position < line_end).last() {
            self.report(blamed.position, 1, format!("this `{}` is never closed", blamed.sign));
        }
        self.position = line_end;
    }

    /// Behind a body nothing may stand on the line.
    fn must_end(&mut self) {
        loop {
            match self.next() {
                Some(' ' | '\t' | '\r') => self.position += 1,
                Some('/') if self.skip_comment() => {}
                None | Some('\n' | ';' | '}') => return,
                Some(other) => {
                    let span = self.span(self.position, other.len_utf8());
                    let message = Diagnostic::error(span, "a statement begins on the line of the body before it");
                    self.diagnostics.push(message.hint("begin a new line, or write `;` between them"));
                    return;
                }
            }
        }
    }

    fn too_deep(&mut self, start: usize, end: usize, depth: usize) {
        let limit = limits::EXPRESSION_DEPTH;
        let line = self.text[start..end].find('\n').unwrap_or(end - start);
        let message = Diagnostic::error(self.span(start, line), "this statement is nested too deep")
            .label(format!("{depth} operators and brackets on one path, the limit is {limit}"))
            .hint("give a part of it a name of its own, with an equation");
        self.diagnostics.push(message);
    }

    /// The statements between braces. Where the closing one is missing, the body ends before the first statement that can stand in none.
    fn body(&mut self) -> Body {
        let brace = self.position;
        self.position += 1;
        let mut statements: Vec<Chunk> = Vec::new();
        while self.skip_separators() {
            if self.next() == Some('}') {
                self.position += 1;
                let end = self.position;
                self.must_end();
                return Body { statements, end };
            }
            if self.diagnostics.len() >= limits::SYNTAX_MESSAGES {
                break;
            }
            statements.extend(self.statement(true));
        }
        self.report(brace, 1, "this `{` is never closed");
        let outside =
            statements.iter().position(|chunk| OUTSIDE_BODIES.contains(&super::first_word(&self.text[chunk.start..chunk.end])));
        if let Some(outside) = outside {
            // From there on the statements are read again, as statements of the file.
            self.position = statements[outside].start;
            let start = self.position as u32;
            self.diagnostics.retain(|message| message.span.start < start);
            statements.truncate(outside);
        }
        let end = statements.last().map_or(brace + 1, |last| last.end);
        Body { statements, end }
    }
}
