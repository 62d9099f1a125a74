//! A profile: a named group of settings in `config.toml`.

use super::provenance::{Given, Provenance};
use super::setting_name::SettingName;

/// The profile in use if none is chosen and this one exists.
pub const DEFAULT: &str = "default";

/// A profile in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The profile's name, with the source that chose it.
    pub name: Given<String>,
    values: Vec<(SettingName, String)>,
}

impl Profile {
    /// Creates a profile with these values.
    pub fn new(name: Given<String>, values: Vec<(SettingName, String)>) -> Self {
        Self { name, values }
    }

    /// Returns the value of a setting.
    pub fn get(&self, setting: SettingName) -> Option<Given<String>> {
        let value = self.values.iter().find(|(name, _)| *name == setting).map(|(_, value)| value.clone())?;
        Some(Given::new(value, Provenance::Profile(self.name.value.clone())))
    }
}
