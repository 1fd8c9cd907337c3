//! Where a scratch crate finds the runtime crate `deltarule`.

use crate::files::FileError;
use std::path::{Path, PathBuf};

/// The runtime crate that generated code is built with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// A folder with the crate.
    Folder(PathBuf),
    /// This version, from crates.io.
    Registry(&'static str),
}

impl Runtime {
    /// The folder that was asked for; else the one beside the sources this program was built from, where it still exists; else crates.io.
    ///
    /// # Errors
    /// Where the folder that was asked for holds no crate.
    pub fn find(asked: Option<&Path>) -> Result<Runtime, FileError> {
        let has_crate = |folder: &Path| folder.join("Cargo.toml").is_file();
        match asked {
            Some(folder) if has_crate(folder) => {
                Ok(Runtime::Folder(std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf())))
            }
            Some(folder) => {
                Err(FileError::new(folder.display().to_string(), "there is no crate in this folder: it has no Cargo.toml"))
            }
            None => {
                let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("runtime");
                Ok(if has_crate(&beside) { Runtime::Folder(beside) } else { Runtime::Registry(env!("CARGO_PKG_VERSION")) })
            }
        }
    }

    /// The line of a manifest that depends on it.
    pub(super) fn dependency(&self) -> String {
        match self {
            Runtime::Folder(path) => {
                // A TOML basic string has the escapes of a JSON string.
                let path = serde_json::Value::from(path.display().to_string());
                format!("deltarule = {{ path = {path}, default-features = false }}")
            }
            Runtime::Registry(version) => format!("deltarule = {{ version = \"={version}\", default-features = false }}"),
        }
    }

    /// The lock file of the workspace around the runtime, so that a build needs no other versions than that workspace's.
    pub(super) fn lock_file(&self) -> Option<PathBuf> {
        let Runtime::Folder(path) = self else { return None };
        Some(path.parent()?.join("Cargo.lock")).filter(|lock| lock.is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_crate_is_refused_and_named() {
        let error = Runtime::find(Some(Path::new("no/such/folder"))).unwrap_err();
        assert!(error.to_string().ends_with("--> no/such/folder"), "{error}");
    }

    #[test]
    fn a_path_with_quotes_is_escaped_in_the_manifest() {
        let runtime = Runtime::Folder(PathBuf::from("a \"b\""));
        assert_eq!(runtime.dependency(), r#"deltarule = { path = "a \"b\"", default-features = false }"#);
    }
}
