//! Changes to `config.toml`: what is not changed keeps its place, its comments and its spaces.

use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use super::config_file::{ConfigFile, NAME, PROFILES, USED};
use super::key::Key;
use super::origin::{Given, Origin};
use super::profile::{DEFAULT, Place};
use super::secure_files::{Links, Writing};
use super::{Env, dirs};
use crate::report::Failure;

/// A change to the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Sets a key of a profile, which is made if it is missing.
    Set(Place, String),
    /// Forgets a key of a profile.
    Unset(Place),
    /// Uses a profile from now on.
    Use(String),
}

/// Changes the file. `flag` is the profile that `--profile` named.
pub fn change(env: &Env, flag: Option<&str>, change: &Change) -> Result<(), Failure> {
    let folder = dirs::named_config_dir(env)?;
    let writing = Writing::begin(&folder)?;
    let file = ConfigFile::load(env)?;
    let before = file.text.clone();
    let after = apply(file, env, flag, change)?.to_string();
    if after == before { Ok(()) } else { writing.replace(NAME, &after, Links::Followed) }
}

fn apply(file: ConfigFile, env: &Env, flag: Option<&str>, change: &Change) -> Result<DocumentMut, Failure> {
    let active = || file.chosen(flag, env).map_or_else(|| DEFAULT.to_owned(), |name| name.value);
    let profile = |place: &Place| place.profile.clone().unwrap_or_else(active);
    match change {
        Change::Set(place, text) => {
            let name = profile(place);
            let mut document = file.document.into_mut();
            put(&mut document, &name, place.key, text);
            Ok(document)
        }
        Change::Unset(place) => {
            let name = profile(place);
            let mut document = file.document.into_mut();
            if let Some(table) = document.get_mut(PROFILES).and_then(|all| all.get_mut(&name)) {
                table.as_table_like_mut().map(|table| table.remove(place.key.name()));
            }
            Ok(document)
        }
        Change::Use(name) => {
            file.profile(Given::new(name.clone(), Origin::Default("the command line")))?;
            let mut document = file.document.into_mut();
            replace(document.as_table_mut(), USED, name);
            Ok(document)
        }
    }
}

fn put(document: &mut DocumentMut, profile: &str, key: Key, text: &str) {
    let mut all = Table::new();
    // `[profiles]` alone on a line says nothing.
    all.set_implicit(true);
    let all = document.entry(PROFILES).or_insert(Item::Table(all));
    if let Some(all) = all.as_table_like_mut() {
        let profile = all.entry(profile).or_insert(Item::Table(Table::new()));
        if let Some(profile) = profile.as_table_like_mut() {
            replace(profile, key.name(), text);
        }
    }
}

/// Sets a value; a comment behind the old one stays.
fn replace(table: &mut dyn TableLike, key: &str, text: &str) {
    let mut new = value(text);
    if let (Some(old), Some(new)) = (table.get(key).and_then(Item::as_value), new.as_value_mut()) {
        *new.decor_mut() = old.decor().clone();
    }
    table.insert(key, new);
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn env(folder: &Path) -> Env {
        Env::from([("AGENTCTL_CONFIG_DIR", folder.to_str().expect("UTF-8"))])
    }

    fn changed(text: &str, changes: &[Change]) -> String {
        let dir = tempfile::tempdir().expect("a folder");
        let file: PathBuf = dir.path().join(NAME);
        std::fs::write(&file, text).expect("a file");
        changes.iter().for_each(|one| change(&env(dir.path()), None, one).expect("a change"));
        std::fs::read_to_string(file).expect("the file")
    }

    fn set(place: &str, text: &str) -> Change {
        Change::Set(place.parse().expect("a place"), text.to_owned())
    }

    #[test]
    fn what_is_not_changed_stays_as_it_was_written() {
        let text = "# mine\nfuture = { a = 1 }\n\n[profiles.a]   # the first\nagent =   'x' # an agent\nnew = 2\n";
        let expected = text.replace("'x'", "\"y\"");
        assert_eq!(changed(text, &[set("profiles.a.agent", "y")]), expected);
        assert_eq!(
            changed(
                text,
                &[set("profiles.a.agent", "x"), Change::Unset("profiles.a.output".parse().expect("a place"))]
            ),
            text.replace("'x'", "\"x\"")
        );
    }

    #[test]
    fn profiles_come_and_settings_go() {
        let two = changed("", &[set("agent", "x"), set("profiles.b.output", "id"), Change::Use("b".to_owned())]);
        assert_eq!(two, "profile = \"b\"\n[profiles.default]\nagent = \"x\"\n\n[profiles.b]\noutput = \"id\"\n");
        // From now on `b` is meant where none is named.
        let less = changed(&two, &[Change::Unset("output".parse().expect("a place"))]);
        assert_eq!(less, two.replace("output = \"id\"\n", ""));
    }

    #[test]
    fn a_profile_that_is_not_there_is_not_used() {
        let dir = tempfile::tempdir().expect("a folder");
        let failure = change(&env(dir.path()), None, &Change::Use("b".to_owned())).expect_err("no such profile");
        assert_eq!(failure.exit, crate::exit::Exit::Usage);
        assert!(!dir.path().join(NAME).exists());
    }
}
