//! The servers of this program that run on this machine: where each is written down, with its key.
//!
//! Two kinds of records. `DATABASE.server` says which server has a database, `servers/PORT` in the data folder who
//! listens on a port of this machine, and with which key. A record counts as long as its writer holds the lock on it,
//! which the system takes back however the writer ends: nobody has to connect to find out.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use url::{Host, Url};

use super::{Env, Secret, atomic_write, dirs};
use crate::db::{self, private};
use crate::net::address;

/// A reader holds the lock for a moment, too; a server holds it for longer than this.
const PATIENCE: Duration = Duration::from_millis(250);

/// A record that is ours: others see it until this is dropped, or the process ends.
#[derive(Debug)]
pub struct Record {
    path: PathBuf,
    file: File,
}

/// Why a record was not had.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A server that runs has it; with its address, unless it is just starting.
    #[error("another server has it")]
    Held(Option<String>),
    /// What the system said.
    #[error(transparent)]
    Failed(#[from] io::Error),
}

impl Record {
    /// Takes the record of a database.
    pub fn of_database(database: &Path) -> Result<Self, RecordError> {
        Self::take(beside(database, ".server"))
    }

    /// Takes the record of a port of this machine.
    pub fn of_port(env: &Env, port: u16) -> Result<Self, RecordError> {
        let path = port_record(env, port).ok_or_else(|| io::Error::other("this platform names no data folder"))?;
        Self::take(path)
    }

    fn take(path: PathBuf) -> Result<Self, RecordError> {
        private::make_folder(path.parent().unwrap_or(Path::new(".")))?;
        let began = Instant::now();
        loop {
            let file = private::options().create(true).truncate(false).read(true).write(true).open(&path)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => return Ok(Self { path, file }),
                // Its owner ended between our two steps and removed it.
                Ok(()) => {}
                Err(TryLockError::Error(error)) => return Err(error.into()),
                Err(TryLockError::WouldBlock) if began.elapsed() > PATIENCE => {
                    return Err(RecordError::Held(read_line(&path, 0)));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// Writes where the server is, and the key that it wants where that is to be found here.
    pub fn write(&mut self, base_url: &Url, key: Option<&Secret>) -> io::Result<()> {
        let key = key.map(Secret::expose).unwrap_or_default();
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(format!("{}\n{key}\n", base_url.as_str().trim_end_matches('/')).as_bytes())
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // Best effort: without the lock it counts for nothing.
        let _ = fs::remove_file(&self.path);
    }
}

/// The server that runs on this machine's database, if one does: its address and key.
pub fn local(env: &Env) -> Option<(Url, Option<Secret>)> {
    let record = beside(&dirs::local_database(env)?, ".server");
    let url: Url = alive(&record).then(|| read_line(&record, 0))??.parse().ok()?;
    let key = key(env, &url);
    Some((url, key))
}

/// The key of the server of this program that runs at an address of this machine.
pub fn key(env: &Env, base: &Url) -> Option<Secret> {
    let record = port_record(env, base.port_or_known_default()?)?;
    if base.scheme() != "http" || !alive(&record) || !is_same_host(base, &read_line(&record, 0)?.parse().ok()?) {
        return None;
    }
    let key = read_line(&record, 1).filter(|key| !key.is_empty())?;
    Secret::new(key, "the record of the local server").ok()
}

/// The key that is kept with a database; made if there is none. As the database, it is for this user only again, if a
/// copy or a restored backup made it readable by others.
pub fn key_of_database(database: &Path) -> io::Result<Secret> {
    let path = beside(database, ".key");
    match read_key(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = new_key();
            atomic_write::write(&path, &format!("{}\n", key.expose()))?;
            Ok(key)
        }
        Ok(key) => db::make_private(&path).map(|()| key).map_err(io::Error::other),
        other => other,
    }
}

/// A key that nobody can guess: 244 bits from the system's generator.
pub fn new_key() -> Secret {
    let half = || uuid::Uuid::new_v4().simple().to_string();
    Secret::new(format!("sk-local-{}{}", half(), half()), "").expect("visible ASCII")
}

fn read_key(path: &Path) -> io::Result<Secret> {
    let odd = |why: &str| io::Error::new(io::ErrorKind::InvalidData, format!("{} {why}", path.display()));
    let text = fs::read_to_string(path)?;
    let line = text.lines().next().filter(|line| !line.is_empty()).ok_or_else(|| odd("holds no key"))?;
    Secret::new(line.to_owned(), "").map_err(|_| odd("holds something that is no key"))
}

/// Whether a URL leads to the host of a record. `localhost` is the name of what listens on loopback.
fn is_same_host(base: &Url, recorded: &Url) -> bool {
    let loopback = |url: &Url| url.host().and_then(|host| address::literal(&host)).is_some_and(address::is_loopback);
    let is_localhost = matches!(base.host(), Some(Host::Domain(name)) if name.eq_ignore_ascii_case("localhost"));
    base.host() == recorded.host() || (is_localhost && loopback(recorded))
}

fn port_record(env: &Env, port: u16) -> Option<PathBuf> {
    Some(dirs::data_dir(env)?.join("servers").join(port.to_string()))
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Whether somebody holds the lock on a record.
fn alive(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// A line of a small file of ours; none if it is not there, or not ours.
fn read_line(path: &Path, number: usize) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(4096).read_to_string(&mut text).ok()?;
    text.lines().nth(number).map(str::to_owned)
}

/// Whether a file is still what its path leads to.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let id = |meta: io::Result<fs::Metadata>| meta.ok().map(|meta| (meta.dev(), meta.ino()));
    id(file.metadata()) == id(fs::metadata(path))
}

/// Elsewhere an open file cannot be removed.
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
    fn a_record_counts_as_long_as_its_writer_lives() {
        let dir = tempfile::tempdir().expect("a directory");
        let env = Env::from([("AGENTCTL_DATA_DIR", dir.path().to_str().expect("a path"))]);
        let base = url("http://127.0.0.1:4711");
        assert!(local(&env).is_none() && key(&env, &base).is_none());
        let mut of_database = Record::of_database(&dir.path().join("local.db")).expect("ours");
        assert!(local(&env).is_none(), "not written yet");
        let mut of_port = Record::of_port(&env, 4711).expect("ours");
        of_port.write(&base, Some(&Secret::new("k".to_owned(), "").expect("a key"))).expect("written");
        of_database.write(&base, None).expect("written");
        let (found, key_there) = local(&env).expect("there");
        assert_eq!((found, shown(key_there)), (base.clone(), Some("k".to_owned())));
        let held = Record::of_database(&dir.path().join("local.db")).expect_err("held");
        assert!(matches!(held, RecordError::Held(Some(address)) if address == "http://127.0.0.1:4711"));
        drop((of_database, of_port));
        assert!(local(&env).is_none() && key(&env, &base).is_none());
    }

    #[test]
    fn what_a_killed_server_left_counts_for_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let env = Env::from([("AGENTCTL_DATA_DIR", dir.path().to_str().expect("a path"))]);
        fs::write(dir.path().join("local.db.server"), "http://127.0.0.1:4711\n\n").expect("written");
        assert!(local(&env).is_none());
        assert!(Record::of_database(&dir.path().join("local.db")).is_ok(), "and can be taken over");
    }

    #[test]
    fn a_key_goes_to_the_host_that_it_was_made_for() {
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

    #[cfg(unix)]
    #[test]
    fn a_key_is_made_once_and_is_for_this_user_only_again_at_every_start() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("a directory");
        let database = dir.path().join("it.db");
        let first = key_of_database(&database).expect("made");
        let path = dir.path().join("it.db.key");
        let mode = || fs::metadata(&path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("set");
        assert_eq!(key_of_database(&database).expect("read").expose(), first.expose());
        assert_eq!(mode(), 0o600, "again");
        assert_ne!(new_key().expose(), first.expose());
    }
}
