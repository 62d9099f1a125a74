//! The keys of a profile, and what their values may be.

use http::HeaderValue;

use super::base_url::base_url;
use crate::model::AgentRef;
use crate::report::Failure;
use crate::text::show;

/// The words for `output`.
pub const OUTPUTS: [&str; 4] = ["human", "json", "id", "none"];

/// What a profile may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The server's address.
    BaseUrl,
    /// The agent that is meant when none is given, by id or by name.
    Agent,
    /// The project, for the header `X-Project`.
    Project,
    /// How data is printed on a terminal.
    Output,
}

impl Key {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 4] = [Self::BaseUrl, Self::Agent, Self::Project, Self::Output];

    /// The key as it stands in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::BaseUrl => "base_url",
            Self::Agent => "agent",
            Self::Project => "project",
            Self::Output => "output",
        }
    }

    /// The key of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }

    /// Checks a value by the rules that hold for it wherever it is given. `origin` says where an address came from.
    pub fn check(self, value: &str, origin: &str) -> Result<(), Failure> {
        let bad = |why: String| Failure::usage(format!("`{}` {why}", self.name()));
        if value.chars().any(show::is_hidden) || value.contains(['\n', '\t']) {
            return Err(bad("holds a character that cannot be seen".to_owned())
                .hint("write it anew: what is pasted may hold more than is seen"));
        }
        match self {
            Self::BaseUrl => base_url(value, origin).map(drop),
            Self::Agent => value
                .parse::<AgentRef>()
                .map(drop)
                .map_err(|error| bad(format!("names no agent: {error}")).hint("give an agent's id or its name")),
            Self::Project if value.trim().is_empty() => {
                Err(bad("is empty".to_owned()).hint("`agentctl config unset project` leaves it out"))
            }
            Self::Project => HeaderValue::from_str(value)
                .map(drop)
                .map_err(|_| bad("does not fit into a header".to_owned()).hint("use visible ASCII characters")),
            Self::Output if OUTPUTS.contains(&value) => Ok(()),
            Self::Output => {
                let failure = bad(format!("is `{}`, which is no format", show::clip(value, 60)));
                Err(failure.hint(format!("the formats are {}", OUTPUTS.join(", "))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_held_to_the_rules_of_its_key() {
        let id = "agent-11111111-1111-4111-8111-111111111111";
        for (key, value) in [
            (Key::BaseUrl, "https://h/letta"),
            (Key::Agent, id),
            (Key::Agent, "my helper"),
            (Key::Project, "alpha"),
            (Key::Output, "id"),
        ] {
            assert_eq!(key.check(value, "set"), Ok(()), "{value}");
        }
        for (key, value) in [
            (Key::BaseUrl, "localhost:8283"),
            (Key::BaseUrl, "http://user:pw@h"),
            (Key::Agent, ""),
            (Key::Agent, "agent-7"),
            (Key::Agent, "a\u{1b}[2J"),
            (Key::Project, " "),
            (Key::Project, "a\r\nX: y"),
            (Key::Output, "yaml"),
            (Key::Output, "JSON"),
        ] {
            assert!(key.check(value, "set").is_err(), "{value}");
        }
        assert!(Key::ALL.into_iter().all(|key| Key::named(key.name()) == Some(key)));
    }
}
