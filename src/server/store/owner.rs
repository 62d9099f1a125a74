//! Owners: the processes that execute runs. Each holds a lock on its own file while it is alive.
//!
//! The system releases the lock when the process ends, however it ends, so a dead process is detected at once. The files
//! are created, tested and removed only within a write transaction, so by one process at a time.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::db;

/// The processes that share a database, as this one sees them.
#[derive(Debug)]
pub struct Owners {
    me: String,
    directory: Option<PathBuf>,
}

/// The lock of this process.
#[derive(Debug)]
pub struct Alive {
    path: PathBuf,
    _lock: File,
}

impl Owners {
    /// Makes a new owner id, for the processes that share a database file, if there is one.
    pub fn new(database: Option<&Path>) -> Self {
        let directory = database.map(|path| {
            let mut name = path.as_os_str().to_owned();
            name.push(".owners");
            PathBuf::from(name)
        });
        Self { me: Uuid::new_v4().to_string(), directory }
    }

    /// Returns the owner id of this process.
    pub fn me(&self) -> &str {
        &self.me
    }

    /// Takes the lock of this process, and removes the files of dead ones. `None` for a database in memory.
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
    pub fn is_alive(&self, owner: &str) -> bool {
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
    /// Removes the file of this process.
    pub fn leave(self) {
        // Best effort: the next process that enters removes the files of dead ones.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether a file is locked. Removes it if not.
fn is_locked(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => true,
        // On file systems without locks, only the lease decides.
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
        let one = Owners::new(Some(&database));
        let two = Owners::new(Some(&database));
        let alive = one.enter().expect("entered");
        assert!(two.is_alive(one.me()));
        drop(alive);
        assert!(!two.is_alive(one.me()), "its lock is gone");
        assert!(!two.is_alive("somebody"), "never was there");
    }

    #[test]
    fn files_of_dead_processes_are_removed() {
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
