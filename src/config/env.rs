//! The environment variables of the process, collected once at its start.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
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

/// Environment variables by name.
///
/// There is no `Debug`, since values may be secret.
#[derive(Clone)]
pub struct Env(HashMap<OsString, OsString>);

impl Env {
    /// Collects variables, as `std::env::vars_os` lists them.
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self(variables.into_iter().map(|(name, value)| (key(&name), value)).collect())
    }

    fn value(&self, name: &str) -> Option<&OsStr> {
        self.0.get(&key(name.as_ref())).map(OsString::as_os_str)
    }

    /// Returns whether a variable is set, even if it is empty or not UTF-8.
    pub fn is_set(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// Returns a variable, which may be empty; `None` if it is unset or not UTF-8.
    pub fn get(&self, name: &str) -> Option<String> {
        self.value(name)?.to_str().map(str::to_owned)
    }

    /// Returns a variable as a path, which need not be UTF-8; `None` if it is unset or empty.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.value(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// Returns an error if a variable is not UTF-8. To ignore it would select another server, or no key.
    pub fn check(&self) -> Result<(), Failure> {
        let is_broken = |name: &&&str| self.value(name).is_some_and(|value| value.to_str().is_none());
        match TEXTS.iter().find(is_broken) {
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
        Self::new(pairs.map(|(name, value)| (name.into(), value.into())))
    }
}

/// Returns the name under which a variable is kept. Windows ignores case in names.
fn key(name: &OsStr) -> OsString {
    if cfg!(windows) { name.to_ascii_uppercase() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_set_but_is_no_path() {
        let env = Env::from([("A", "")]);
        assert!(env.is_set("A") && !env.is_set("B"));
        assert_eq!((env.get("A").as_deref(), env.given("A"), env.path("A")), (Some(""), None, None));
    }

    #[test]
    fn names_differ_by_case_except_on_windows() {
        assert_eq!(Env::from([("Path", "x")]).is_set("PATH"), cfg!(windows));
    }

    #[cfg(unix)]
    #[test]
    fn a_setting_that_is_not_utf_8_is_an_error_but_a_path_may_be() {
        use std::os::unix::ffi::OsStringExt as _;
        let odd = || OsString::from_vec(vec![b'/', 0xff]);
        let env = Env::new([("LETTA_AGENT_ID".into(), odd()), ("HOME".into(), odd())]);
        assert!(env.check().expect_err("not UTF-8").message.contains("LETTA_AGENT_ID"));
        assert_eq!(env.get("HOME"), None);
        assert_eq!(env.path("HOME"), Some(odd().into()));
        assert_eq!(Env::new([("HOME".into(), odd())]).check(), Ok(()));
    }
}
