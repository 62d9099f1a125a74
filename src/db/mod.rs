//! SQLite files of this program: which are accepted, and how they are created and opened.
//!
//! A file of another program, of another version, or damaged is refused before anything is written to it.
//! The tables are defined by the store that passes its [`Identity`].

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

/// How long a statement waits for the lock of another process.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The number of compiled statements that a connection caches: more than any store has.
const STATEMENTS: usize = 128;

/// The page cache of a connection that writes, in KiB: it holds the pages at which the indexes of many agents grow.
const CACHE_KIB: i32 = 16 << 10;

/// The size of the write-ahead log, in pages, at which it is copied into the file. Each copy costs two more syncs.
const CHECKPOINT_PAGES: i32 = 8000;

/// The identity of a store's files.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// The `application_id` in the header of a file.
    pub application_id: i32,
    /// The `user_version` in the header of a file. It changes with the schema.
    pub version: i64,
    /// The SQL that creates the tables.
    pub schema: &'static str,
}

/// Opens a file. If it is missing, it is created with its directory, for this user only.
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

/// Opens a database in memory, which is gone with the connection.
pub fn open_in_memory(identity: Identity) -> Result<Connection, DbError> {
    let path = Path::new(":memory:");
    let mut connection = Connection::open_in_memory().map_err(|source| classify(path, source))?;
    prepare(&mut connection, path, identity)?;
    Ok(connection)
}

/// Opens another connection to a file that [`open`] has accepted, for reading only.
pub fn open_to_read(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    set_up(&connection)?;
    Ok(connection)
}

/// Checks that a file belongs to the store and is not damaged. Writes nothing, and leaves no other file.
pub fn check(path: &Path, identity: Identity) -> Result<(), DbError> {
    examine(path, identity)?;
    // Damage has to be seen twice: another process may have been writing the first time.
    match is_sound(path) {
        Err(DbError::Corrupt { .. }) => is_sound(path),
        result => result,
    }
}

fn is_sound(path: &Path) -> Result<(), DbError> {
    let failed = |source| classify(path, source);
    let connection = if has_journal(path) { open_to_read(path) } else { open_unchanging(path) };
    let report: String = connection
        .and_then(|connection| connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)))
        .map_err(failed)?;
    let damage =
        rusqlite::ffi::Error { code: ErrorCode::DatabaseCorrupt, extended_code: rusqlite::ffi::SQLITE_CORRUPT };
    if report == "ok" { Ok(()) } else { Err(failed(rusqlite::Error::SqliteFailure(damage, Some(report)))) }
}

/// Creates a directory, with its parents, that only this user can enter.
pub fn make_private_dir(path: &Path) -> Result<(), DbError> {
    private::make_folder(path).map_err(|source| io_error(path, source))
}

/// Creates the file if it is missing. Returns whether it was.
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

/// Makes the directory entry of a new file durable.
fn sync_dir(parent: &Path) -> Result<(), DbError> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    File::open(parent).and_then(|dir| dir.sync_all()).map_err(|source| io_error(parent, source))
}

/// Sets the mode of a file to 0600, whatever the umask was. SQLite creates the `-wal` and `-shm` files with the mode of
/// the database.
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

/// Checks the identity of a file without a lock, a write, or another file.
///
/// Another process may be writing, so damage has to be seen twice. With a journal it does not count at all: opening
/// replays the journal and then checks again. The first page has the identity from the first write on.
fn examine(path: &Path, identity: Identity) -> Result<(), DbError> {
    match glance(path, identity) {
        Err(DbError::Corrupt { .. }) if has_journal(path) => Ok(()),
        Err(DbError::Corrupt { .. }) => glance(path, identity),
        result => result,
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

/// Returns the URI that makes SQLite take no lock and create no other file.
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

/// Returns whether the file has the tables; `false` for an empty file, or one that another process is creating.
fn identify(connection: &Connection, path: &Path, identity: Identity) -> Result<bool, DbError> {
    let ask = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let tables = ask("SELECT count(*) FROM sqlite_schema").map_err(|source| classify(path, source))?;
    let id = ask("PRAGMA application_id").map_err(|source| classify(path, source))?;
    let version = ask("PRAGMA user_version").map_err(|source| classify(path, source))?;
    if tables == 0 && version == 0 && (id == 0 || id == i64::from(identity.application_id)) {
        return Ok(false);
    }
    if id != i64::from(identity.application_id) {
        return Err(DbError::Foreign { path: path.to_owned() });
    }
    if version != identity.version {
        return Err(DbError::OtherVersion { path: path.to_owned(), found: version, known: identity.version });
    }
    Ok(true)
}

fn prepare(connection: &mut Connection, path: &Path, identity: Identity) -> Result<(), DbError> {
    let sqlite = |source| classify(path, source);
    set_up(connection).map_err(sqlite)?;
    let has_tables = {
        let transaction = connection.transaction().map_err(sqlite)?;
        identify(&transaction, path, identity)?
    };
    if !has_tables {
        create_tables(connection, path, identity)?;
    }
    write_ahead(connection).map_err(sqlite)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(sqlite)?;
    // Savepoints copy each page that they change; in memory, not in a file.
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(sqlite)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(sqlite)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).map_err(sqlite)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(sqlite)
}

/// Sets what every connection needs.
fn set_up(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Stable query plans: without this, SQLite compiles some statements again for each value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}

/// Creates the tables. The application id is written first, in a transaction of one page, so that another process never
/// sees tables without it.
fn create_tables(connection: &mut Connection, path: &Path, identity: Identity) -> Result<(), DbError> {
    let sqlite = |source| classify(path, source);
    write_if_empty(connection, path, identity, |transaction| {
        transaction.pragma_update(None, "application_id", identity.application_id).map_err(sqlite)
    })?;
    write_if_empty(connection, path, identity, |transaction| {
        transaction.execute_batch(identity.schema).map_err(sqlite)?;
        transaction.pragma_update(None, "user_version", identity.version).map_err(sqlite)
    })
}

/// Writes under the lock, unless another process created the tables in the meantime.
fn write_if_empty(
    connection: &mut Connection,
    path: &Path,
    identity: Identity,
    work: impl FnOnce(&Transaction<'_>) -> Result<(), DbError>,
) -> Result<(), DbError> {
    let sqlite = |source| classify(path, source);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
    if !identify(&transaction, path, identity)? {
        work(&transaction)?;
    }
    transaction.commit().map_err(sqlite)
}

/// Turns the write-ahead log on. SQLite ignores the busy timeout here, so this waits itself.
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

    const OURS: Identity = Identity { application_id: 77, version: 2, schema: "CREATE TABLE t (x)" };

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
    fn a_file_of_another_program_is_refused_and_left_as_it_is() {
        let text = refused(|path| fs::write(path, "just some notes, quite a lot of them".repeat(9)).expect("written"));
        assert!(matches!(text, DbError::Foreign { .. }), "{text}");
        let other = refused(|path| foreign(path, "PRAGMA journal_mode=WAL; CREATE TABLE notes (x)"));
        assert!(matches!(other, DbError::Foreign { .. }), "{other}");
    }

    #[test]
    fn a_file_of_another_version_is_refused_and_left_as_it_is() {
        for version in [1, 3] {
            let sql = format!("PRAGMA application_id=77; PRAGMA user_version={version}; CREATE TABLE t(x)");
            let error = refused(|path| foreign(path, &sql));
            assert!(matches!(error, DbError::OtherVersion { found, known: 2, .. } if found == version), "{error}");
        }
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
    fn a_path_that_cannot_be_created_is_reported_as_not_writable() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("file"), "").expect("written");
        let error = open(&dir.path().join("file/it.db"), OURS).expect_err("no directory");
        assert!(matches!(error, DbError::NotWritable { .. }), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn the_files_and_the_directory_are_for_this_user_only() {
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
