//! Registry of the agentctl servers that run on this machine.
//!
//! A server writes two records: `DATABASE.server` with the address of the server that uses the database, and
//! `servers/PORT` in the data folder with the address and the key of the server on this port. The server holds a lock on
//! each record. The operating system releases the lock when the process ends, so a record without a lock is stale.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use url::{Host, Url};

use super::{Env, Secret, dirs};
use crate::db::private;
use crate::net::address;

/// The time to wait for a lock. A reader holds it for a moment only, a server for its lifetime.
const LOCK_TIMEOUT: Duration = Duration::from_millis(250);

/// A locked record of this process. Dropping it removes the record.
#[derive(Debug)]
pub struct Registration {
    path: PathBuf,
    file: File,
}

/// An error of taking a record.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// Another running server has the record. The address is missing while that server starts.
    #[error("another server is running")]
    Held(Option<String>),
    /// An I/O error.
    #[error(transparent)]
    Failed(#[from] io::Error),
}

impl Registration {
    /// Takes the record of a database.
    pub fn for_database(database: &Path) -> Result<Self, RegistrationError> {
        Self::take(dirs::beside_database(database, ".server"))
    }

    /// Takes the record of a port.
    pub fn for_port(env: &Env, port: u16) -> Result<Self, RegistrationError> {
        let path = port_record(env, port).ok_or_else(|| io::Error::other("this platform has no data folder"))?;
        Self::take(path)
    }

    fn take(path: PathBuf) -> Result<Self, RegistrationError> {
        private::make_folder(path.parent().unwrap_or(Path::new(".")))?;
        let began = Instant::now();
        loop {
            let file = private::options().create(true).truncate(false).read(true).write(true).open(&path)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => return Ok(Self { path, file }),
                // The previous server removed the file after it was opened here: opens it again.
                Ok(()) => {}
                Err(TryLockError::Error(error)) => return Err(error.into()),
                Err(TryLockError::WouldBlock) if began.elapsed() > LOCK_TIMEOUT => {
                    return Err(RegistrationError::Held(read_line(&path, 0)));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// Writes the address of the server and, for the record of a port, its key.
    pub fn write(&mut self, base_url: &Url, key: Option<&Secret>) -> io::Result<()> {
        let key = key.map(Secret::expose).unwrap_or_default();
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(format!("{}\n{key}\n", base_url.as_str().trim_end_matches('/')).as_bytes())
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // Best effort: without a lock the record is stale anyway.
        let _ = fs::remove_file(&self.path);
    }
}

/// Returns address and key of the server that uses the local database.
pub fn find_local(env: &Env) -> Option<(Url, Option<Secret>)> {
    let record = dirs::beside_database(&dirs::local_database(env)?, ".server");
    let url: Url = is_locked(&record).then(|| read_line(&record, 0))??.parse().ok()?;
    let key = find_key(env, &url);
    Some((url, key))
}

/// Returns the key of the agentctl server at an address of this machine.
pub fn find_key(env: &Env, base: &Url) -> Option<Secret> {
    let record = port_record(env, base.port_or_known_default()?)?;
    if base.scheme() != "http" || !is_locked(&record) || !is_same_host(base, &read_line(&record, 0)?.parse().ok()?) {
        return None;
    }
    let key = read_line(&record, 1).filter(|key| !key.is_empty())?;
    Secret::new(key, "the record of the local server").ok()
}

/// Returns whether a URL has the host of a record. `localhost` matches any loopback address.
fn is_same_host(base: &Url, recorded: &Url) -> bool {
    let loopback = |url: &Url| url.host().and_then(|host| address::literal(&host)).is_some_and(address::is_loopback);
    let is_localhost = matches!(base.host(), Some(Host::Domain(name)) if name.eq_ignore_ascii_case("localhost"));
    base.host() == recorded.host() || (is_localhost && loopback(recorded))
}

fn port_record(env: &Env, port: u16) -> Option<PathBuf> {
    Some(dirs::data_dir(env)?.join("servers").join(port.to_string()))
}

/// Returns whether a process holds the lock on a record.
fn is_locked(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Reads a line of a record; `None` if the file is missing or unreadable.
fn read_line(path: &Path, number: usize) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(4096).read_to_string(&mut text).ok()?;
    text.lines().nth(number).map(str::to_owned)
}

/// Returns whether an open file is still the file at its path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let id = |meta: io::Result<fs::Metadata>| meta.ok().map(|meta| (meta.dev(), meta.ino()));
    id(file.metadata()) == id(fs::metadata(path))
}

/// Returns true: other systems do not remove open files.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    fn shown(key: Option<Secret>) -> Option<String> {
        key.map(|key| key.expose().to_owned())
    }

    #[test]
    fn a_record_is_valid_while_its_server_lives() {
        let dir = tempfile::tempdir().expect("a directory");
        let env = Env::from([("AGENTCTL_DATA_DIR", dir.path().to_str().expect("a path"))]);
        let base = url("http://127.0.0.1:4711");
        assert!(find_local(&env).is_none() && find_key(&env, &base).is_none());
        let mut of_database = Registration::for_database(&dir.path().join("local.db")).expect("the record");
        assert!(find_local(&env).is_none(), "not written yet");
        let mut of_port = Registration::for_port(&env, 4711).expect("the record");
        of_port.write(&base, Some(&Secret::new("k".to_owned(), "").expect("a key"))).expect("written");
        of_database.write(&base, None).expect("written");
        let (found, key_there) = find_local(&env).expect("there");
        assert_eq!((found, shown(key_there)), (base.clone(), Some("k".to_owned())));
        let held = Registration::for_database(&dir.path().join("local.db")).expect_err("a running server");
        assert!(matches!(held, RegistrationError::Held(Some(address)) if address == "http://127.0.0.1:4711"));
        drop((of_database, of_port));
        assert!(find_local(&env).is_none() && find_key(&env, &base).is_none());
    }

    #[test]
    fn the_record_of_a_killed_server_is_stale() {
        let dir = tempfile::tempdir().expect("a directory");
        let env = Env::from([("AGENTCTL_DATA_DIR", dir.path().to_str().expect("a path"))]);
        fs::write(dir.path().join("local.db.server"), "http://127.0.0.1:4711\n\n").expect("written");
        assert!(find_local(&env).is_none());
        assert!(Registration::for_database(&dir.path().join("local.db")).is_ok(), "and can be taken");
    }

    #[test]
    fn a_key_is_found_for_the_recorded_host_only() {
        let recorded = url("http://127.0.0.1:1");
        for (base, same) in [
            ("http://127.0.0.1:1", true),
            ("http://localhost:1", true),
            ("http://LOCALHOST:1", true),
            ("http://localhost.example.com:1", false),
            ("http://127.0.0.2:1", false),
            ("http://[::1]:1", false),
        ] {
            assert_eq!(is_same_host(&url(base), &recorded), same, "{base}");
        }
        assert!(!is_same_host(&url("http://localhost:1"), &url("http://build.example:1")));
    }
}
