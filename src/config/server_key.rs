//! The API key of a local server, kept in `DATABASE.key`.

use std::fs;
use std::io;
use std::path::Path;

use super::{Secret, atomic_write, dirs};
use crate::db;

/// Reads the key of a database, or creates one. Restores mode 0600, which a copy or a backup may have lost.
pub fn load_or_create(database: &Path) -> io::Result<Secret> {
    let path = dirs::beside_database(database, ".key");
    match read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = generate();
            atomic_write::write(&path, &format!("{}\n", key.expose()))?;
            Ok(key)
        }
        Ok(key) => db::make_private(&path).map(|()| key).map_err(io::Error::other),
        other => other,
    }
}

/// Generates a key with 244 random bits from the operating system.
pub fn generate() -> Secret {
    let half = || uuid::Uuid::new_v4().simple().to_string();
    Secret::new(format!("sk-local-{}{}", half(), half()), "").expect("visible ASCII")
}

fn read(path: &Path) -> io::Result<Secret> {
    let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidData, format!("{} {why}", path.display()));
    let text = fs::read_to_string(path)?;
    let line = text.lines().next().filter(|line| !line.is_empty()).ok_or_else(|| invalid("has no key"))?;
    Secret::new(line.to_owned(), "").map_err(|_| invalid("has an invalid key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_key_is_created_once_and_each_start_restores_mode_0600() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("a directory");
        let database = dir.path().join("it.db");
        let first = load_or_create(&database).expect("made");
        let path = dir.path().join("it.db.key");
        let mode = || fs::metadata(&path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("set");
        assert_eq!(load_or_create(&database).expect("read").expose(), first.expose());
        assert_eq!(mode(), 0o600, "again");
        assert_ne!(generate().expose(), first.expose());
    }
}
