//! Reading of `config.toml`: profiles by name, and the name of the active one.
//!
//! The file is read from the configuration folder only, never from the current folder: a repository must not redirect
//! requests. Unknown keys are kept for newer versions.

use std::ops::Range;
use std::path::PathBuf;

use toml_edit::{Document, Item, TableLike};

use super::profile::{DEFAULT, Profile};
use super::provenance::{Given, Provenance};
use super::secure_files::{self, Symlinks};
use super::setting_name::SettingName;
use super::{Env, dirs};
use crate::report::Failure;
use crate::text::show;

/// The file's name.
pub const NAME: &str = "config.toml";
/// The key of the active profile.
pub(super) const ACTIVE: &str = "profile";
/// The table of profiles.
pub(super) const PROFILES: &str = "profiles";

/// The hint of a parse error.
const HINT: &str = "correct this line in an editor, or set AGENTCTL_CONFIG_DIR to another folder";

/// The parsed configuration file; empty if there is no file.
pub struct ConfigFile {
    path: PathBuf,
    pub(super) text: String,
    pub(super) document: Document<String>,
}

impl ConfigFile {
    /// Reads the file and validates the settings that this version knows.
    pub fn load(env: &Env) -> Result<Self, Failure> {
        let path = dirs::config_dir(env).map(|folder| folder.join(NAME)).unwrap_or_default();
        let text = match secure_files::open(&path, Symlinks::Follow)
            .and_then(|file| file.as_ref().map(secure_files::read).transpose())
        {
            Ok(text) => text.unwrap_or_default(),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(Failure::usage(format!("{} is not UTF-8", path.display())).hint(HINT));
            }
            Err(error) => return Err(secure_files::failure("read", &path, &error)),
        };
        Self::parse(path, text)
    }

    fn parse(path: PathBuf, text: String) -> Result<Self, Failure> {
        let document = Document::parse(text.clone()).map_err(|error| {
            let at = position(&text, error.span());
            let why = error.message().lines().next().unwrap_or_default().to_owned();
            Failure::usage(format!("{}:{at}: bad TOML: {why}", path.display())).hint(HINT)
        })?;
        let file = Self { path, text, document };
        file.check().map(|()| file)
    }

    fn check(&self) -> Result<(), Failure> {
        self.document.get(ACTIVE).map_or(Ok(()), |name| self.string(name, ACTIVE).map(drop))?;
        if let Some(profiles) = self.document.get(PROFILES).filter(|item| !item.is_table_like()) {
            return Err(self.bad(profiles, "`profiles` must be a table"));
        }
        for (name, item) in self.profiles() {
            let table = item.as_table_like().ok_or_else(|| self.bad(item, &format!("`{name}` must be a table")))?;
            for (setting, item) in known(table) {
                let text = self.string(item, setting.name())?;
                let provenance = Provenance::Profile(name.to_owned()).to_string();
                setting.check(text, &provenance).map_err(|failure| self.located(item, failure))?;
            }
        }
        Ok(())
    }

    /// Returns the active profile: from `--profile`, `AGENTCTL_PROFILE`, `config use`, or else `default` if it exists.
    pub fn active(&self, flag: Option<&str>, env: &Env) -> Result<Option<Profile>, Failure> {
        match self.active_name(flag, env) {
            Some(name) => self.profile(name).map(Some),
            None => Ok(None),
        }
    }

    /// Returns the name of the active profile. A profile of that name need not exist.
    pub fn active_name(&self, flag: Option<&str>, env: &Env) -> Option<Given<String>> {
        let flag = flag.map(|name| Given::new(name.to_owned(), Provenance::Flag("--profile")));
        let env =
            || env.given("AGENTCTL_PROFILE").map(|name| Given::new(name, Provenance::Variable("AGENTCTL_PROFILE")));
        let chosen = || self.document.get(ACTIVE)?.as_str().map(str::to_owned);
        let chosen = || chosen().map(|name| Given::new(name, Provenance::Default("config use")));
        let default =
            || self.table(DEFAULT).map(|_| Given::new(DEFAULT.to_owned(), Provenance::Default("the default")));
        flag.or_else(env).or_else(chosen).or_else(default)
    }

    /// Returns the profile of this name, or an error if it does not exist.
    pub fn profile(&self, name: Given<String>) -> Result<Profile, Failure> {
        let table = self.table(&name.value).ok_or_else(|| self.no_such_profile(&name))?;
        let text = |(setting, item): (SettingName, &Item)| Some((setting, item.as_str()?.to_owned()));
        Ok(Profile::new(name, known(table).filter_map(text).collect()))
    }

    fn no_such_profile(&self, name: &Given<String>) -> Failure {
        let shown = show::clip(&name.value, 60);
        let provenance = &name.provenance;
        let failure = Failure::usage(format!("there is no profile `{shown}` (from {provenance})"));
        let names = self.names();
        if names.is_empty() {
            return failure
                .hint("there are no profiles; create one with `agentctl config set profiles.NAME.base_url URL`");
        }
        failure.hint(format!("the profiles in {} are {}", self.path.display(), names.join(", ")))
    }

    /// Returns the keys that this version does not know, in dotted form.
    pub fn unknown_keys(&self) -> Vec<String> {
        let outer = self.document.iter().map(|(key, _)| key).filter(|key| ![ACTIVE, PROFILES].contains(key));
        let inner = self.profiles().filter_map(|(name, item)| Some((name, item.as_table_like()?)));
        let inner = inner.flat_map(|(name, table)| {
            let unknown = table.iter().map(|(key, _)| key).filter(|key| SettingName::from_name(key).is_none());
            unknown.map(move |key| format!("profiles.{name}.{key}"))
        });
        outer.map(str::to_owned).chain(inner).collect()
    }

    /// Returns the names of the profiles.
    pub fn names(&self) -> Vec<String> {
        self.profiles().map(|(name, _)| name.to_owned()).collect()
    }

    fn profiles(&self) -> impl Iterator<Item = (&str, &Item)> {
        self.document.get(PROFILES).and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter)
    }

    fn table(&self, name: &str) -> Option<&dyn TableLike> {
        self.document.get(PROFILES)?.as_table_like()?.get(name)?.as_table_like()
    }

    fn string<'a>(&self, item: &'a Item, key: &str) -> Result<&'a str, Failure> {
        item.as_str().ok_or_else(|| self.bad(item, &format!("`{key}` must be a string")))
    }

    fn bad(&self, item: &Item, why: &str) -> Failure {
        self.located(item, Failure::usage(why).hint(HINT))
    }

    /// Adds the path, line and column of an item to a failure.
    fn located(&self, item: &Item, mut failure: Failure) -> Failure {
        let at = position(&self.text, item.span());
        failure.message = format!("{}:{at}: {}", self.path.display(), failure.message);
        failure
    }
}

/// Returns the settings of a profile that this version knows.
fn known(table: &dyn TableLike) -> impl Iterator<Item = (SettingName, &Item)> {
    SettingName::ALL.into_iter().filter_map(|setting| Some((setting, table.get(setting.name())?)))
}

/// Returns line and column of the start of a byte range, counted from 1.
pub(super) fn position(text: &str, range: Option<Range<usize>>) -> String {
    let at = range.map_or(0, |range| range.start).min(text.len());
    let before = String::from_utf8_lossy(&text.as_bytes()[..at]);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{line}:{column}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    fn parse(text: &str) -> Result<ConfigFile, Failure> {
        ConfigFile::parse(PathBuf::from("config.toml"), text.to_owned())
    }

    const TWO: &str =
        "profile = 'b'\nfuture = 1\n[profiles.a]\nagent = 'x'\n[profiles.b]\nbase_url = 'http://b'\nnew = 2\n";

    #[test]
    fn the_flag_wins_over_the_variable_and_the_variable_over_config_use() {
        let chosen = |text: &str, flag: Option<&str>, env: Option<&str>| {
            let env = env.map_or(Env::from([]), |name| Env::from([("AGENTCTL_PROFILE", name)]));
            parse(text).expect("a file").active(flag, &env).expect("a profile").map(|profile| profile.name.value)
        };
        assert_eq!(chosen(TWO, Some("a"), Some("b")).as_deref(), Some("a"));
        assert_eq!(chosen(TWO, None, Some("a")).as_deref(), Some("a"));
        assert_eq!(chosen(TWO, None, Some("")).as_deref(), Some("b"));
        assert_eq!(chosen(TWO, None, None).as_deref(), Some("b"));
        assert_eq!(chosen("[profiles.default]", None, None).as_deref(), Some("default"));
        assert_eq!(chosen("[profiles.a]", None, None), None);
        assert_eq!(chosen("", None, None), None);
    }

    #[test]
    fn an_error_about_a_missing_profile_lists_the_existing_ones() {
        let failure = parse(TWO).expect("a file").active(Some("c"), &Env::from([])).expect_err("no such profile");
        assert_eq!((failure.exit, failure.message.as_str()), (Exit::Usage, "there is no profile `c` (from --profile)"));
        assert!(failure.hint.is_some_and(|hint| hint.ends_with("are a, b")));
    }

    #[test]
    fn an_error_names_line_and_column() {
        for (text, message) in [
            ("base_url = [1", "config.toml:1:14: bad TOML: unclosed array"),
            ("a = 1\n\na = 2", "config.toml:3:1: bad TOML: duplicate key"),
            ("[profiles.a]\nagent = 7", "config.toml:2:9: `agent` must be a string"),
            ("[profiles.a]\noutput = 'yaml'", "config.toml:2:10: `output` is `yaml`, which is not an output format"),
            (
                "[profiles.\"ä\"]\nbase_url = 'h'",
                "config.toml:2:12: the base URL `h` (from the profile `ä`) has no http",
            ),
            ("profiles = 1", "config.toml:1:12: `profiles` must be a table"),
            ("profiles.a = 1", "config.toml:1:14: `a` must be a table"),
            ("profile = 1", "config.toml:1:11: `profile` must be a string"),
        ] {
            let failure = parse(text).err().unwrap_or_else(|| panic!("{text}"));
            assert!(failure.message.starts_with(message), "{}", failure.message);
            assert_eq!(failure.exit, Exit::Usage);
        }
    }

    #[test]
    fn unknown_keys_are_not_an_error() {
        assert_eq!(parse(TWO).expect("a file").unknown_keys(), ["future", "profiles.b.new"]);
    }
}
