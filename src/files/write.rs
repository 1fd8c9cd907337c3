//! Writing a file whole or not at all.

use super::{FileError, reason};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes a file under a temporary name beside its place and renames it, so that nobody ever sees half of it.
///
/// Folders on the way are made. A place that is not a regular file (a pipe, a terminal) is written to directly, and what a link points at is
/// replaced rather than the link.
///
/// # Errors
/// Where the file cannot be written; what stood there before then still stands.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let failed =
        |error: io::Error| FileError::new(path.display().to_string(), format!("cannot write this file: {}", reason(&error)));
    match fs::metadata(path) {
        Ok(found) if found.is_file() => {
            let real = fs::canonicalize(path).map_err(failed)?;
            replace(&real, bytes, Some(found.permissions())).map_err(failed)
        }
        Ok(found) if found.is_dir() => {
            Err(FileError::new(path.display().to_string(), "cannot write this file: a folder stands there"))
        }
        Ok(_) => OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(bytes)).map_err(failed),
        Err(_) => replace(path, bytes, None).map_err(failed),
    }
}

fn replace(path: &Path, bytes: &[u8], permissions: Option<fs::Permissions>) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    fs::create_dir_all(&folder)?;
    let mut file = new_file(&folder)?;
    file.write_all(bytes)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A temporary file with the permissions that any new file gets; those of `tempfile` let nobody else read it.
#[cfg(unix)]
fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o666)).tempfile_in(folder)
}

#[cfg(not(unix))]
fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new().tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/out.txt");
        write_whole(&path, b"first").unwrap();
        write_whole(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(names(&folder.path().join("new")), ["out.txt"]);
    }

    #[test]
    fn a_folder_in_the_way_is_an_error_that_leaves_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("out")).unwrap();
        let error = write_whole(&folder.path().join("out"), b"x").unwrap_err();
        assert!(error.message.contains("a folder stands there"), "{error}");
        assert_eq!(names(folder.path()), ["out"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, b"old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&real, &link).unwrap();
        write_whole(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
