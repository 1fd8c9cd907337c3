//! A notation as a table: which letters stand for what, and how the number of a layer is written.
//!
//! The three built-in notations are such tables, in `tables/`, in the format that users write theirs in: a part of TOML with comments,
//! two sections, and `key = "text"` or `key = number`.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::span::{SourceId, Sources, Span};

/// What stands around the number of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerMark {
    /// Nothing: `w²`.
    Bare,
    /// `w⁽²⁾`.
    Round,
    /// `w^[2]`.
    Square,
}

/// How tensors and formulas are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotationTable {
    /// What the sheet calls it.
    pub name: String,
    /// Whether tensors go by letters, Greek ones among them, or by the names of the spec.
    pub uses_letters: bool,
    /// Whether formulas are written with whole matrices where that is possible.
    pub uses_matrices: bool,
    /// How the number of a layer is written.
    pub layer_mark: LayerMark,
    /// The number of a tensor's first element.
    pub first_index: i64,
    /// The number of a layer in general.
    pub layer: String,
    /// The number of units of a layer.
    pub size: String,
    /// The number of an example.
    pub example: String,
    /// The objective.
    pub objective: String,
    /// The loss of one example.
    pub loss: String,
    /// What the weights of a layer give before any function is applied; its own name where there is none.
    pub weighted_sum: Option<String>,
    /// What a layer gives to the next; its own name where there is none.
    pub layer_output: Option<String>,
    /// Names of the spec and what is written for them.
    pub symbols: Vec<(String, String)>,
}

impl Default for NotationTable {
    fn default() -> Self {
        Self::lecture()
    }
}

impl NotationTable {
    /// Greek letters, layers as superscripts, element by element.
    pub fn lecture() -> Self {
        Self::built_in("lecture", include_str!("tables/lecture.toml"))
    }

    /// Whole matrices, layers as superscripts in brackets.
    pub fn matrix() -> Self {
        Self::built_in("matrix", include_str!("tables/matrix.toml"))
    }

    /// The names of the spec.
    pub fn plain() -> Self {
        Self::built_in("plain", include_str!("tables/plain.toml"))
    }

    fn empty(name: &str) -> Self {
        let letter = |letter: &str| letter.to_owned();
        Self {
            name: name.to_owned(),
            uses_letters: true,
            uses_matrices: false,
            layer_mark: LayerMark::Bare,
            first_index: 1,
            layer: letter("l"),
            size: letter("s"),
            example: letter("n"),
            objective: letter("E"),
            loss: letter("ℓ"),
            weighted_sum: None,
            layer_output: None,
            symbols: Vec::new(),
        }
    }

    /// A test reads all of them, so that none is left out of what it says.
    fn built_in(name: &str, text: &str) -> Self {
        let mut table = Self::empty(name);
        drop(table.read(text, SourceId(0)));
        table
    }

    /// A table that a user wrote: what it does not say is as in the lectures.
    ///
    /// # Errors
    /// Each line that cannot be read, with its place.
    pub fn parse(name: &str, text: &str) -> Result<Self, Diagnostics> {
        let mut table = Self { name: name.to_owned(), ..Self::lecture() };
        let mut sources = Sources::default();
        let source = sources.add(name, text);
        match table.read(text, source) {
            Ok(()) => Ok(table),
            Err(messages) => Err(Diagnostics { sources, messages }),
        }
    }

    fn read(&mut self, text: &str, source: SourceId) -> Result<(), Vec<Diagnostic>> {
        let mut section = "";
        let mut messages = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let trimmed = without_comment(line).trim();
            let at = start + (line.len() - line.trim_start().len());
            start += line.len();
            if trimmed.is_empty() {
                continue;
            }
            let span = Span { source, start: at as u32, end: (at + trimmed.len()) as u32 };
            let result = match trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                Some(name) => match ["letters", "symbols"].into_iter().find(|known| *known == name.trim()) {
                    Some(known) => {
                        section = known;
                        Ok(())
                    }
                    None => Err(format!("there is no section [{}]; a notation has [letters] and [symbols]", name.trim())),
                },
                None => self.entry(section, trimmed),
            };
            if let Err(message) = result {
                messages.push(Diagnostic::error(span, message));
            }
        }
        if messages.is_empty() { Ok(()) } else { Err(messages) }
    }

    fn entry(&mut self, section: &str, line: &str) -> Result<(), String> {
        let expected = "expected NAME = \"TEXT\"";
        let (key, value) = line.split_once('=').ok_or_else(|| format!("{expected}, as in rate = \"η\""))?;
        let (key, value) = (key.trim().trim_matches('"'), value.trim());
        if key == "first-index" && section.is_empty() {
            self.first_index = match value {
                "0" => 0,
                "1" => 1,
                _ => return Err(format!("the first index is 0 or 1, not {value}")),
            };
            return Ok(());
        }
        let text = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).filter(|text| !text.contains('"'));
        let text = text.ok_or_else(|| format!("{expected}, but {value} stands in no quotation marks"))?;
        match section {
            "" => self.setting(key, text),
            "letters" => self.letter(key, symbol(text)?),
            _ => {
                let entry = (key.to_owned(), symbol(text)?);
                self.symbols.retain(|(known, _)| *known != entry.0);
                self.symbols.push(entry);
                Ok(())
            }
        }
    }

    fn setting(&mut self, key: &str, value: &str) -> Result<(), String> {
        match (key, value) {
            ("names", "letters" | "spec") => self.uses_letters = value == "letters",
            ("formulas", "indices" | "matrices") => self.uses_matrices = value == "matrices",
            ("layer-mark", "bare") => self.layer_mark = LayerMark::Bare,
            ("layer-mark", "round") => self.layer_mark = LayerMark::Round,
            ("layer-mark", "square") => self.layer_mark = LayerMark::Square,
            ("names", _) => return Err(format!("names are \"letters\" or \"spec\", not \"{value}\"")),
            ("formulas", _) => return Err(format!("formulas are in \"indices\" or \"matrices\", not \"{value}\"")),
            ("layer-mark", _) => return Err(format!("a layer's mark is \"bare\", \"round\" or \"square\", not \"{value}\"")),
            _ => return Err(format!("there is no setting {key}; there are names, formulas, layer-mark and first-index")),
        }
        Ok(())
    }

    fn letter(&mut self, key: &str, letter: String) -> Result<(), String> {
        match key {
            "layer" => self.layer = letter,
            "size" => self.size = letter,
            "example" => self.example = letter,
            "objective" => self.objective = letter,
            "loss" => self.loss = letter,
            "weighted-sum" => self.weighted_sum = Some(letter),
            "layer-output" => self.layer_output = Some(letter),
            _ => {
                let known = "layer, size, example, objective, loss, weighted-sum and layer-output";
                return Err(format!(
                    "there is no letter for {key}; there are {known}, and names of the spec belong in [symbols]"
                ));
            }
        }
        Ok(())
    }
}

/// A line up to its comment, if it has one outside of quotation marks.
fn without_comment(line: &str) -> &str {
    let mut is_quoted = false;
    let end = line.char_indices().find(|&(_, character)| {
        is_quoted ^= character == '"';
        character == '#' && !is_quoted
    });
    end.map_or(line, |(at, _)| &line[..at])
}

/// A letter or a word; a word may name a Greek letter.
fn symbol(text: &str) -> Result<String, String> {
    /// A word longer than this is no symbol.
    const LONGEST: usize = 24;
    if text.is_empty() || text.chars().count() > LONGEST || !text.chars().all(|character| character.is_alphanumeric()) {
        return Err(format!("a symbol is a letter or a word of up to {LONGEST} letters, and \"{text}\" is not"));
    }
    Ok(super::names::greek_letter(text).unwrap_or_else(|| text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_tables_are_read_whole() {
        let tables = [include_str!("tables/lecture.toml"), include_str!("tables/matrix.toml"), include_str!("tables/plain.toml")];
        for text in tables {
            let read = NotationTable::empty("test").read(text, SourceId(0));
            assert!(read.is_ok(), "{read:?} in\n{text}");
        }
    }

    #[test]
    fn a_user_s_table_changes_what_it_names_and_nothing_else() {
        let text = "first-index = 0 # as in code\n[letters]\nlayer-output = \"phi\"\n[symbols]\n\"rate\" = \"alpha\"\n";
        let table = NotationTable::parse("mine", text).expect("it is well-formed");
        assert_eq!((table.first_index, table.layer_output.as_deref()), (0, Some("φ")));
        assert!(table.symbols.contains(&("rate".to_owned(), "α".to_owned())));
        assert_eq!(table.weighted_sum, NotationTable::lecture().weighted_sum);
    }

    #[test]
    fn each_line_that_cannot_be_read_is_named() {
        let text = "names = \"greek\"\n[letter]\n[letters]\nsum = \"s\"\nlayer l\n[symbols]\nrate = η\nw = \"a b\"\n";
        let messages = NotationTable::parse("mine", text).expect_err("six lines are wrong");
        assert_eq!(messages.messages.len(), 6, "{messages:?}");
    }
}
