//! Which blanks stand between the tokens of a line, and how far a line is indented.

use super::tokens::{Kind, Token};
use crate::syntax::begins_statement;
use std::iter::repeat_n;

/// Blanks of one level.
pub(super) const INDENT: usize = 4;

/// A place in a line that may stand in one column with those of the lines beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// What follows a statement's keyword.
    AfterKeyword,
    /// The `~` or the `=` of a statement.
    DrawnFrom,
    DefinedAs,
    /// The first `|>`.
    Pipe,
    /// The comment that ends the line.
    Comment,
}

/// A mark of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) mark: Mark,
    /// The byte of the line's text that the mark stands before.
    pub(super) at: usize,
    /// Its column as the author wrote it.
    pub(super) written: usize,
}

/// A line of the result; more than one where a comment in it has more.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) empty_before: bool,
    pub(super) indent: usize,
    pub(super) text: String,
    /// From left to right.
    pub(super) columns: Vec<Column>,
    /// Whether its last token opens a bracket.
    opens: bool,
}

/// The text of lines.
pub(super) fn join(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        text.extend(line.empty_before.then_some('\n'));
        text.extend(repeat_n(' ', line.indent * INDENT));
        text += &line.text;
        text.push('\n');
    }
    text
}

/// What a token does to what stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// The statement begins here.
    Start,
    /// `(` or `[`.
    Opening,
    /// A name, a number, a closing bracket: something that an operator may follow.
    Operand,
    /// A sign that stands close to what follows: the minus of a negative value, `^`, `..`.
    Close,
    /// All others.
    Apart,
}

/// A bracket that is still open.
struct Open {
    /// Of the line it stands on.
    indent: usize,
    /// Whether statements stand in it.
    is_body: bool,
    /// Whether its line ends behind it.
    hangs: bool,
}

/// Sets tokens as lines.
pub(super) fn set(tokens: &[Token<'_>]) -> Vec<Line> {
    let mut setter = Setter {
        tokens,
        lines: Vec::new(),
        line: None,
        empty_line: false,
        open: Vec::new(),
        role: Role::Start,
        last_is_comment: false,
        is_definition: false,
        is_marked: false,
    };
    for at in 0..tokens.len() {
        setter.token(at);
    }
    setter.end_line();
    setter.lines
}

struct Setter<'t> {
    tokens: &'t [Token<'t>],
    lines: Vec<Line>,
    /// The line that is being set.
    line: Option<Line>,
    /// Whether an empty line stands before the next line.
    empty_line: bool,
    open: Vec<Open>,
    /// Of the last token that is no comment.
    role: Role,
    last_is_comment: bool,
    /// Whether the statement is one whose outermost brace opens a body.
    is_definition: bool,
    /// Whether marks of the line are still looked for: it began with a statement, and this is that statement.
    is_marked: bool,
}

impl<'t> Setter<'t> {
    fn token(&mut self, at: usize) {
        let token = &self.tokens[at];
        match token.kind {
            Kind::Break { empty_line } => {
                self.end_line();
                self.empty_line |= empty_line;
                if self.is_between_statements() && !self.next(at + 1).is_some_and(|next| next.is_sign("|>")) {
                    self.role = Role::Start;
                }
            }
            Kind::LineComment | Kind::BlockComment => self.comment(at),
            Kind::Sign if token.text == ";" && self.is_between_statements() => {
                if self.separates(at) {
                    self.push(at, false);
                }
                self.is_marked = false;
                self.role = Role::Start;
            }
            _ => self.significant(at),
        }
    }

    /// Whether the end of a line, or a `;`, would end a statement here.
    fn is_between_statements(&self) -> bool {
        self.open.last().is_none_or(|innermost| innermost.is_body)
    }

    /// The next token that is neither a comment nor the end of a line.
    fn next(&self, from: usize) -> Option<&'t Token<'t>> {
        self.tokens[from..].iter().find(|token| !token.is_comment() && !matches!(token.kind, Kind::Break { .. }))
    }

    /// Whether a `;` has a statement on either side; else it says nothing.
    fn separates(&self, at: usize) -> bool {
        let after = self.tokens[at + 1..].iter().find(|token| token.kind != Kind::BlockComment && !token.is_sign(";"));
        let ends = after.is_none_or(|token| matches!(token.kind, Kind::Break { .. } | Kind::LineComment) || token.is_sign("}"));
        self.role != Role::Start && !ends
    }

    fn end_line(&mut self) {
        self.lines.extend(self.line.take());
    }

    fn comment(&mut self, at: usize) {
        let token = &self.tokens[at];
        let spaced = token.kind == Kind::LineComment || self.last_is_comment || self.role != Role::Opening;
        let ends_line = self.tokens.get(at + 1).is_none_or(|next| matches!(next.kind, Kind::Break { .. }));
        if ends_line && !token.text.contains('\n') {
            self.mark(at, spaced, Mark::Comment);
        }
        self.push(at, spaced);
        self.last_is_comment = true;
        if token.text.contains('\n') {
            self.is_marked = false;
        }
    }

    fn significant(&mut self, at: usize) {
        let token = &self.tokens[at];
        let role = self.role_of(token);
        let spaced = self.is_spaced(token);
        if self.role == Role::Start {
            let in_body = !self.open.is_empty();
            self.is_definition = !in_body && matches!(token.text, "layer" | "optimizer");
            self.is_marked = self.line.as_ref().is_none_or(|line| line.text.starts_with("/*") && self.last_is_comment);
        } else if self.is_marked && self.is_between_statements() {
            self.mark_statement(at, spaced);
        }
        let outermost = self.is_between_statements();
        if token.text == "if" && outermost {
            // The braces of `optimizer if k < 9 { … } else { … }` are no body.
            self.is_definition = false;
        }
        if matches!(token.text, ")" | "]" | "}") && token.kind == Kind::Sign {
            self.close(at, spaced);
        } else {
            self.push(at, spaced);
        }
        self.role = role;
        self.last_is_comment = false;
        if matches!(token.text, "(" | "[" | "{") && token.kind == Kind::Sign {
            self.opened(at, outermost);
        }
    }

    /// The mark of a token inside a statement that begins its line.
    fn mark_statement(&mut self, at: usize, spaced: bool) {
        let token = &self.tokens[at];
        let columns = self.line.as_ref().map_or(&[][..], |line| &line.columns);
        let follows_keyword =
            columns.is_empty() && at > 0 && begins_statement(self.tokens[at - 1].text) && self.role == Role::Apart;
        let is_first = |mark| !columns.iter().any(|column| column.mark == mark);
        let signs = [("~", Mark::DrawnFrom), ("=", Mark::DefinedAs), ("|>", Mark::Pipe)];
        let sign = signs.into_iter().find(|&(sign, mark)| token.is_sign(sign) && is_first(mark));
        if follows_keyword {
            self.mark(at, spaced, Mark::AfterKeyword);
        } else if let Some((_, mark)) = sign {
            self.mark(at, spaced, mark);
        }
    }

    fn mark(&mut self, at: usize, spaced: bool, mark: Mark) {
        let written = self.tokens[at].column;
        let line = self.begin_line(at);
        if !line.text.contains('\n') {
            let at = if line.text.is_empty() { 0 } else { line.text.len() + usize::from(spaced) };
            line.columns.push(Column { mark, at, written });
        }
    }

    fn role_of(&self, token: &Token<'_>) -> Role {
        match token.kind {
            Kind::Literal => Role::Operand,
            Kind::Word => {
                let reserved = matches!(token.text, "if" | "else" | "and" | "or" | "not");
                let begins = self.role == Role::Start && begins_statement(token.text);
                // A second operand in a row is none, but one of the words `on`, `by`, `as`, `in`.
                if reserved || begins || self.role == Role::Operand { Role::Apart } else { Role::Operand }
            }
            _ => match token.text {
                "(" | "[" => Role::Opening,
                ")" | "]" | "}" => Role::Operand,
                "^" | ".." => Role::Close,
                "-" if self.role != Role::Operand => Role::Close,
                _ => Role::Apart,
            },
        }
    }

    /// Whether a blank stands before a token that does not begin its line.
    fn is_spaced(&self, token: &Token<'_>) -> bool {
        if token.kind == Kind::Sign {
            let follows_brace = !self.last_is_comment && self.line.as_ref().is_some_and(|line| line.text.ends_with('{'));
            match token.text {
                "," | ":" | ")" | "]" => return false,
                "}" => return !follows_brace,
                _ if self.last_is_comment => return true,
                "^" => return false,
                ".." | "(" | "[" if self.role == Role::Operand => return false,
                _ => {}
            }
        }
        self.last_is_comment || !matches!(self.role, Role::Opening | Role::Close)
    }

    /// The line that is being set; where there is none, one that begins with this token.
    fn begin_line(&mut self, at: usize) -> &mut Line {
        let begun = self.line.take();
        self.line.insert(match begun {
            Some(line) => line,
            None => {
                let empty_before = std::mem::take(&mut self.empty_line) && self.lines.last().is_some_and(|line| !line.opens);
                Line { empty_before, indent: self.indent(at), ..Line::default() }
            }
        })
    }

    /// How far a line that begins with this token is indented. A comment goes with the token it stands before.
    fn indent(&self, at: usize) -> usize {
        let continues = self.next(at).is_some_and(|next| next.is_sign("|>"));
        match self.open.last() {
            None => usize::from(continues),
            Some(innermost) => innermost.indent + 1 + usize::from(continues && (innermost.is_body || innermost.hangs)),
        }
    }

    fn push(&mut self, at: usize, spaced: bool) {
        let token = self.tokens[at];
        let line = self.begin_line(at);
        if spaced && !line.text.is_empty() {
            line.text.push(' ');
        }
        line.text += token.text;
        line.opens =
            if token.is_comment() { line.opens } else { matches!(token.text, "(" | "[" | "{") && token.kind == Kind::Sign };
    }

    fn close(&mut self, at: usize, spaced: bool) {
        let closed = self.open.pop();
        let begins_line = self.line.is_none();
        let line = self.begin_line(at);
        if begins_line {
            line.empty_before = false;
            line.indent = closed.map_or(0, |closed| closed.indent);
        }
        self.push(at, spaced);
    }

    fn opened(&mut self, at: usize, outermost: bool) {
        let is_body = self.tokens[at].text == "{" && outermost && self.is_definition;
        let behind = self.tokens[at + 1..].iter().find(|token| !token.is_comment());
        let hangs = behind.is_none_or(|token| matches!(token.kind, Kind::Break { .. }));
        let indent = self.line.as_ref().map_or(0, |line| line.indent);
        self.open.push(Open { indent, is_body, hangs });
        if self.tokens[at].text == "{" {
            self.is_marked = false;
        }
        if is_body {
            self.role = Role::Start;
        }
    }
}
