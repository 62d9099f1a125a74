//! Which processes that execute runs are alive: each holds a lock on a file of its own.
//!
//! The system drops the lock with the process, however it ends, so a dead one is noticed at once.
//! The files are made, tried and removed only inside a write transaction, one process at a time.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::db;

/// This process among those that share a database.
#[derive(Debug)]
pub struct Owners {
    me: String,
    directory: Option<PathBuf>,
}

/// The lock that says that this process lives.
#[derive(Debug)]
pub struct Alive {
    path: PathBuf,
    _lock: File,
}

impl Owners {
    /// This process, beside a database file if there is one.
    pub fn new(database: Option<&Path>) -> Self {
        let directory = database.map(|path| {
            let mut name = path.as_os_str().to_owned();
            name.push(".owners");
            PathBuf::from(name)
        });
        Self { me: Uuid::new_v4().to_string(), directory }
    }

    /// The name under which this process holds runs.
    pub fn me(&self) -> &str {
        &self.me
    }

    /// Begins to be alive for others to see, and removes what dead processes left. In memory there are no others.
    pub fn enter(&self) -> Result<Option<Alive>, db::DbError> {
        let Some(directory) = &self.directory else { return Ok(None) };
        db::make_private_dir(directory)?;
        let path = directory.join(&self.me);
        let io = |source| db::DbError::Io { path: path.clone(), source };
        self.sweep(directory).map_err(io)?;
        let lock = File::create_new(&path).map_err(io)?;
        lock.lock().map_err(io)?;
        Ok(Some(Alive { path, _lock: lock }))
    }

    /// Whether a process is alive. The file of a dead one is removed.
    pub fn lives(&self, owner: &str) -> bool {
        let path = self.directory.as_ref().map(|directory| directory.join(owner));
        path.is_some_and(|path| owner == self.me || is_locked(&path))
    }

    fn sweep(&self, directory: &Path) -> io::Result<()> {
        for entry in fs::read_dir(directory)? {
            is_locked(&entry?.path());
        }
        Ok(())
    }
}

impl Alive {
    /// Ends in order: nothing stays behind.
    pub fn leave(self) {
        // Best effort: a file that stays is removed by the next process that enters.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether somebody holds the lock on a file; if not, the file is removed.
fn is_locked(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => true,
        // Where locks do not work, the lease decides alone.
        Err(TryLockError::Error(_)) => true,
        Ok(()) => {
            let _ = fs::remove_file(path);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_alive_as_long_as_it_holds_its_lock() {
        let dir = tempfile::tempdir().expect("a directory");
        let database = dir.path().join("it.db");
        let (one, two) = (Owners::new(Some(&database)), Owners::new(Some(&database)));
        let alive = one.enter().expect("entered");
        assert!(two.lives(one.me()));
        drop(alive);
        assert!(!two.lives(one.me()), "its lock is gone");
        assert!(!two.lives("somebody"), "never was there");
    }

    #[test]
    fn what_the_dead_left_is_removed() {
        let dir = tempfile::tempdir().expect("a directory");
        let database = dir.path().join("it.db");
        let owners = Owners::new(Some(&database));
        fs::create_dir(dir.path().join("it.db.owners")).expect("made");
        fs::write(dir.path().join("it.db.owners/dead"), "").expect("written");
        let alive = owners.enter().expect("entered").expect("a file");
        let count = || fs::read_dir(dir.path().join("it.db.owners")).expect("there").count();
        assert_eq!(count(), 1);
        alive.leave();
        assert_eq!(count(), 0);
    }
}
