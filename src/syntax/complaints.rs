//! From pest's account of a failed parse to a message in the user's words.
//!
//! pest says how far it came and which rules would have gone on from there. The tables below say what those rules are
//! called, and what people write who know another notation.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::KEYWORDS;
use super::grammar::{Place, Rule};
use crate::diagnostic::{Diagnostic, nearest};

/// What other notations write, and what this language has for it. Longer signs stand before their beginnings.
const FOREIGN_SIGNS: [(&str, &str); 40] = [
    ("==", "two values are compared with `=`"),
    (":=", "an equation is written with `=`"),
    ("=>", "at least is written `>=`"),
    ("=<", "at most is written `<=`"),
    ("<>", "unequal is written `!=`"),
    ("**", "a power is written `a^b`"),
    ("+=", "an equation says what the left side is: `w' = w + …`"),
    ("-=", "an equation says what the left side is: `w' = w - …`"),
    ("++", "there is no increment; an equation says what the left side is"),
    ("&&", "both conditions: `a and b`"),
    ("||", "either condition: `a or b`"),
    ("!", "a condition is turned round with `not`"),
    ("&", "both conditions: `a and b`"),
    ("|", "a value is passed on with `|>`"),
    ("%", "there is no remainder; `a - b * floor(a / b)` is it"),
    ("?", "a choice is written `if c { a } else { b }`"),
    ("@", "a matrix product is `sum(k: a[i, k] * b[k, j])`"),
    ("#", "a comment begins with `//`"),
    ("\\", "a statement goes on over the line's end while a bracket is open, and before `|>`"),
    ("'", "text stands in double quotes"),
    ("`", "text stands in double quotes"),
    ("“", "text stands in straight double quotes"),
    ("”", "text stands in straight double quotes"),
    ("→", "an arrow is written `->`"),
    ("×", "a product is written `a * b`"),
    ("·", "a product is written `a * b`"),
    ("⋅", "a product is written `a * b`"),
    ("÷", "a quotient is written `a / b`"),
    ("−", "this is a typographic minus; write `-`"),
    ("–", "this is a dash; write `-`"),
    ("≤", "at most is written `<=`"),
    ("≥", "at least is written `>=`"),
    ("≠", "unequal is written `!=`"),
    ("²", "a square is written `a^2`"),
    ("³", "a cube is written `a^3`"),
    ("√", "a root is written `sqrt(a)`"),
    ("∞", "infinity is written `inf`"),
    ("∑", "a sum is written `sum(i: x[i])`"),
    ("∏", "a product over an index is written `product(i: x[i])`"),
    ("{", "braces stand only after `if`, `else` and the head of a layer or an optimizer"),
];

/// The same for words.
const FOREIGN_WORDS: [(&str, &str); 7] = [
    ("then", "a choice is written `if c { a } else { b }`"),
    ("elif", "another condition is written `else if c { b }`"),
    ("elseif", "another condition is written `else if c { b }`"),
    ("elsif", "another condition is written `else if c { b }`"),
    ("xor", "conditions are joined with `and` and `or`; that two differ is `[a] != [b]`"),
    ("mod", "there is no remainder; `a - b * floor(a / b)` is it"),
    ("where", "a condition on a value is written `if c { a } else { b }`"),
];

/// What a rule is called in a message; nothing for what goes without saying.
fn words(rule: Rule) -> Option<&'static str> {
    use Rule::*;
    Some(match rule {
        EOI => "the end of the statement",
        name | path => "a name",
        number => "a number",
        text => "text in quotes",
        expression | operation | reference | group | conditional | iverson | negate | not => "an expression",
        or | and | less_equal | less | equal | not_equal | greater_equal | greater | add | subtract | multiply | divide
        | power => "an operator",
        argument => "an argument",
        declaration => "a name",
        declared_index | bound_index => "an index",
        drawn_index => "an index or a size",
        formal => "a parameter",
        extents | index_list | left_indices | drawn_indices | indices | open_bracket => "`[`",
        formals | arguments | reduction | open_paren => "`(`",
        close_paren => "`)`",
        close_bracket => "`]`",
        open_brace => "`{`",
        close_brace => "`}`",
        comma => "`,`",
        colon => "`:`",
        class => "`: class[…]`",
        class_word => "`class`",
        dots => "`..`",
        arrow => "`->`",
        result => "the name of the result",
        drawn_from => "`~`",
        defined_as => "`=`",
        default => "`= …`",
        within | in_word => "`in`",
        only_if | if_word => "`if`",
        else_word => "`else`",
        on_list | on_word => "`on`",
        by_list | by_word => "`by`",
        label | as_word => "`as`",
        none_word => "`none`",
        pipe | pipe_sign => "`|>`",
        _ => return None,
    })
}

/// What stands at a position.
#[derive(Clone, Copy)]
struct Found<'t> {
    /// The token; empty at the end.
    text: &'t str,
    /// All from there on.
    rest: &'t str,
}

impl<'t> Found<'t> {
    fn at(text: &'t str, position: usize) -> Self {
        let rest = text.get(position..).unwrap_or("");
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '\'';
        let length = match rest.chars().next() {
            None => 0,
            Some(first) if is_word(first) && first != '\'' => rest.find(|letter| !is_word(letter)).unwrap_or(rest.len()),
            Some(first) => {
                let foreign = FOREIGN_SIGNS.iter().find(|(sign, _)| rest.starts_with(sign));
                let known = ["|>", "->", "..", "<=", ">=", "!="].into_iter().find(|sign| rest.starts_with(sign));
                known.map_or_else(|| foreign.map_or(first.len_utf8(), |(sign, _)| sign.len()), str::len)
            }
        };
        Self { text: &rest[..length], rest }
    }

    fn described(self) -> String {
        match self.text {
            "" => "the end of the statement".to_owned(),
            text => format!("`{text}`"),
        }
    }

    fn begins_with(self, is: impl Fn(char) -> bool) -> bool {
        self.text.chars().next().is_some_and(is)
    }

    /// A hint for what people write who know another notation.
    fn foreign(self) -> Option<&'static str> {
        if ["|>", "<=", ">=", "!="].iter().any(|sign| self.rest.starts_with(sign)) {
            return None;
        }
        let word = FOREIGN_WORDS.iter().find(|(word, _)| *word == self.text);
        word.or_else(|| FOREIGN_SIGNS.iter().find(|(sign, _)| self.rest.starts_with(sign))).map(|(_, hint)| *hint)
    }
}

/// The message for a statement that the grammar refuses.
pub(super) fn complaint(error: &Error<Rule>, statement: &str, place: Place) -> Diagnostic {
    let position = match error.location {
        InputLocation::Pos(position) | InputLocation::Span((position, _)) => position,
    };
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else {
        let whole = place.range(0, statement.len());
        return Diagnostic::error(whole, "this statement is nested too deep for the stack that is left");
    };
    let found = Found::at(statement, position);
    let span = place.range(position, position + found.text.len());
    let first = Found::at(statement, 0);
    if let Some(message) = about_first_word(first, statement, position, place) {
        return message;
    }
    if let Some(message) = about_situation(found, positives, statement, position) {
        return Diagnostic { span, ..message };
    }
    let mut message = Diagnostic::error(span, format!("expected {}, found {}", listed(positives), found.described()));
    if let Some(hint) = found.foreign() {
        message = message.hint(hint);
    } else if let Some((word, shape)) = KEYWORDS.iter().find(|(word, _)| *word == first.text) {
        message = message.hint(format!("`{word}` is written like this: `{shape}`"));
    }
    message
}

/// What the first word says about the mistake: a misspelt keyword, or a keyword that is defined.
fn about_first_word(first: Found<'_>, statement: &str, position: usize, place: Place) -> Option<Diagnostic> {
    let span = place.range(0, first.text.len());
    let behind = statement[first.text.len()..].trim_start();
    let keyword = KEYWORDS.iter().find(|(word, _)| *word == first.text);
    match keyword {
        Some((word, shape)) if behind.starts_with('=') && !behind.starts_with("==") => Some(
            Diagnostic::error(span, format!("`{word}` is a keyword, and no equation can define it"))
                .hint(format!("`{word}` is written like this: `{shape}`")),
        ),
        Some((word @ ("layer" | "optimizer"), shape)) if position == 0 => Some(
            Diagnostic::error(span, format!("`{word}` has no body"))
                .hint(format!("the body begins on the line on which the head ends: `{shape}`")),
        ),
        Some(_) => None,
        None if position == 0 || !first.begins_with(|letter| letter.is_alphabetic() || letter == '_') => {
            let message = Diagnostic::error(span, format!("{} begins no statement", first.described()));
            Some(
                message.hint(
                    first.foreign().unwrap_or("a statement begins with a keyword, such as `input`, or is an equation `y = …`"),
                ),
            )
        }
        None if behind.starts_with(|next: char| next.is_alphabetic() || next == '_' || next == '"') => {
            let message = Diagnostic::error(span, format!("`{}` begins no statement", first.text));
            let near = nearest(first.text, KEYWORDS.iter().map(|(word, _)| *word));
            Some(match near {
                Some(near) => message.hint(format!("did you mean `{near}`?")),
                None => message.hint("a statement begins with a keyword, such as `input`, or is an equation `y = …`"),
            })
        }
        None => None,
    }
}

/// Messages for situations that deserve better than a list of what could go on. The span is the caller's.
fn about_situation(found: Found<'_>, positives: &[Rule], statement: &str, position: usize) -> Option<Diagnostic> {
    let expects = |rule: Rule| positives.contains(&rule);
    let message = |text: String| Some(Diagnostic::error(nowhere(), text));
    let is_word = |letter: char| letter.is_alphabetic() || letter == '_';
    let behind = statement[..position].trim_end();
    if found.begins_with(|letter| letter.is_ascii_digit())
        && !found.text.bytes().all(|byte| byte.is_ascii_digit())
        && expects(Rule::expression)
    {
        let digits = found.text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(0);
        let (number, name) = found.text.split_at(digits);
        return message(format!("`{}` is no number", found.text))
            .map(|text| text.hint(format!("a product is written `{number} * {name}`")));
    }
    if expects(Rule::else_word) {
        return message("this `if` has no `else`".to_owned())
            .map(|text| text.hint("an expression has a value in either case: `if c { a } else { b }`"));
    }
    if found.text == "." || found.text == ".." && expects(Rule::expression) {
        return message(format!("expected {}, found `.`", listed(positives)))
            .map(|text| text.hint("a number has digits on both sides of its point: `0.5`, `1.0`"));
    }
    let after_pipe = expects(Rule::pipe) && !expects(Rule::power);
    if after_pipe && found.begins_with(|sign| "+-*/^<>=!".contains(sign)) {
        return message(format!("{} follows a pipe, which binds loosest", found.described()))
            .map(|text| text.hint("put the pipe in brackets: `(x |> f) + y`"));
    }
    if !expects(Rule::power) || found.foreign().is_some() {
        return None;
    }
    if found.text == "[" && behind.ends_with([')', '}', ']']) {
        return message("only a name can be indexed".to_owned())
            .map(|text| text.hint("give the value a name in an equation of its own, and index that"));
    }
    if found.text == "(" || found.begins_with(|letter| is_word(letter) || letter.is_ascii_digit()) {
        return message(format!("expected {}, found {}", listed(positives), found.described()))
            .map(|text| text.hint("a product is written with `*`: `2 * x`"));
    }
    None
}

/// The place of a message that its caller will place.
fn nowhere() -> crate::span::Span {
    Place { source: crate::span::SourceId(0), offset: 0 }.range(0, 0)
}

/// "an operator, `on` or the end of the statement"
fn listed(positives: &[Rule]) -> String {
    let operand_ends = positives.contains(&Rule::power);
    let optional = [Rule::arguments, Rule::indices, Rule::reduction, Rule::pipe, Rule::open_paren, Rule::open_bracket];
    let mut expected: Vec<&str> = Vec::new();
    for rule in positives {
        if operand_ends && optional.contains(rule) {
            continue;
        }
        if let Some(word) = words(*rule)
            && !expected.contains(&word)
        {
            expected.push(word);
        }
    }
    // The end is the last thing one thinks of.
    expected.sort_by_key(|word| *word == "the end of the statement");
    match expected.as_slice() {
        [] => "a statement".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
