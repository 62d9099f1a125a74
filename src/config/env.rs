//! Access to environment variables: of the process, or of a map in tests.

use std::collections::HashMap;
use std::env::VarError::NotUnicode;
use std::path::PathBuf;

use crate::report::Failure;

/// The variables that decide server, key, agent and output. Each must be UTF-8.
const TEXTS: [&str; 8] = [
    "LETTA_BASE_URL",
    "LETTA_API_KEY",
    "LETTA_AGENT_ID",
    "LETTA_PROJECT_ID",
    "LETTA_PROJECT",
    "LETTA_CUSTOM_HEADERS",
    "AGENTCTL_PROFILE",
    "AGENTCTL_OUTPUT",
];

/// A source of environment variables.
#[derive(Clone, Debug)]
pub enum Env {
    /// The environment of the process.
    Real,
    /// A fixed set of variables.
    Map(HashMap<String, String>),
}

impl Env {
    /// Returns a variable, which may be empty; `None` if it is unset or not UTF-8.
    pub fn get(&self, name: &str) -> Option<String> {
        match self {
            Self::Real => std::env::var(name).ok(),
            Self::Map(map) => map.get(name).cloned(),
        }
    }

    /// Returns a variable as a path, which need not be UTF-8; `None` if it is unset or empty.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        let value = match self {
            Self::Real => std::env::var_os(name),
            Self::Map(map) => map.get(name).map(Into::into),
        };
        value.filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// Returns an error if a variable is not UTF-8. To ignore it would select another server, or no key.
    pub fn check(&self) -> Result<(), Failure> {
        let broken = |name: &&&str| matches!(self, Self::Real) && matches!(std::env::var(name), Err(NotUnicode(_)));
        match TEXTS.iter().find(broken) {
            None => Ok(()),
            Some(name) => Err(Failure::usage(format!("the environment variable {name} is not UTF-8"))
                .hint("set it again, or unset it")),
        }
    }

    /// Returns a variable that is set and not empty.
    pub fn given(&self, name: &str) -> Option<String> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Returns whether a switch such as `ACCESSIBLE` is on: set, not empty and not `0`.
    pub fn is_on(&self, name: &str) -> bool {
        self.given(name).is_some_and(|value| value != "0")
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Env {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self::Map(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}
