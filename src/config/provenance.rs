//! The provenance of settings.

use std::fmt;

/// The source of a setting's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// A flag, such as `--base-url`.
    Flag(&'static str),
    /// An environment variable.
    Variable(&'static str),
    /// A profile of the configuration file.
    Profile(String),
    /// A key that `login` saved.
    Login,
    /// No source gave a value; the text describes the default.
    Default(&'static str),
}

/// A value with its provenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<T> {
    /// The value.
    pub value: T,
    /// The source of the value.
    pub provenance: Provenance,
}

impl<T> Given<T> {
    /// Creates a value with its provenance.
    pub fn new(value: T, provenance: Provenance) -> Self {
        Self { value, provenance }
    }
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) | Self::Default(name) => f.write_str(name),
            Self::Profile(name) => write!(f, "the profile `{name}`"),
            Self::Login => f.write_str("login"),
        }
    }
}
