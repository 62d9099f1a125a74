//! Origins of settings.

use std::fmt;

/// The source of a setting's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
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

/// A value with its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<T> {
    /// The value.
    pub value: T,
    /// The source of the value.
    pub origin: Origin,
}

impl<T> Given<T> {
    /// Creates a value with its origin.
    pub fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) | Self::Default(name) => f.write_str(name),
            Self::Profile(name) => write!(f, "the profile `{name}`"),
            Self::Login => f.write_str("login"),
        }
    }
}
