//! Places in source text.
//!
//! A [`Span`] is a range of bytes in one of the files that make up a spec: the spec itself, the prelude,
//! or an included file. [`Sources`] owns the texts, so that a message can be drawn without any other context.

/// Which file a [`Span`] points into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u16);

/// A range of bytes in one source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The smallest span that covers `self` and `other`; `self` when they lie in different files.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        if self.source == other.source {
            Span { source: self.source, start: self.start.min(other.start), end: self.end.max(other.end) }
        } else {
            self
        }
    }
}

/// One file: the name that messages print, and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name as the user knows it, such as `net.spec` or `prelude.spec`.
    pub name: String,
    /// The text, valid UTF-8.
    pub text: String,
}

/// The files of one spec. The prelude is always the first.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Adds a file and returns its id.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let id = SourceId(u16::try_from(self.files.len()).unwrap_or(u16::MAX));
        self.files.push(Source { name: name.into(), text: text.into() });
        id
    }

    /// The file with this id.
    pub fn get(&self, id: SourceId) -> &Source {
        &self.files[id.0 as usize]
    }

    /// The text a span covers.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.source).text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Line and column, both from 1, of a span's first character. Columns count characters, not bytes, and no byte order mark.
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let text = &self.get(span.source).text;
        let before = text.get(..span.start as usize).unwrap_or(text);
        (before.matches('\n').count() + 1, before[line_start(before)..].chars().count() + 1)
    }
}

/// Where the last line of a text begins, behind the byte order mark that may be the first character of a file.
pub(crate) fn line_start(text: &str) -> usize {
    match text.rfind('\n') {
        Some(newline) => newline + 1,
        None if text.starts_with('\u{feff}') => '\u{feff}'.len_utf8(),
        None => 0,
    }
}
