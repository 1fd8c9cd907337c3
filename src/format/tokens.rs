//! A text as tokens, comments and line ends.

/// What a stretch of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, a path such as `dense1.w`, or a keyword.
    Word,
    /// A number, or text in quotes.
    Literal,
    /// An operator, a bracket, or what separates.
    Sign,
    /// `// to the end of the line`
    LineComment,
    /// `/* to the matching end */`
    BlockComment,
    /// Ends of lines with only blanks between them: a lone one, or more than one.
    Break {
        /// Whether an empty line stands between.
        empty_line: bool,
    },
}

/// A stretch of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t str,
    /// How many letters stand before it on its line.
    pub(super) column: usize,
}

impl Token<'_> {
    pub(super) fn is_comment(&self) -> bool {
        matches!(self.kind, Kind::LineComment | Kind::BlockComment)
    }

    pub(super) fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }
}

/// Signs of two letters; all others have one.
const LONG_SIGNS: [&str; 6] = ["|>", "->", "..", "<=", ">=", "!="];

/// Splits a text that has been parsed without an error and whose lines end with `\n`.
pub(super) fn split(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut position = 0;
    let mut line_start = 0;
    while let Some(next) = text[position..].chars().next() {
        let rest = &text[position..];
        if matches!(next, ' ' | '\t' | '\r') {
            position += 1;
            continue;
        }
        let (kind, length) = token(rest, next);
        let column = text[line_start..position].chars().count();
        let text_of = &rest[..length];
        let trimmed = if kind == Kind::LineComment { text_of.trim_end() } else { text_of };
        tokens.push(Token { kind, text: trimmed, column });
        if let Some(last) = text_of.rfind('\n') {
            line_start = position + last + 1;
        }
        position += length;
    }
    tokens
}

/// The kind and the length of what a text begins with.
fn token(rest: &str, next: char) -> (Kind, usize) {
    if next == '\n' {
        let blanks = rest.find(|letter| !matches!(letter, ' ' | '\t' | '\r' | '\n')).unwrap_or(rest.len());
        let length = rest[..blanks].rfind('\n').map_or(1, |last| last + 1);
        return (Kind::Break { empty_line: rest[1..length].contains('\n') }, length);
    }
    if rest.starts_with("//") {
        return (Kind::LineComment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Kind::BlockComment, block_comment(rest));
    }
    if next == '"' {
        return (Kind::Literal, rest[1..].find('"').map_or(rest.len(), |end| end + 2));
    }
    if next.is_ascii_digit() {
        return (Kind::Literal, number(rest));
    }
    if next.is_alphabetic() || next == '_' {
        return (Kind::Word, path(rest));
    }
    let long = LONG_SIGNS.iter().find(|sign| rest.starts_with(**sign));
    (Kind::Sign, long.map_or(next.len_utf8(), |sign| sign.len()))
}

/// The length of a comment with those inside it.
fn block_comment(rest: &str) -> usize {
    let mut open = 0;
    let mut position = 0;
    while let Some(next) = rest[position..].chars().next() {
        if rest[position..].starts_with("/*") {
            open += 1;
            position += 2;
        } else if rest[position..].starts_with("*/") {
            open -= 1;
            position += 2;
            if open == 0 {
                break;
            }
        } else {
            position += next.len_utf8();
        }
    }
    position
}

fn is_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '\''
}

fn word(rest: &str) -> usize {
    rest.find(|letter| !is_part(letter)).unwrap_or(rest.len())
}

/// The length of `12`, `1_000`, `0.5`, `1e-3`.
fn number(rest: &str) -> usize {
    let mut length = word(rest);
    let after = &rest[length..];
    if after.starts_with('.') && after[1..].starts_with(|letter: char| letter.is_ascii_digit()) {
        length += 1 + word(&after[1..]);
    }
    if rest[..length].ends_with(['e', 'E']) && rest[length..].starts_with(['+', '-']) {
        length += 1 + word(&rest[length + 1..]);
    }
    length
}

/// The length of a name, or of names with a full stop between them.
fn path(rest: &str) -> usize {
    let mut length = word(rest);
    while let Some(further) = rest[length..].strip_prefix('.')
        && further.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
    {
        length += 1 + word(further);
    }
    length
}
