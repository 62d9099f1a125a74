//! A small file that is there whole or not at all, for this user only.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// Writes a file, in place of one that is there: under another name first, mode 0600, then renamed.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    let mut draft = OsString::from(".");
    draft.push(name);
    draft.push(format!(".{}", uuid::Uuid::new_v4().simple()));
    let draft = path.with_file_name(draft);
    let written = fill(&draft, text).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // Best effort: what went wrong is said anyway.
        let _ = fs::remove_file(&draft);
    }
    written
}

fn fill(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_stays_beside_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("it");
        for text in ["one", "two"] {
            write(&path, text).expect("written");
            assert_eq!(fs::read_to_string(&path).expect("there"), text);
        }
        assert!(write(&dir.path().join("no/it"), "x").is_err());
        assert_eq!(fs::read_dir(dir.path()).expect("there").count(), 1);
    }
}
