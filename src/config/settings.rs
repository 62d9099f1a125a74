//! The settings of a command, each with the place that it came from: flag, else environment, else profile, else default.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::headers::{self, Header};
use super::sources::{self, NO_KEY, Sources};
use super::{Env, Given, Origin, Secret};
use crate::exit::Exit;
use crate::net::proxy::Proxies;
use crate::report::Failure;

/// The cloud's address.
pub(super) const CLOUD: &str = "https://api.letta.com";
/// Where a self-hosted server listens unless told otherwise.
pub(super) const SELF_HOSTED: &str = "http://localhost:8283";

/// What the connection flags said.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--base-url`.
    pub base_url: Option<String>,
    /// `--local`.
    pub local: bool,
    /// `--profile`.
    pub profile: Option<String>,
    /// `-H`.
    pub headers: Vec<String>,
    /// `--api-key-file`.
    pub api_key_file: Option<PathBuf>,
    /// `--ca-cert`.
    pub ca_cert: Option<PathBuf>,
    /// `--allow-plain-http`.
    pub allow_plain_http: bool,
    /// `--request-timeout`.
    pub request_timeout: Option<Duration>,
}

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// The engine of this program.
    Local,
    /// A server.
    Server(Url),
}

/// Everything that decides where a command goes and as whom.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where requests go.
    pub base: Base,
    /// Where the base came from, such as `LETTA_BASE_URL`.
    pub base_origin: Origin,
    /// The key, where there is one.
    pub key: Option<Secret>,
    /// Where the key came from.
    pub key_origin: Origin,
    /// The agent that is meant when none is given.
    pub agent: Option<Given<String>>,
    /// Headers that go with every request.
    pub headers: Vec<Header>,
    /// The profile in use.
    pub profile: Option<Given<String>>,
    /// What the configuration file holds that this version does not know.
    pub unknown_keys: Vec<String>,
    /// Proxies.
    pub proxies: Proxies,
    /// A file of further trusted certificates.
    pub ca_cert: Option<PathBuf>,
    /// A key may go over plain http to anywhere.
    pub allow_plain_http: bool,
    /// The time limit of one try.
    pub request_timeout: Option<Duration>,
}

impl Settings {
    /// Puts flags, environment, profile and defaults together. Reads the files that they name; sends nothing.
    pub fn resolve(flags: &Flags, env: &Env) -> Result<Self, Failure> {
        Self::gather(flags, env)?.check_key()
    }

    /// The same, where it is no error that the cloud would want a key.
    pub fn gather(flags: &Flags, env: &Env) -> Result<Self, Failure> {
        if flags.local {
            return local(flags);
        }
        let sources = Sources::read(flags, env)?;
        let base = sources.named_base()?.map_or_else(|| sources.default_base(), Ok)?;
        let key = sources.key(&base.value)?;
        sources.settings(base, key)
    }

    /// The settings for `login` and `logout`: the server that is named, else the cloud, and no key yet.
    pub fn for_login(flags: &Flags, env: &Env) -> Result<Self, Failure> {
        if flags.local {
            let failure = Failure::usage("the local server needs no login: its key is found on this machine");
            return Err(failure.hint("leave --local out"));
        }
        let sources = Sources::read(flags, env)?;
        let base = sources.named_base()?.map_or_else(|| sources::cloud("the default of login"), Ok)?;
        sources.settings(base, Given::new(None, NO_KEY))
    }

    /// The server's name for the list of recent runs.
    pub fn server_key(&self) -> String {
        match &self.base {
            Base::Local => "local".to_owned(),
            Base::Server(url) => url.as_str().trim_end_matches('/').to_owned(),
        }
    }

    /// The flags that make a pasted command go to the same server; empty where it goes there anyway.
    pub fn command_suffix(&self) -> String {
        let Base::Server(url) = &self.base else { return " --local".to_owned() };
        let mut suffix = match &self.profile {
            Some(Given { value, origin: Origin::Flag(_) }) => format!(" --profile {value}"),
            _ => String::new(),
        };
        if matches!(self.base_origin, Origin::Flag(_)) {
            suffix += &format!(" --base-url {}", url.as_str().trim_end_matches('/'));
        }
        suffix
    }

    /// The cloud lets nobody in without a key; other servers may need none.
    fn check_key(self) -> Result<Self, Failure> {
        let is_cloud = matches!(&self.base, Base::Server(url) if url.host_str() == Some("api.letta.com"));
        if is_cloud && self.key.is_none() {
            return Err(no_key(&format!("no API key for {CLOUD}")));
        }
        Ok(self)
    }
}

fn local(flags: &Flags) -> Result<Settings, Failure> {
    let named = [("--base-url", flags.base_url.is_some()), ("--profile", flags.profile.is_some())];
    if let Some((flag, _)) = named.iter().find(|(_, given)| *given) {
        let failure = Failure::usage(format!("--local and {flag} name two different servers"));
        return Err(failure.hint("leave one of them out"));
    }
    Ok(Settings {
        base: Base::Local,
        base_origin: Origin::Flag("--local"),
        key: None,
        key_origin: NO_KEY,
        agent: None,
        headers: headers::gather(&flags.headers, &Env::from([]), None)?,
        profile: None,
        unknown_keys: vec![],
        proxies: Proxies::default(),
        ca_cert: None,
        allow_plain_http: false,
        request_timeout: None,
    })
}

/// The failure for a key that is wanted and not there.
pub(super) fn no_key(message: &str) -> Failure {
    Failure::new(Exit::NotAllowed, "no_key", message)
        .hint("set LETTA_API_KEY or run `agentctl login`; `agentctl send --local -m hi --watch` needs no account")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve<const N: usize>(base_url: Option<&str>, env: [(&str, &str); N]) -> Result<Settings, Failure> {
        let flags = Flags { base_url: base_url.map(str::to_owned), ..Flags::default() };
        Settings::resolve(&flags, &Env::from(env))
    }

    fn url(settings: &Settings) -> String {
        settings.server_key()
    }

    #[test]
    fn the_first_address_that_applies_wins() {
        let settings = resolve(Some("http://a/"), [("LETTA_BASE_URL", "http://b")]).expect("settings");
        assert_eq!((url(&settings).as_str(), settings.base_origin), ("http://a", Origin::Flag("--base-url")));
        let settings = resolve(None, [("LETTA_BASE_URL", "http://b:1/v1"), ("LETTA_API_KEY", "k")]).expect("settings");
        assert_eq!((url(&settings).as_str(), settings.base_origin), ("http://b:1", Origin::Variable("LETTA_BASE_URL")));
        assert_eq!(url(&resolve(None, [("LETTA_API_KEY", "k")]).expect("settings")), CLOUD);
        assert_eq!(url(&resolve(None, []).expect("settings")), SELF_HOSTED);
    }

    #[test]
    fn a_key_is_missing_only_where_it_is_needed() {
        assert_eq!(resolve(None, [("LETTA_API_KEY", "")]).expect_err("no key").exit, Exit::NotAllowed);
        assert_eq!(resolve(Some(CLOUD), []).expect_err("no key").exit, Exit::NotAllowed);
        assert!(resolve(Some("http://a"), [("LETTA_API_KEY", "")]).expect("settings").key.is_none());
    }

    #[test]
    fn local_ignores_the_environment_and_contradicts_a_base_url() {
        let flags = Flags { local: true, ..Flags::default() };
        let env = Env::from([("LETTA_BASE_URL", "http://b"), ("LETTA_API_KEY", "k"), ("LETTA_AGENT_ID", "x")]);
        let settings = Settings::resolve(&flags, &env).expect("settings");
        assert!(settings.base == Base::Local && settings.key.is_none() && settings.agent.is_none());
        let both = Flags { base_url: Some("http://a".into()), ..flags };
        assert_eq!(Settings::resolve(&both, &env).expect_err("a contradiction").exit, Exit::Usage);
    }
}
