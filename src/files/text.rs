//! Spec files: UTF-8 text.

use super::{FileError, read_bytes};
use crate::limits;
use std::path::Path;

/// The text of a spec.
///
/// # Errors
/// Where the file cannot be read, is longer than a spec may be, or is not UTF-8; the message then has the line, the
/// column and the offset of the first wrong byte.
pub fn read_spec(path: &Path) -> Result<String, FileError> {
    let bytes = read_bytes(path, limits::SOURCE_BYTES as u64)?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |start| start.chars().count()) + 1;
        let byte = error.as_bytes()[valid];
        FileError::new(
            format!("{}:{line}:{column}", path.display()),
            format!("this is not UTF-8 text: byte 0x{byte:02x} at offset {valid}"),
        )
        .hint("save the file as UTF-8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_that_is_not_utf8_is_reported_with_line_column_and_offset() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.spec");
        std::fs::write(&path, b"// \xc3\xa9t\xc3\xa9\ninput x[\xff3]\n").unwrap();
        let error = read_spec(&path).unwrap_err();
        assert!(error.place.ends_with("net.spec:2:9"), "{error}");
        assert!(error.message.contains("0xff at offset 17"), "{error}");
    }
}
