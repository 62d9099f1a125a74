//! Names of settings in a profile, and the validation of their values.

use http::HeaderValue;

use super::base_url::base_url;
use crate::model::AgentRef;
use crate::report::Failure;
use crate::text::show;

/// The values of `output`.
pub const OUTPUTS: [&str; 4] = ["human", "json", "id", "none"];

/// The name of a setting in a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingName {
    /// The server's address.
    BaseUrl,
    /// The default agent, by id or by name.
    Agent,
    /// The project, sent as the header `X-Project`.
    Project,
    /// The output format on a terminal.
    Output,
}

impl SettingName {
    /// All settings, in the order of `config list`.
    pub const ALL: [Self; 4] = [Self::BaseUrl, Self::Agent, Self::Project, Self::Output];

    /// Returns the key in `config.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::BaseUrl => "base_url",
            Self::Agent => "agent",
            Self::Project => "project",
            Self::Output => "output",
        }
    }

    /// Returns the setting with this key in `config.toml`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.name() == name)
    }

    /// Validates a value. `provenance` is the source of the value, for error messages about a base URL.
    pub fn check(self, value: &str, provenance: &str) -> Result<(), Failure> {
        let bad = |why: String| Failure::usage(format!("`{}` {why}", self.name()));
        if value.chars().any(show::is_hidden) || value.contains(['\n', '\t']) {
            return Err(bad("has an invisible character".to_owned())
                .hint("type it again: a pasted text may have invisible characters"));
        }
        match self {
            Self::BaseUrl => base_url(value, provenance).map(drop),
            Self::Agent => value
                .parse::<AgentRef>()
                .map(drop)
                .map_err(|error| bad(format!("is not an agent: {error}")).hint("give an agent's id or its name")),
            Self::Project if value.trim().is_empty() => {
                Err(bad("is empty".to_owned()).hint("`agentctl config unset project` removes it"))
            }
            Self::Project => HeaderValue::from_str(value)
                .map(drop)
                .map_err(|_| bad("cannot be sent in a header".to_owned()).hint("use visible ASCII characters")),
            Self::Output if OUTPUTS.contains(&value) => Ok(()),
            Self::Output => {
                let failure = bad(format!("is `{}`, which is not an output format", show::clip(value, 60)));
                Err(failure.hint(format!("the formats are {}", OUTPUTS.join(", "))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_accepts_only_valid_values() {
        let id = "agent-11111111-1111-4111-8111-111111111111";
        for (setting, value) in [
            (SettingName::BaseUrl, "https://h/letta"),
            (SettingName::Agent, id),
            (SettingName::Agent, "my helper"),
            (SettingName::Project, "alpha"),
            (SettingName::Output, "id"),
        ] {
            assert_eq!(setting.check(value, "set"), Ok(()), "{value}");
        }
        for (setting, value) in [
            (SettingName::BaseUrl, "localhost:8283"),
            (SettingName::BaseUrl, "http://user:pw@h"),
            (SettingName::Agent, ""),
            (SettingName::Agent, "agent-7"),
            (SettingName::Agent, "a\u{1b}[2J"),
            (SettingName::Project, " "),
            (SettingName::Project, "a\r\nX: y"),
            (SettingName::Output, "yaml"),
            (SettingName::Output, "JSON"),
        ] {
            assert!(setting.check(value, "set").is_err(), "{value}");
        }
        assert!(SettingName::ALL.into_iter().all(|setting| SettingName::from_name(setting.name()) == Some(setting)));
    }
}
