//! Finds and reads the file of a spec.

use std::path::{Path, PathBuf};

use deltarule_compiler::limits;
use syn::LitStr;

/// Reads a file that a literal names: relative to the source file with the literal, as `include_str!` does it, or to the package where
/// the compiler does not know that file (an editor's server, say). Returns where it was found, too.
pub(crate) fn read(literal: &LitStr) -> Result<(PathBuf, String), String> {
    let name = literal.value();
    let mut tried: Vec<(PathBuf, String)> = Vec::new();
    if let Some(source) = literal.span().unwrap().local_file() {
        let path = source.parent().unwrap_or(Path::new("")).join(&name);
        let description = format!("looked for {}, beside the source file", path.display());
        tried.push((path, description));
    }
    // A path that cargo changes with the package, never with the machine's state: no rebuild is missed.
    if let Ok(package) = std::env::var("CARGO_MANIFEST_DIR") {
        tried.push((Path::new(&package).join(&name), format!("looked for {name}, in the package's folder")));
    }
    for (path, _) in &tried {
        if path.is_file() {
            let text = read_bounded(path).map_err(|error| format!("cannot read {name}: {error}"))?;
            return Ok((path.clone(), text));
        }
    }
    let tried: Vec<String> = tried.into_iter().map(|(_, description)| description).collect();
    Err(format!("there is no file {name}\n{}", tried.join("\n")))
}

fn read_bounded(path: &Path) -> Result<String, String> {
    let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > limits::SOURCE_BYTES as u64 {
        return Err(format!("it has {length} bytes, and a spec may have {}", limits::SOURCE_BYTES));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|&&byte| byte == b'\n').count() + 1;
        format!("line {line} is not UTF-8")
    })
}
