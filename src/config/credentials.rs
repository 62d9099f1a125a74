//! `credentials.toml`: the API keys that `login` saved, each bound to one origin.
//!
//! Only this user may read the file. A file or folder that other users can read or write is refused with a hint.

use std::fs::File;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, TableLike, value};
use url::Url;
use zeroize::Zeroize as _;

use super::secure_files::{self, LockedFolder, Symlinks};
use super::{Env, Secret, dirs};
use crate::exit::Exit;
use crate::report::Failure;
use crate::text::shell;

/// The file's name.
const NAME: &str = "credentials.toml";
/// The table from origin to key.
const KEYS: &str = "keys";

/// The hint of a parse error.
const HINT: &str = "correct the file, or remove it and log in again with `agentctl login`";

/// Returns the saved key for a server.
pub fn key_for(env: &Env, base: &Url) -> Result<Option<Secret>, Failure> {
    let Some(folder) = dirs::config_dir(env) else { return Ok(None) };
    let document = load(&folder)?;
    let key = document.get(KEYS).and_then(|keys| keys.get(origin(base))).and_then(Item::as_str);
    key.map(|key| Secret::new(key.to_owned(), NAME)).transpose()
}

/// Returns the origins with a saved key.
pub fn origins(env: &Env) -> Result<Vec<String>, Failure> {
    let Some(folder) = dirs::config_dir(env) else { return Ok(vec![]) };
    let document = load(&folder)?;
    let keys = document.get(KEYS).and_then(Item::as_table_like);
    Ok(keys.into_iter().flat_map(TableLike::iter).map(|(origin, _)| origin.to_owned()).collect())
}

/// Saves the key for a server. Returns the path of the file.
pub fn save(env: &Env, base: &Url, key: &Secret) -> Result<PathBuf, Failure> {
    edit(env, |keys| _ = keys.insert(&origin(base), value(key.expose())))
}

/// Removes the key for a server. Returns whether there was one.
pub fn remove(env: &Env, base: &Url) -> Result<bool, Failure> {
    // Without a saved key, not even the folder is created.
    if !origins(env)?.contains(&origin(base)) {
        return Ok(false);
    }
    edit(env, |keys| _ = keys.remove(&origin(base))).map(|_| true)
}

/// Returns the origin of a URL that a key is bound to: scheme, host and port.
pub fn origin(base: &Url) -> String {
    base.origin().ascii_serialization()
}

fn edit(env: &Env, edit: impl FnOnce(&mut dyn TableLike)) -> Result<PathBuf, Failure> {
    let folder = dirs::required_config_dir(env)?;
    let locked = LockedFolder::lock(&folder)?;
    check_folder(&folder)?;
    let mut document = load(&folder)?;
    let keys = document.entry(KEYS).or_insert(Item::Table(Table::new()));
    edit(
        keys.as_table_like_mut()
            .ok_or_else(|| Failure::usage(format!("`keys` in {NAME} must be a table")).hint(HINT))?,
    );
    let mut text = document.to_string();
    let written = locked.replace(NAME, &text, Symlinks::Refuse);
    text.zeroize();
    written.map(|()| folder.join(NAME))
}

/// Reads the file; an empty document if it does not exist.
fn load(folder: &Path) -> Result<DocumentMut, Failure> {
    let path = folder.join(NAME);
    let file = match secure_files::open(&path, Symlinks::Refuse) {
        Ok(None) => return Ok(DocumentMut::new()),
        Ok(Some(file)) => file,
        Err(_) if path.is_symlink() => return Err(unsafe_file(&path, "is a symbolic link")),
        Err(error) => return Err(secure_files::failure("read", &path, &error)),
    };
    check_file(&path, &file)?;
    let mut text = secure_files::read(&file).map_err(|error| secure_files::failure("read", &path, &error))?;
    let document = text.parse::<DocumentMut>();
    let at = document.as_ref().err().map(|error| super::config_file::position(&text, error.span()));
    text.zeroize();
    // The parser's message is dropped: it may quote a key.
    document.map_err(|_| Failure::usage(format!("{}:{}: bad TOML", path.display(), at.unwrap_or_default())).hint(HINT))
}

fn unsafe_file(path: &Path, why: &str) -> Failure {
    let failure = Failure::new(Exit::Unsafe, "unsafe_credentials", format!("{} {why}", path.display()));
    failure.hint("remove it, and log in again with `agentctl login`")
}

/// Returns an error if other users can read or write the file.
#[cfg(unix)]
fn check_file(path: &Path, file: &File) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt as _;
    let found = file.metadata().map_err(|error| secure_files::failure("read", path, &error))?;
    if ![0, rustix::process::geteuid().as_raw()].contains(&found.uid()) {
        return Err(unsafe_file(path, "belongs to another user"));
    }
    if found.mode() & 0o077 != 0 {
        return Err(open_to_others(path, "is readable by others", "600"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_file(_: &Path, _: &File) -> Result<(), Failure> {
    Ok(())
}

/// Returns an error if other users can replace files in the folder.
#[cfg(unix)]
fn check_folder(folder: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt as _;
    let found = std::fs::metadata(folder).map_err(|error| secure_files::failure("write in", folder, &error))?;
    if found.mode() & 0o022 == 0 { Ok(()) } else { Err(open_to_others(folder, "can be written by others", "700")) }
}

#[cfg(not(unix))]
fn check_folder(_: &Path) -> Result<(), Failure> {
    Ok(())
}

#[cfg(unix)]
fn open_to_others(path: &Path, why: &str, mode: &str) -> Failure {
    let quoted = shell::quote(&path.display().to_string());
    let failure = Failure::new(Exit::Unsafe, "unsafe_credentials", format!("{} {why}", path.display()));
    failure.hint(format!("run: chmod {mode} {quoted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned(), "a test").expect("a key")
    }

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    fn home() -> (tempfile::TempDir, Env) {
        let dir = tempfile::tempdir().expect("a folder");
        let env = Env::from([("AGENTCTL_CONFIG_DIR", dir.path().join("config").to_str().expect("UTF-8"))]);
        (dir, env)
    }

    #[test]
    fn a_saved_key_is_found_for_its_origin_only() {
        let (_dir, env) = home();
        let found = |text: &str| key_for(&env, &url(text)).expect("a readable file").map(|key| key.expose().to_owned());
        assert_eq!(found("https://h"), None);
        save(&env, &url("https://h/letta"), &secret("one")).expect("saved");
        save(&env, &url("http://h:8283"), &secret("two")).expect("saved");
        assert_eq!(found("https://h:443/other").as_deref(), Some("one"));
        assert_eq!(found("http://h:8283").as_deref(), Some("two"));
        for other in ["http://h", "https://h:8443", "https://h.example", "https://sub.h", "http://127.0.0.1:8283"] {
            assert_eq!(found(other), None, "{other}");
        }
        assert_eq!(origins(&env), Ok(vec!["https://h".to_owned(), "http://h:8283".to_owned()]));
        assert_eq!(remove(&env, &url("https://h")), Ok(true));
        assert_eq!(remove(&env, &url("https://h")), Ok(false));
        assert_eq!(found("https://h"), None);
        assert_eq!(found("http://h:8283").as_deref(), Some("two"));
    }

    #[test]
    fn a_parse_error_names_the_position_and_repeats_no_content() {
        let (dir, env) = home();
        save(&env, &url("https://h"), &secret("one")).expect("saved");
        std::fs::write(dir.path().join("config").join(NAME), "[keys]\n'https://h' = canary\n").expect("written");
        let failure = key_for(&env, &url("https://h")).expect_err("bad TOML");
        assert!(failure.message.contains("credentials.toml:2:15: bad TOML"), "{}", failure.message);
        assert!(!format!("{failure:?}").contains("canary"));
    }
}
