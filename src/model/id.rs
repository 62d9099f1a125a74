//! Ids as the API documents them. Only a checked id becomes part of a URL.

use std::fmt;
use std::str::FromStr;

/// An agent's id: `agent-` and a lower-case version-4 UUID, 42 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AgentId(String);

/// A run's id: `run-` (`job-` on old servers), eight hexadecimal digits, then up to 56 letters, digits or `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(String);

/// An agent as a person names it: by id, or by the name it has on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentRef {
    /// An id, checked.
    Id(AgentId),
    /// A name, to be looked up.
    Name(String),
}

/// Why a text is not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {what}: {why}", crate::text::show::clip(value, 60))]
pub struct BadId {
    value: String,
    what: &'static str,
    why: &'static str,
}

impl AgentId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A new random id.
    pub fn random() -> Self {
        Self(format!("agent-{}", uuid::Uuid::new_v4()))
    }
}

impl RunId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A new random id.
    pub fn random() -> Self {
        Self(format!("run-{}", uuid::Uuid::new_v4()))
    }
}

impl FromStr for AgentId {
    type Err = BadId;

    fn from_str(value: &str) -> Result<Self, BadId> {
        let bad = |why| BadId { value: value.to_owned(), what: "an agent id", why };
        let Some(uuid) = value.strip_prefix("agent-") else {
            return Err(bad(agent_prefix_fault(value)));
        };
        if uuid.len() != 36 {
            return Err(bad("an id is agent- and a UUID, 42 characters in all"));
        }
        if uuid.chars().any(|c| c.is_ascii_uppercase()) {
            return Err(bad("ids are lower case"));
        }
        if !is_hyphenated(uuid) {
            return Err(bad("what follows agent- is not a UUID"));
        }
        if !is_version_4(uuid) {
            return Err(bad("its UUID is not a version-4 UUID"));
        }
        Ok(Self(value.to_owned()))
    }
}

fn agent_prefix_fault(value: &str) -> &'static str {
    if value.to_ascii_lowercase().starts_with("agent-") {
        "ids are lower case"
    } else {
        "it does not begin with agent-"
    }
}

fn is_hyphenated(uuid: &str) -> bool {
    uuid.bytes().enumerate().all(|(at, b)| match at {
        8 | 13 | 18 | 23 => b == b'-',
        _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
    })
}

fn is_version_4(uuid: &str) -> bool {
    let bytes = uuid.as_bytes();
    bytes[14] == b'4' && matches!(bytes[19], b'8' | b'9' | b'a' | b'b')
}

impl FromStr for RunId {
    type Err = BadId;

    fn from_str(value: &str) -> Result<Self, BadId> {
        let bad = |why| BadId { value: value.to_owned(), what: "a run id", why };
        if value.is_empty() {
            return Err(bad("it is empty"));
        }
        let Some(rest) = value.strip_prefix("run-").or_else(|| value.strip_prefix("job-")) else {
            return Err(bad("ids look like run-12345678-…"));
        };
        let (hex, tail) = rest.as_bytes().split_at_checked(8).ok_or_else(|| bad("it is too short"))?;
        if !hex.iter().all(u8::is_ascii_hexdigit) {
            return Err(bad("eight hexadecimal digits must follow run-"));
        }
        if tail.len() > 56 {
            return Err(bad("it is too long"));
        }
        if !tail.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-') {
            return Err(bad("only letters, digits and - may follow"));
        }
        Ok(Self(value.to_owned()))
    }
}

impl FromStr for AgentRef {
    type Err = BadId;

    /// A value that begins `agent-` in any letter case is an id, anything else a name.
    fn from_str(value: &str) -> Result<Self, BadId> {
        if value.is_empty() {
            return Err(BadId { value: String::new(), what: "an agent", why: "it is empty" });
        }
        let looks_like_id = value.get(..6).is_some_and(|head| head.eq_ignore_ascii_case("agent-"));
        if looks_like_id { value.parse().map(Self::Id) } else { Ok(Self::Name(value.to_owned())) }
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_agent_id_is_a_lower_case_version_4_uuid() {
        let good = "agent-11111111-1111-4111-8111-111111111111";
        assert_eq!(good.parse::<AgentId>().expect("an id").as_str(), good);
        for (value, why) in [
            ("agent-123", "42 characters"),
            ("AGENT-11111111-1111-4111-8111-111111111111", "lower case"),
            ("agent-AAAAAAAA-1111-4111-8111-111111111111", "lower case"),
            ("agent-11111111-1111-1111-8111-111111111111", "version-4"),
            ("agent-11111111-1111-4111-7111-111111111111", "version-4"),
            ("agent-1111111111111111111111111111111111xx", "not a UUID"),
            ("runner-1111", "begin with agent-"),
        ] {
            let error = value.parse::<AgentId>().expect_err(value).to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_short_documented_run_id_is_one() {
        for good in ["run-12345678", "job-ABCDEF01", "run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77"] {
            assert!(good.parse::<RunId>().is_ok(), "{good}");
        }
        for bad in [
            "",
            ".",
            "../agents",
            "run-1?x=1",
            "run-1\r\nX: y",
            "run-1234567",
            "run-1234567g",
            "run-12345678/x",
            "ran-12345678",
        ] {
            assert!(bad.parse::<RunId>().is_err(), "{bad}");
        }
        assert!(format!("run-12345678{}", "a".repeat(57)).parse::<RunId>().is_err());
    }

    #[test]
    fn a_text_that_begins_like_an_id_is_never_a_name() {
        assert!("Agent-7".parse::<AgentRef>().is_err());
        assert_eq!("default".parse(), Ok(AgentRef::Name("default".to_owned())));
        assert_eq!("agents".parse(), Ok(AgentRef::Name("agents".to_owned())));
    }

    proptest! {
        #[test]
        fn a_run_id_has_no_character_that_is_special_in_a_url(value in "\\PC{0,80}") {
            if let Ok(id) = value.parse::<RunId>() {
                prop_assert!(id.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
            }
        }
    }
}
