//! The files that commands read and write: specs, tables of numbers, named tensors.
//!
//! Whatever is wrong with a file is a [`FileError`]: what, and where in it. A file is written whole or not at all.

mod saved;
pub mod table;
pub mod tensors;
mod text;
mod write;

pub use saved::SavedModel;
pub use text::read_spec;
pub use write::write_whole;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Why a file cannot be used: one line, the place, and what to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// What is wrong, lower case, without a full stop.
    pub message: String,
    /// Where: `data.csv:17:3`, or a file and a tensor `net.safetensors: dense1.w[3, 4]`.
    pub place: String,
    /// What to try, one suggestion each.
    pub hints: Vec<String>,
}

impl FileError {
    /// An error at a place.
    pub fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { message: message.into(), place: place.into(), hints: Vec::new() }
    }

    /// Adds a suggestion.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hints.push(text.into());
        self
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "error: {}\n  --> {}", self.message, self.place)?;
        self.hints.iter().try_for_each(|hint| write!(formatter, "\n  = hint: {hint}"))
    }
}

impl std::error::Error for FileError {}

/// The bytes of a file of at most `limit` bytes; a longer one is not read to its end.
///
/// # Errors
/// Where the file cannot be read or is too long.
pub fn read_bytes(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let place = path.display().to_string();
    let unreadable = |error: std::io::Error| FileError::new(&place, format!("cannot read this file: {}", reason(&error)));
    let mut bytes = Vec::new();
    File::open(path).map_err(unreadable)?.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(FileError::new(place, format!("this file has more than {limit} bytes, the most that is read")));
    }
    Ok(bytes)
}

/// What the operating system says, without the error's number, which differs between systems.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named_in_the_message() {
        let error = read_bytes(Path::new("no/such/file.csv"), 10).unwrap_err();
        assert_eq!(error.to_string(), "error: cannot read this file: no such file or directory\n  --> no/such/file.csv");
    }

    #[test]
    fn a_file_at_the_limit_is_read_and_one_past_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ten");
        std::fs::write(&path, b"0123456789").unwrap();
        assert_eq!(read_bytes(&path, 10).unwrap().len(), 10);
        assert!(read_bytes(&path, 9).unwrap_err().message.contains("more than 9 bytes"));
    }
}
