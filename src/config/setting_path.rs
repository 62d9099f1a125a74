//! Paths of settings in `config.toml`: `KEY` or `profiles.NAME.KEY`.

use std::fmt;

use super::setting_name::SettingName;

/// A setting of one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingPath {
    /// The profile; `None` is the active profile.
    pub profile: Option<String>,
    /// The setting's name.
    pub setting: SettingName,
}

/// A parse error of a setting's path or a profile's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSettingPath {
    /// No setting has this name.
    #[error("the keys are base_url, agent, project and output, and profiles.NAME.KEY for each")]
    Setting,
    /// The profile's name has a character that is not allowed, or a bad length.
    #[error("a profile's name is made of letters, digits, - and _")]
    Profile,
}

impl std::str::FromStr for SettingPath {
    type Err = BadSettingPath;

    /// Parses `KEY` or `profiles.NAME.KEY`.
    fn from_str(text: &str) -> Result<Self, BadSettingPath> {
        let setting = |name: &str| SettingName::from_name(name).ok_or(BadSettingPath::Setting);
        let Some(rest) = text.strip_prefix("profiles.") else {
            return Ok(Self { profile: None, setting: setting(text)? });
        };
        let (profile, name) = rest.rsplit_once('.').ok_or(BadSettingPath::Setting)?;
        Ok(Self { profile: Some(profile.parse::<ProfileName>()?.0), setting: setting(name)? })
    }
}

/// The name of a profile: 1 to 64 letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileName(pub String);

impl std::str::FromStr for ProfileName {
    type Err = BadSettingPath;

    fn from_str(text: &str) -> Result<Self, BadSettingPath> {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let valid = !text.is_empty() && text.len() <= 64 && text.bytes().all(is_allowed);
        if valid { Ok(Self(text.to_owned())) } else { Err(BadSettingPath::Profile) }
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_setting_with_or_without_a_profile() {
        assert_eq!("agent".parse(), Ok(SettingPath { profile: None, setting: SettingName::Agent }));
        let path = SettingPath { profile: Some("a-1".to_owned()), setting: SettingName::Output };
        assert_eq!("profiles.a-1.output".parse(), Ok(path));
        for bad in ["", "agnet", "profiles", "profiles.a", "profiles.a.agnet", "api_key"] {
            assert_eq!(bad.parse::<SettingPath>(), Err(BadSettingPath::Setting), "{bad}");
        }
        for bad in ["profiles..agent", "profiles.a b.agent", "profiles.a.b.agent"] {
            assert_eq!(bad.parse::<SettingPath>(), Err(BadSettingPath::Profile), "{bad}");
        }
    }
}
