//! The files of the configuration folder: read without surprises, replaced whole, one writer at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::atomic_write;
use crate::db::private;
use crate::exit::Exit;
use crate::report::Failure;

/// No file of the configuration is larger than this.
const CAP: u64 = 1 << 20;

/// Whether a symbolic link may stand for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// It may, as people keep their settings elsewhere.
    Followed,
    /// It is an error.
    Refused,
}

/// Opens a file for reading; none where there is none. What is no regular file is an error, and never waited for.
pub fn open(path: &Path, links: Links) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags(links));
    #[cfg(not(unix))]
    let _ = links;
    let file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    if file.metadata()?.is_file() { Ok(Some(file)) } else { Err(io::Error::other("it is not a regular file")) }
}

/// A pipe without a writer must not hold a command up.
#[cfg(unix)]
fn flags(links: Links) -> i32 {
    use rustix::fs::OFlags;
    let follow = if links == Links::Followed { OFlags::empty() } else { OFlags::NOFOLLOW };
    (OFlags::NONBLOCK | follow).bits().cast_signed()
}

/// Reads an open file to its end.
pub fn read(file: &File) -> io::Result<String> {
    let mut text = String::new();
    file.take(CAP + 1).read_to_string(&mut text)?;
    if text.len() as u64 > CAP { Err(io::Error::other("it is larger than 1 MiB")) } else { Ok(text) }
}

/// The failure for a file that cannot be read or written.
pub fn trouble(what: &str, path: &Path, error: &io::Error) -> Failure {
    let failure = Failure::new(Exit::Local, "config_file", format!("cannot {what} {}", path.display())).cause(error);
    failure.hint("AGENTCTL_CONFIG_DIR names another folder")
}

/// A folder in which this process alone writes, until the value is dropped.
pub struct Writing {
    folder: PathBuf,
    _lock: File,
}

impl Writing {
    /// Waits for its turn. A folder that is missing is made, for this user only.
    pub fn begin(folder: &Path) -> Result<Self, Failure> {
        let lock = private::make_folder(folder).and_then(|()| take_turn(&folder.join(".lock")));
        let lock = lock.map_err(|error| trouble("write in", folder, &error))?;
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

    /// Replaces a file by one with another content. Whoever reads it meanwhile sees the old one or the new one, and after
    /// a loss of power it is one of the two.
    pub fn replace(&self, name: &str, content: &str, links: Links) -> Result<(), Failure> {
        let named = self.folder.join(name);
        // Where a link stands for the file, the file behind it is replaced, not the link.
        let path = if links == Links::Followed { fs::canonicalize(&named).unwrap_or(named) } else { named };
        let folder = path.parent().unwrap_or(&self.folder);
        atomic_write::clear_drafts(&path);
        let done = atomic_write::write(&path, content).and_then(|()| sync_folder(folder));
        done.map_err(|error| trouble("write", &path, &error))
    }
}

fn take_turn(path: &Path) -> io::Result<File> {
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
    fn a_file_is_replaced_whole_and_keeps_its_link() {
        let dir = tempfile::tempdir().expect("a folder");
        let (folder, elsewhere) = (dir.path().join("config"), dir.path().join("elsewhere.toml"));
        fs::write(&elsewhere, "old").expect("a file");
        let writing = Writing::begin(&folder).expect("a turn");
        #[cfg(unix)]
        std::os::unix::fs::symlink(&elsewhere, folder.join("config.toml")).expect("a link");
        writing.replace("config.toml", "new", Links::Followed).expect("replaced");
        #[cfg(unix)]
        assert_eq!(fs::read_to_string(&elsewhere).expect("the file"), "new");
        assert_eq!(fs::read_to_string(folder.join("config.toml")).expect("the file"), "new");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let (pipe, link) = (dir.path().join("pipe"), dir.path().join("link"));
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        std::os::unix::fs::symlink(dir.path().join("nothing"), &link).expect("a link");
        for path in [pipe.as_path(), dir.path()] {
            assert!(open(path, Links::Followed).is_err(), "{}", path.display());
        }
        assert!(open(&link, Links::Refused).is_err());
        assert!(open(&link, Links::Followed).expect("no error").is_none());
        assert!(open(&dir.path().join("nothing"), Links::Refused).expect("no error").is_none());
    }
}
