//! From pest's account of a failed parse to a message in the user's words.
//!
//! pest says how far it came and which rules would have gone on from there. `vocabulary.rs` says what those rules are
//! called, and what people write who know another notation.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::expressions::REDUCTIONS;
use super::grammar::{Place, Rule};
use super::vocabulary::{AN_EXPRESSION, FOREIGN_SIGNS, FOREIGN_WORDS, KEYWORDS, THE_END, words};
use crate::diagnostic::{Diagnostic, is_unprintable, nearest};

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

    fn quoted(self) -> String {
        match self.text.chars().next() {
            Some(sign) if is_unprintable(sign) => format!("the character U+{:04X}", sign as u32),
            _ => format!("`{}`", self.text),
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

/// A place in a statement where the grammar does not go on.
struct Situation<'t> {
    /// The whole statement, or the head of a definition.
    statement: &'t str,
    /// Its first word.
    first: Found<'t>,
    /// Where the parser came to a halt.
    position: usize,
    /// What stands there.
    found: Found<'t>,
    /// The rules that would have gone on.
    positives: &'t [Rule],
}

/// What stands behind a side of a rule.
pub(super) const RULE_END: &str = "the end of the rule";

/// The message for a statement that the grammar refuses. `ending` is what stands behind the text it was given.
pub(super) fn complaint(error: &Error<Rule>, statement: &str, ending: &'static str, place: Place) -> Diagnostic {
    let position = match error.location {
        InputLocation::Pos(position) | InputLocation::Span((position, _)) => position,
    };
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else {
        let whole = place.range(0, statement.len());
        return Diagnostic::error(whole, "this statement is nested too deep for the stack that is left");
    };
    let found = Found::at(statement, position);
    let at = Situation { statement, first: Found::at(statement, 0), position, found, positives };
    // A side of a rule begins as any expression does.
    let is_statement = ending != RULE_END;
    if let Some((message, hint)) = at.about_first_word().filter(|_| is_statement) {
        return Diagnostic::error(place.range(0, at.first.text.len()), message).hint(hint);
    }
    let expected =
        || format!("expected {}, found {}", at.listed(), if found.text.is_empty() { ending.to_owned() } else { found.quoted() });
    let (message, hint) = at.about_operand().or_else(|| at.about_operator()).unwrap_or((None, None));
    let message = Diagnostic::error(place.range(position, position + found.text.len()), message.unwrap_or_else(expected));
    match hint.or_else(|| at.usual_hint()) {
        Some(hint) => message.hint(hint),
        None => message,
    }
}

/// A message in place of the list of what was expected, and a hint in place of the usual one.
type Special = (Option<String>, Option<String>);

impl Situation<'_> {
    fn expects(&self, rule: Rule) -> bool {
        self.positives.contains(&rule)
    }

    /// Whether an operand is complete, so that an operator could follow.
    fn is_behind_operand(&self) -> bool {
        self.expects(Rule::power)
    }

    fn behind(&self) -> &str {
        self.statement[..self.position].trim_end()
    }

    /// What the first word says about the mistake: a misspelt keyword, or a keyword that is defined.
    fn about_first_word(&self) -> Option<(String, String)> {
        let first = self.first;
        let behind = self.statement[first.text.len()..].trim_start();
        let usual = "a statement begins with a keyword, such as `input`, or is an equation `y = …`";
        let no_statement = |hint: String| Some((format!("{} begins no statement", first.quoted()), hint));
        match KEYWORDS.iter().find(|(word, _)| *word == first.text) {
            Some((word @ ("layer" | "optimizer"), shape)) if self.position == 0 => {
                let hint = format!("the body begins on the line on which the head ends: `{shape}`");
                Some((format!("this `{word}` has no body"), hint))
            }
            Some((word, shape)) => {
                let is_defined = behind.starts_with('=') && !behind.starts_with("==");
                let is_indexed = behind.starts_with('[') && self.position == self.statement.len() - behind.len();
                (is_defined || is_indexed).then(|| {
                    let hint = format!("`{word}` is written like this: `{shape}`");
                    (format!("`{word}` is a keyword, and no equation can define it"), hint)
                })
            }
            None if self.position == 0 || !first.begins_with(is_letter) => {
                let operator = first.begins_with(|sign| "+-*/^<>=".contains(sign));
                let goes_on = "a statement goes on over the line's end only while a bracket is open, and before `|>`";
                no_statement(first.foreign().unwrap_or(if operator { goes_on } else { usual }).to_owned())
            }
            None if behind.starts_with(|next| is_letter(next) || next == '"') => {
                let near = nearest(first.text, KEYWORDS.iter().map(|(word, _)| *word));
                no_statement(near.map_or(usual.to_owned(), |near| format!("did you mean `{near}`?")))
            }
            None => None,
        }
    }

    /// Where an operand should begin.
    fn about_operand(&self) -> Option<Special> {
        if self.is_behind_operand() || !words_include(self.positives, AN_EXPRESSION) {
            return None;
        }
        let hint = |text: String| Some((None, Some(text)));
        let text = self.found.text;
        if self.found.begins_with(|first| first.is_ascii_digit()) {
            let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '_').unwrap_or(text.len());
            let (number, name) = text.split_at(digits);
            let advice = match name {
                "" => return None,
                "e" | "E" => "an exponent has digits: `1e-3`".to_owned(),
                _ => format!("a product is written `{number} * {name}`"),
            };
            return Some((Some(format!("`{text}` is no number")), Some(advice)));
        }
        match text {
            "." | ".." => hint("a number has digits on both sides of its point: `0.5`, `1.0`".to_owned()),
            "" if self.behind().ends_with(['+', '-', '*', '/', '^', '<', '>', '=']) && self.behind().contains(' ') => {
                hint("a statement goes on over the line's end only while a bracket is open: put brackets around it".to_owned())
            }
            _ => None,
        }
    }

    /// Where an operator, or the end of something, should stand.
    fn about_operator(&self) -> Option<Special> {
        let found = self.found;
        let hint = |text: &str| Some((None, Some(text.to_owned())));
        let instead = |message: String, hint: &str| Some((Some(message), Some(hint.to_owned())));
        if self.expects(Rule::defined_as) && (found.text == "==" || found.text.is_empty() && self.usual_hint().is_none()) {
            return hint("an equation has one equals sign: `y = …`");
        }
        if self.expects(Rule::defined_as) && found.text == ":" && !self.expects(Rule::index_list) {
            return hint("an argument with a name is written with `=`: `f(n = 10)`");
        }
        if let Some(near) = self.near_word() {
            return Some((None, Some(format!("did you mean `{near}`?"))));
        }
        if found.foreign().is_some() && found.text != "{" {
            return None;
        }
        if self.is_left_index() && found.text == ".." {
            return hint("leading axes stay by themselves: write the last indices alone");
        }
        if self.is_left_index() && found.begins_with(|first| first.is_ascii_digit()) {
            return hint("an index on the left-hand side is a name, and the equation holds for each of its values");
        }
        if self.expects(Rule::dots) && self.is_behind_operand() {
            return hint("a range has two ends, the second excluded: `i in 0..4`");
        }
        if self.expects(Rule::else_word) {
            let advice = "an expression has a value in either case: `if c { a } else { b }`";
            return instead("this `if` has no `else`".to_owned(), advice);
        }
        if self.expects(Rule::pipe_sign) && !self.is_behind_operand() && found.begins_with(|sign| "+-*/^<>=!".contains(sign)) {
            return instead(
                format!("{} follows a pipe, which binds loosest", found.quoted()),
                "put the pipe in brackets: `(x |> f) + y`",
            );
        }
        if !self.is_behind_operand() {
            return None;
        }
        let behind = self.behind();
        if found.text == "[" && behind.ends_with([')', '}', ']']) {
            let advice = "give the value a name in an equation of its own, and index that";
            return instead("only a name can be indexed".to_owned(), advice);
        }
        if found.text == "." {
            return hint("a number has digits on both sides of its one point: `0.5`, `1.0`");
        }
        if !(found.text == "(" || found.begins_with(|letter| is_letter(letter) || letter.is_ascii_digit())) {
            return None;
        }
        let next = found.rest[found.text.len()..].trim_start();
        let is_statement =
            next.starts_with('=') && !next.starts_with("==") || KEYWORDS.iter().any(|(word, _)| *word == found.text);
        let opened = behind.rfind('(').map_or("", |bracket| behind[..bracket].trim_end());
        if self.expects(Rule::on_word) || self.expects(Rule::on_list) {
            hint("parameters are named behind `on`: `regularizer l2(0.001) on w`, `optimizer none on b`")
        } else if is_statement && self.expects(Rule::EOI) {
            hint("two statements on one line have a `;` between them")
        } else if REDUCTIONS.iter().any(|(word, _)| opened.ends_with(word)) {
            hint("the index of a reduction is followed by a colon: `sum(i: x[i])`")
        } else {
            hint("a product is written with `*`: `2 * x`")
        }
    }

    /// The word among those expected that what stands here is nearly.
    fn near_word(&self) -> Option<&'static str> {
        let expected = self.positives.iter().filter_map(|rule| match rule {
            Rule::and => Some("and"),
            Rule::or => Some("or"),
            rule => words(*rule).map(|word| word.trim_matches('`')).filter(|word| word.chars().all(char::is_alphabetic)),
        });
        nearest(self.found.text, expected).filter(|_| self.found.text.len() > 1)
    }

    /// Whether an index on the left of an equation should stand here.
    fn is_left_index(&self) -> bool {
        let of_equation = KEYWORDS.iter().all(|(word, _)| *word != self.first.text);
        of_equation && self.expects(Rule::name) && self.behind().ends_with(['[', ','])
    }

    /// What another notation would write here, or what the statement looks like that this one begins as.
    fn usual_hint(&self) -> Option<String> {
        let keyword = KEYWORDS.iter().find(|(word, _)| *word == self.first.text);
        let shape = keyword.map(|(word, shape)| format!("`{word}` is written like this: `{shape}`"));
        match self.found.foreign() {
            Some(_) if self.found.text == "{" && shape.is_some() => shape,
            Some(foreign) => Some(foreign.to_owned()),
            None => shape,
        }
    }

    /// "an operator, `on` or the end of the statement"
    fn listed(&self) -> String {
        let mut expected: Vec<&str> = Vec::new();
        for word in self.positives.iter().filter_map(|rule| words(*rule)) {
            if !expected.contains(&word) {
                expected.push(word);
            }
        }
        // What a more general word covers goes without saying.
        if self.is_behind_operand() {
            expected.retain(|word| !["`(`", "`[`", "`|>`"].contains(word));
        }
        if expected.contains(&"an argument") {
            expected.retain(|word| ![AN_EXPRESSION, "a name"].contains(word));
        }
        if expected.contains(&AN_EXPRESSION) {
            expected.retain(|word| !["a name", "a number", "text in quotes", "`if`", "`(`", "`[`"].contains(word));
        }
        // The end is the last thing one thinks of.
        expected.sort_by_key(|word| *word == THE_END);
        match expected.as_slice() {
            [] => "a statement".to_owned(),
            [one] => (*one).to_owned(),
            [first @ .., last] => format!("{} or {last}", first.join(", ")),
        }
    }
}

fn is_letter(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_'
}

fn words_include(positives: &[Rule], word: &str) -> bool {
    positives.iter().any(|rule| words(*rule) == Some(word) || *rule == Rule::argument)
}
