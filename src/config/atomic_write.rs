//! Atomic replacement of small files, readable by this user only.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use crate::db::private;

/// Writes or replaces a file: writes a temporary file with mode 0600 in the same folder, syncs it and renames it.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut name = temporary_prefix(path)?;
    name.push(uuid::Uuid::new_v4().simple().to_string());
    let temporary = path.with_file_name(name);
    let written = write_and_sync(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // Best effort: the caller gets the first error.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Removes the temporary files of writers that were killed. The caller must be the only writer of `path`.
pub fn remove_temporaries(path: &Path) {
    let Ok(prefix) = temporary_prefix(path) else { return };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_temporary = |name: OsString| name.as_encoded_bytes().starts_with(prefix.as_encoded_bytes());
    for entry in entries.filter(|entry| is_temporary(entry.file_name())) {
        // Best effort: only this user can read the file.
        let _ = fs::remove_file(entry.path());
    }
}

fn temporary_prefix(path: &Path) -> io::Result<OsString> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    Ok(prefix)
}

fn write_and_sync(path: &Path, text: &str) -> io::Result<()> {
    let mut file = private::options().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_replaces_the_file_and_leaves_no_temporary_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("it");
        for text in ["one", "two"] {
            write(&path, text).expect("written");
            assert_eq!(fs::read_to_string(&path).expect("the file"), text);
        }
        fs::write(dir.path().join(".it.0123"), "from a writer that was killed").expect("written");
        remove_temporaries(&path);
        assert!(write(&dir.path().join("no/it"), "x").is_err());
        assert_eq!(fs::read_dir(dir.path()).expect("the directory").count(), 1);
    }
}
