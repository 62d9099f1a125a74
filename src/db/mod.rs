//! SQLite files of this program: who they belong to, how they are opened, how their tables grow.
//!
//! A file that is not ours, of a newer version, or damaged is refused before anything is written.
//! What the tables hold is the business of the store that brings its [`Identity`].

mod error;
pub mod private;

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

pub use error::{DbError, is_busy, is_full};
use error::{classify, io_error};

/// How long a statement waits for another process that is writing.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How many compiled statements a connection keeps: more than any store has.
const STATEMENTS: usize = 128;

/// How much of a file a connection that writes keeps in memory, in KiB: the pages that indexes grow at, of many agents.
const CACHE_KIB: i32 = 16 << 10;

/// After how many pages the write-ahead log is copied into the file, which waits for the disk twice more.
const CHECKPOINT_PAGES: i32 = 8000;

/// What tells one store's files from all others.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// The number in the file's header.
    pub application_id: i32,
    /// What brings the tables from one version to the next; version `n` has seen the first `n`.
    pub migrations: &'static [&'static str],
}

impl Identity {
    /// The version of a file that has seen every migration.
    fn version(self) -> i64 {
        i64::try_from(self.migrations.len()).expect("a handful of migrations")
    }
}

/// Opens a file, which is created with its directory if it is missing; both are for this user only.
pub fn open(path: &Path, identity: Identity) -> Result<Connection, DbError> {
    let fresh = make_file(path)?;
    if !fresh {
        examine(path, identity)?;
    }
    make_private(path)?;
    // A connection cannot be used by two threads at once, so it needs no lock of its own.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|source| classify(path, source))?;
    prepare(&mut connection, path, identity)?;
    Ok(connection)
}

/// Opens a database that lives in memory and ends with the connection.
pub fn open_in_memory(identity: Identity) -> Result<Connection, DbError> {
    let path = Path::new(":memory:");
    let mut connection = Connection::open_in_memory().map_err(|source| classify(path, source))?;
    prepare(&mut connection, path, identity)?;
    Ok(connection)
}

/// Opens a file that [`open`] has judged once more, to read beside others who write.
pub fn open_to_read(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    set_up(&connection)?;
    Ok(connection)
}

/// Whether a file is one of ours, and sound. Nothing is written, and nothing left beside it.
pub fn check(path: &Path, identity: Identity) -> Result<(), DbError> {
    examine(path, identity)?;
    // Damage counts only when it is seen twice: another process may just have begun to write.
    match is_sound(path) {
        Err(DbError::Corrupt { .. }) => is_sound(path),
        verdict => verdict,
    }
}

fn is_sound(path: &Path) -> Result<(), DbError> {
    let failed = |source| classify(path, source);
    let connection = if has_journal(path) { open_to_read(path) } else { open_unchanging(path) };
    let verdict: String = connection
        .and_then(|connection| connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)))
        .map_err(failed)?;
    let damage =
        rusqlite::ffi::Error { code: ErrorCode::DatabaseCorrupt, extended_code: rusqlite::ffi::SQLITE_CORRUPT };
    if verdict == "ok" { Ok(()) } else { Err(failed(rusqlite::Error::SqliteFailure(damage, Some(verdict)))) }
}

/// Makes a directory, with its parents, that only this user can enter.
pub fn make_private_dir(path: &Path) -> Result<(), DbError> {
    private::make_folder(path).map_err(|source| io_error(path, source))
}

/// Creates the file where there is none. Returns whether it did.
fn make_file(path: &Path) -> Result<bool, DbError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !parent.is_dir() {
        make_private_dir(parent)?;
    }
    match private::options().write(true).create_new(true).open(path) {
        Ok(_) => sync_dir(parent).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(source) => Err(io_error(path, source)),
    }
}

/// Makes the directory's entry for a new file durable.
fn sync_dir(parent: &Path) -> Result<(), DbError> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    File::open(parent).and_then(|dir| dir.sync_all()).map_err(|source| io_error(parent, source))
}

/// Makes a file one for this user only, whatever the umask or somebody else made of it. SQLite gives the mode of a
/// database to the files beside it.
pub fn make_private(path: &Path) -> Result<(), DbError> {
    #[cfg(unix)]
    {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(path, permissions).map_err(|source| io_error(path, source))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Looks at the file without a lock, a write, or a file beside it.
///
/// Another process may just be writing, so damage counts only when it is seen twice, and never while
/// there is a journal: opening in earnest replays that and then judges. Whose file it is stands in
/// its first page from the first write on.
fn examine(path: &Path, identity: Identity) -> Result<(), DbError> {
    match glance(path, identity) {
        Err(DbError::Corrupt { .. }) if has_journal(path) => Ok(()),
        Err(DbError::Corrupt { .. }) => glance(path, identity),
        verdict => verdict,
    }
}

fn glance(path: &Path, identity: Identity) -> Result<(), DbError> {
    let connection = open_unchanging(path).map_err(|source| classify(path, source))?;
    identify(&connection, path, identity).map(|_| ())
}

fn open_unchanging(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(immutable_uri(path), flags)
}

/// The file as a URI that tells SQLite to take it as unchanging: no lock, nothing beside it.
fn immutable_uri(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri + "?immutable=1"
}

fn has_journal(path: &Path) -> bool {
    ["-wal", "-journal"].iter().any(|suffix| {
        let mut beside = path.as_os_str().to_owned();
        beside.push(suffix);
        fs::metadata(beside).is_ok_and(|meta| meta.len() > 0)
    })
}

/// Returns the version of a file that is ours, 0 for an empty one.
fn identify(connection: &Connection, path: &Path, identity: Identity) -> Result<i64, DbError> {
    let ask = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let tables = ask("SELECT count(*) FROM sqlite_schema").map_err(|source| classify(path, source))?;
    let id = ask("PRAGMA application_id").map_err(|source| classify(path, source))?;
    let version = ask("PRAGMA user_version").map_err(|source| classify(path, source))?;
    match version {
        _ if id == 0 && tables == 0 && version == 0 => Ok(0),
        _ if id != i64::from(identity.application_id) => Err(DbError::Foreign { path: path.to_owned() }),
        found if found > identity.version() => {
            Err(DbError::Newer { path: path.to_owned(), found, known: identity.version() })
        }
        found => Ok(found),
    }
}

fn prepare(connection: &mut Connection, path: &Path, identity: Identity) -> Result<(), DbError> {
    let sqlite = |source| classify(path, source);
    set_up(connection).map_err(sqlite)?;
    let version = {
        let transaction = connection.transaction().map_err(sqlite)?;
        identify(&transaction, path, identity)?
    };
    if version < identity.version() {
        // A migration may make a table anew: what refers to it must not go with the old one. Within a transaction this
        // cannot be said.
        connection.pragma_update(None, "foreign_keys", false).map_err(sqlite)?;
        migrate(connection, path, identity)?;
    }
    write_ahead(connection).map_err(sqlite)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(sqlite)?;
    // Savepoints copy each page that they change: not into a file.
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(sqlite)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(sqlite)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).map_err(sqlite)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(sqlite)
}

/// What every connection has.
fn set_up(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // A plan does not depend on values: some statements would be compiled again for each.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}

/// Brings the tables up to date. A new file says first of all whose it is, in a write of one page:
/// whoever sees more of it sees that too.
fn migrate(connection: &mut Connection, path: &Path, identity: Identity) -> Result<(), DbError> {
    let sqlite = |source| classify(path, source);
    update(connection, path, identity, |transaction, _| {
        transaction.pragma_update(None, "application_id", identity.application_id).map_err(sqlite)
    })?;
    update(connection, path, identity, |transaction, version| {
        for migration in identity.migrations.iter().skip(usize::try_from(version).unwrap_or(usize::MAX)) {
            transaction.execute_batch(migration).map_err(sqlite)?;
        }
        transaction.pragma_update(None, "user_version", identity.version()).map_err(sqlite)
    })
}

/// Writes under the lock, if the file still is ours; another process may have been faster.
fn update(
    connection: &mut Connection,
    path: &Path,
    identity: Identity,
    work: impl FnOnce(&Transaction<'_>, i64) -> Result<(), DbError>,
) -> Result<(), DbError> {
    let sqlite = |source| classify(path, source);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
    let version = identify(&transaction, path, identity)?;
    work(&transaction, version)?;
    transaction.commit().map_err(sqlite)
}

/// Turns the write-ahead log on. SQLite does not wait for others here, so this does.
fn write_ahead(connection: &Connection) -> Result<(), rusqlite::Error> {
    let started = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if is_busy(&error) && started.elapsed() < BUSY_TIMEOUT => {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Identity = Identity { application_id: 77, migrations: &["CREATE TABLE t (x)"] };

    fn refused(make: impl FnOnce(&Path)) -> DbError {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("it.db");
        make(&path);
        let before = fs::read(&path).expect("the file");
        let error = open(&path, OURS).expect_err("refused");
        assert_eq!(fs::read(&path).expect("the file"), before, "it was touched");
        assert_eq!(fs::read_dir(dir.path()).expect("the directory").count(), 1, "a file was left beside it");
        error
    }

    fn foreign(path: &Path, sql: &str) {
        Connection::open(path).and_then(|connection| connection.execute_batch(sql)).expect("a database");
    }

    #[test]
    fn a_file_that_is_not_ours_is_refused_and_left_as_it_is() {
        let text = refused(|path| fs::write(path, "just some notes, quite a lot of them".repeat(9)).expect("written"));
        assert!(matches!(text, DbError::Foreign { .. }), "{text}");
        let other = refused(|path| foreign(path, "PRAGMA journal_mode=WAL; CREATE TABLE notes (x)"));
        assert!(matches!(other, DbError::Foreign { .. }), "{other}");
        let newer = refused(|path| foreign(path, "PRAGMA application_id=77; PRAGMA user_version=9; CREATE TABLE t(x)"));
        assert!(matches!(newer, DbError::Newer { found: 9, known: 1, .. }), "{newer}");
    }

    #[test]
    fn a_file_that_was_cut_short_is_refused_and_left_as_it_is() {
        let error = refused(|path| {
            let connection = open(path, OURS).expect("opened");
            connection.execute_batch("INSERT INTO t VALUES (zeroblob(50000))").expect("filled");
            drop(connection);
            let whole = fs::read(path).expect("the file");
            fs::write(path, &whole[..8192]).expect("cut");
        });
        assert!(matches!(error, DbError::Corrupt { .. }), "{error}");
    }

    #[test]
    fn where_no_file_can_be_made_the_error_says_not_writable() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("file"), "").expect("written");
        let error = open(&dir.path().join("file/it.db"), OURS).expect_err("no directory");
        assert!(matches!(error, DbError::NotWritable { .. }), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn all_three_files_and_the_directory_are_for_this_user_only() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a directory");
        let inner = dir.path().join("new");
        let path = inner.join("it.db");
        let connection = open(&path, OURS).expect("opened");
        connection.execute_batch("INSERT INTO t VALUES (1)").expect("written");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&inner), 0o700);
        for file in ["it.db", "it.db-wal", "it.db-shm"] {
            assert_eq!(mode(&inner.join(file)), 0o600, "{file}");
        }
    }

    #[test]
    fn many_can_open_a_new_file_at_the_same_time() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("it.db");
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| open(&path, OURS).expect("opened").execute("INSERT INTO t VALUES (1)", []));
            }
        });
        let count = open(&path, OURS).expect("opened").query_row("SELECT count(*) FROM t", [], |row| row.get(0));
        assert_eq!(count, Ok(16));
    }
}
