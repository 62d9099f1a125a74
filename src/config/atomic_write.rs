//! A small file that is there whole or not at all, for this user only.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use crate::db::private;

/// Writes a file, in place of one that is there: under another name first, mode 0600, then renamed.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut draft = draft_prefix(path)?;
    draft.push(uuid::Uuid::new_v4().simple().to_string());
    let draft = path.with_file_name(draft);
    let written = fill(&draft, text).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // Best effort: what went wrong is said anyway.
        let _ = fs::remove_file(&draft);
    }
    written
}

/// Removes what writers of a file left behind who were killed. Only for one who knows that nobody else writes it now.
pub fn clear_drafts(path: &Path) {
    let Ok(prefix) = draft_prefix(path) else { return };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_draft = |name: OsString| name.as_encoded_bytes().starts_with(prefix.as_encoded_bytes());
    for draft in entries.filter(|entry| is_draft(entry.file_name())) {
        // Best effort: it is for this user only.
        let _ = fs::remove_file(draft.path());
    }
}

fn draft_prefix(path: &Path) -> io::Result<OsString> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    Ok(prefix)
}

fn fill(path: &Path, text: &str) -> io::Result<()> {
    let mut file = private::options().write(true).create_new(true).open(path)?;
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
        fs::write(dir.path().join(".it.0123"), "from a writer that was killed").expect("written");
        clear_drafts(&path);
        assert!(write(&dir.path().join("no/it"), "x").is_err());
        assert_eq!(fs::read_dir(dir.path()).expect("there").count(), 1);
    }
}
