//! A profile: settings that go together, under a name.

use std::fmt;

use super::key::Key;
use super::origin::{Given, Origin};

/// The profile that is used where none is named, if there is one.
pub const DEFAULT: &str = "default";

/// A profile that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name, and what chose it.
    pub name: Given<String>,
    values: Vec<(Key, String)>,
}

impl Profile {
    /// A profile with these values.
    pub fn new(name: Given<String>, values: Vec<(Key, String)>) -> Self {
        Self { name, values }
    }

    /// What it says about a key.
    pub fn get(&self, key: Key) -> Option<Given<String>> {
        let value = self.values.iter().find(|(set, _)| *set == key).map(|(_, value)| value.clone())?;
        Some(Given::new(value, Origin::Profile(self.name.value.clone())))
    }
}

/// A setting in the file: a key of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The profile; none means the active one.
    pub profile: Option<String>,
    /// The key.
    pub key: Key,
}

/// Why a text names no setting or no profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPlace {
    /// There is no such key.
    #[error("the keys are base_url, agent, project and output, and the same behind `profiles.NAME.`")]
    Key,
    /// That cannot be a profile's name.
    #[error("a profile's name is made of letters, digits, - and _")]
    Name,
}

impl std::str::FromStr for Place {
    type Err = BadPlace;

    /// Reads `KEY` or `profiles.NAME.KEY`.
    fn from_str(text: &str) -> Result<Self, BadPlace> {
        let Some(rest) = text.strip_prefix("profiles.") else {
            return Key::named(text).map(|key| Self { profile: None, key }).ok_or(BadPlace::Key);
        };
        let (name, key) = rest.rsplit_once('.').ok_or(BadPlace::Key)?;
        Ok(Self { profile: Some(name.parse::<Name>()?.0), key: Key::named(key).ok_or(BadPlace::Key)? })
    }
}

/// The name of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(pub String);

impl std::str::FromStr for Name {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let good = !text.is_empty() && text.len() <= 64 && text.bytes().all(fits);
        if good { Ok(Self(text.to_owned())) } else { Err(BadPlace::Name) }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_named_with_or_without_its_profile() {
        assert_eq!("agent".parse(), Ok(Place { profile: None, key: Key::Agent }));
        assert_eq!("profiles.a-1.output".parse(), Ok(Place { profile: Some("a-1".to_owned()), key: Key::Output }));
        for bad in ["", "agnet", "profiles", "profiles.a", "profiles.a.agnet", "api_key"] {
            assert_eq!(bad.parse::<Place>(), Err(BadPlace::Key), "{bad}");
        }
        for bad in ["profiles..agent", "profiles.a b.agent", "profiles.a.b.agent"] {
            assert_eq!(bad.parse::<Place>(), Err(BadPlace::Name), "{bad}");
        }
    }
}
