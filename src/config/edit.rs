//! Edits of `config.toml` that keep everything else in place: order, comments and white space.

use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use super::config_file::{ACTIVE, ConfigFile, NAME, PROFILES};
use super::profile::DEFAULT;
use super::provenance::{Given, Provenance};
use super::secure_files::{LockedFolder, Symlinks};
use super::setting_name::SettingName;
use super::setting_path::SettingPath;
use super::{Env, dirs};
use crate::report::Failure;

/// An edit of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Sets a setting, and creates its profile if it does not exist.
    Set(SettingPath, String),
    /// Removes a setting.
    Unset(SettingPath),
    /// Makes a profile the active one.
    Use(String),
}

/// Applies an edit to the file. `flag` is the profile given by `--profile`.
pub fn apply(env: &Env, flag: Option<&str>, edit: &Edit) -> Result<(), Failure> {
    let folder = dirs::required_config_dir(env)?;
    let locked = LockedFolder::lock(&folder)?;
    let file = ConfigFile::load(env)?;
    let before = file.text.clone();
    let after = edited(file, env, flag, edit)?.to_string();
    if after == before { Ok(()) } else { locked.replace(NAME, &after, Symlinks::Follow) }
}

fn edited(file: ConfigFile, env: &Env, flag: Option<&str>, edit: &Edit) -> Result<DocumentMut, Failure> {
    let active = || file.active_name(flag, env).map_or_else(|| DEFAULT.to_owned(), |name| name.value);
    let profile = |path: &SettingPath| path.profile.clone().unwrap_or_else(active);
    match edit {
        Edit::Set(path, text) => {
            let name = profile(path);
            let mut document = file.document.into_mut();
            set(&mut document, &name, path.setting, text);
            Ok(document)
        }
        Edit::Unset(path) => {
            let name = profile(path);
            let mut document = file.document.into_mut();
            if let Some(table) = document.get_mut(PROFILES).and_then(|all| all.get_mut(&name)) {
                table.as_table_like_mut().map(|table| table.remove(path.setting.name()));
            }
            Ok(document)
        }
        Edit::Use(name) => {
            file.profile(Given::new(name.clone(), Provenance::Default("the command line")))?;
            let mut document = file.document.into_mut();
            replace(document.as_table_mut(), ACTIVE, name);
            Ok(document)
        }
    }
}

fn set(document: &mut DocumentMut, profile: &str, setting: SettingName, text: &str) {
    let mut all = Table::new();
    // Leaves out the line `[profiles]`, which would be empty.
    all.set_implicit(true);
    let all = document.entry(PROFILES).or_insert(Item::Table(all));
    if let Some(all) = all.as_table_like_mut() {
        let profile = all.entry(profile).or_insert(Item::Table(Table::new()));
        if let Some(profile) = profile.as_table_like_mut() {
            replace(profile, setting.name(), text);
        }
    }
}

/// Sets a value and keeps the comment on its line.
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

    fn after(text: &str, edits: &[Edit]) -> String {
        let dir = tempfile::tempdir().expect("a folder");
        let file: PathBuf = dir.path().join(NAME);
        std::fs::write(&file, text).expect("a file");
        edits.iter().for_each(|edit| apply(&env(dir.path()), None, edit).expect("an edit"));
        std::fs::read_to_string(file).expect("the file")
    }

    fn set(path: &str, text: &str) -> Edit {
        Edit::Set(path.parse().expect("a path"), text.to_owned())
    }

    #[test]
    fn an_edit_keeps_comments_unknown_keys_and_white_space() {
        let text = "# mine\nfuture = { a = 1 }\n\n[profiles.a]   # the first\nagent =   'x' # an agent\nnew = 2\n";
        let expected = text.replace("'x'", "\"y\"");
        assert_eq!(after(text, &[set("profiles.a.agent", "y")]), expected);
        let unset = Edit::Unset("profiles.a.output".parse().expect("a path"));
        assert_eq!(after(text, &[set("profiles.a.agent", "x"), unset]), text.replace("'x'", "\"x\""));
    }

    #[test]
    fn set_creates_profiles_and_unset_removes_settings_of_the_active_one() {
        let two = after("", &[set("agent", "x"), set("profiles.b.output", "id"), Edit::Use("b".to_owned())]);
        assert_eq!(two, "profile = \"b\"\n[profiles.default]\nagent = \"x\"\n\n[profiles.b]\noutput = \"id\"\n");
        let less = after(&two, &[Edit::Unset("output".parse().expect("a path"))]);
        assert_eq!(less, two.replace("output = \"id\"\n", ""));
    }

    #[test]
    fn a_profile_that_does_not_exist_cannot_be_made_active() {
        let dir = tempfile::tempdir().expect("a folder");
        let failure = apply(&env(dir.path()), None, &Edit::Use("b".to_owned())).expect_err("no such profile");
        assert_eq!(failure.exit, crate::exit::Exit::Usage);
        assert!(!dir.path().join(NAME).exists());
    }
}
