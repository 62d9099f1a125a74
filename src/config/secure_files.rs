//! Safe access to the files of the configuration folder: regular files only, replaced atomically under a lock.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::atomic_write;
use crate::db::private;
use crate::exit::Exit;
use crate::report::Failure;

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// The treatment of symbolic links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symlinks {
    /// Follows links, for people who keep their settings in a repository of dotfiles.
    Follow,
    /// Refuses links with an error.
    Refuse,
}

/// Opens a file for reading; `None` if it does not exist. Anything but a regular file is an error, without blocking.
pub fn open(path: &Path, symlinks: Symlinks) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags(symlinks));
    #[cfg(not(unix))]
    let _ = symlinks;
    let file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    if file.metadata()?.is_file() { Ok(Some(file)) } else { Err(io::Error::other("it is not a regular file")) }
}

/// Returns the flags for `open`. `NONBLOCK` keeps a named pipe without a writer from blocking the command.
#[cfg(unix)]
fn flags(symlinks: Symlinks) -> i32 {
    use rustix::fs::OFlags;
    let follow = if symlinks == Symlinks::Follow { OFlags::empty() } else { OFlags::NOFOLLOW };
    (OFlags::NONBLOCK | follow).bits().cast_signed()
}

/// Reads an open file, up to 1 MiB.
pub fn read(file: &File) -> io::Result<String> {
    let mut text = String::new();
    file.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES { Err(io::Error::other("it is larger than 1 MiB")) } else { Ok(text) }
}

/// Returns the failure of a file operation, such as `read`.
pub fn failure(operation: &str, path: &Path, error: &io::Error) -> Failure {
    let failure =
        Failure::new(Exit::Local, "config_file", format!("cannot {operation} {}", path.display())).cause(error);
    failure.hint("check its permissions, or set AGENTCTL_CONFIG_DIR to another folder")
}

/// An exclusive lock on the configuration folder, released on drop.
pub struct LockedFolder {
    folder: PathBuf,
    _lock: File,
}

impl LockedFolder {
    /// Waits for the lock. Creates the folder if it is missing, for this user only.
    pub fn lock(folder: &Path) -> Result<Self, Failure> {
        let lock = private::make_folder(folder).and_then(|()| lock_file(&folder.join(".lock")));
        let lock = lock.map_err(|error| failure("write in", folder, &error))?;
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

    /// Replaces a file atomically and durably: a concurrent reader, or a crash, sees the old or the new content.
    pub fn replace(&self, name: &str, content: &str, symlinks: Symlinks) -> Result<(), Failure> {
        let named = self.folder.join(name);
        // Replaces the target of a link, not the link itself.
        let path = if symlinks == Symlinks::Follow { fs::canonicalize(&named).unwrap_or(named) } else { named };
        let folder = path.parent().unwrap_or(&self.folder);
        atomic_write::remove_temporaries(&path);
        let written = atomic_write::write(&path, content).and_then(|()| sync_folder(folder));
        written.map_err(|error| failure("write", &path, &error))
    }
}

fn lock_file(path: &Path) -> io::Result<File> {
    let file = private::options().create(true).truncate(false).write(true).open(path)?;
    file.lock()?;
    Ok(file)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacing_a_linked_file_keeps_the_link() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("config");
        let elsewhere = dir.path().join("elsewhere.toml");
        fs::write(&elsewhere, "old").expect("a file");
        let locked = LockedFolder::lock(&folder).expect("the lock");
        #[cfg(unix)]
        std::os::unix::fs::symlink(&elsewhere, folder.join("config.toml")).expect("a link");
        locked.replace("config.toml", "new", Symlinks::Follow).expect("replaced");
        #[cfg(unix)]
        assert_eq!(fs::read_to_string(&elsewhere).expect("the file"), "new");
        assert_eq!(fs::read_to_string(folder.join("config.toml")).expect("the file"), "new");
    }

    #[cfg(unix)]
    #[test]
    fn pipes_folders_and_refused_links_are_errors_without_blocking() {
        let dir = tempfile::tempdir().expect("a folder");
        let pipe = dir.path().join("pipe");
        let link = dir.path().join("link");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        std::os::unix::fs::symlink(dir.path().join("nothing"), &link).expect("a link");
        for path in [pipe.as_path(), dir.path()] {
            assert!(open(path, Symlinks::Follow).is_err(), "{}", path.display());
        }
        assert!(open(&link, Symlinks::Refuse).is_err());
        assert!(open(&link, Symlinks::Follow).expect("no error").is_none());
        assert!(open(&dir.path().join("nothing"), Symlinks::Refuse).expect("no error").is_none());
    }
}
