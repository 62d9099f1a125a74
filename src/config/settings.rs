//! The settings of a command, each with the place that it came from: flag, else environment, else profile, else default.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::base::base_url;
use super::file::ConfigFile;
use super::key::Key;
use super::origin::{Given, Origin};
use super::profile::Profile;
use super::{Env, Secret, served};
use crate::exit::Exit;
use crate::net::proxy::Proxies;
use crate::report::Failure;

/// The cloud's address.
const CLOUD: &str = "https://api.letta.com";
/// Where a self-hosted server listens unless told otherwise.
const SELF_HOSTED: &str = "http://localhost:8283";
/// Where no key comes from.
const NO_KEY: Origin = Origin::Default("none");
/// The most bytes that a key file is read for.
const KEY_FILE_CAP: u64 = 64 << 10;

/// What the connection flags said.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--base-url`.
    pub base_url: Option<String>,
    /// `--local`.
    pub local: bool,
    /// `--profile`.
    pub profile: Option<String>,
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
        let file = ConfigFile::load(env)?;
        let profile = file.active(flags.profile.as_deref(), env)?;
        let (base, base_origin) = base(flags, env, profile.as_ref())?;
        let (key, key_origin) = key(flags, env, &base)?;
        Ok(Self {
            base: Base::Server(base),
            base_origin,
            key,
            key_origin,
            agent: from_env(env, "LETTA_AGENT_ID").or_else(|| profile.as_ref()?.get(Key::Agent)),
            unknown_keys: file.unknown_keys(),
            proxies: Proxies::read(|name| env.get(name)),
            ca_cert: flags.ca_cert.clone(),
            allow_plain_http: flags.allow_plain_http,
            request_timeout: flags.request_timeout,
            profile: profile.map(|profile| profile.name),
        })
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
        profile: None,
        unknown_keys: vec![],
        proxies: Proxies::default(),
        ca_cert: None,
        allow_plain_http: false,
        request_timeout: None,
    })
}

fn from_env(env: &Env, name: &'static str) -> Option<Given<String>> {
    env.given(name).map(|value| Given::new(value, Origin::Variable(name)))
}

fn base(flags: &Flags, env: &Env, profile: Option<&Profile>) -> Result<(Url, Origin), Failure> {
    let flag = flags.base_url.clone().map(|url| Given::new(url, Origin::Flag("--base-url")));
    let named = flag.or_else(|| from_env(env, "LETTA_BASE_URL")).or_else(|| profile?.get(Key::BaseUrl));
    if let Some(named) = named {
        return Ok((base_url(&named.value, &named.origin.to_string())?, named.origin));
    }
    if env.get("LETTA_API_KEY").is_some_and(|key| key.trim().is_empty()) && flags.api_key_file.is_none() {
        return Err(no_key("LETTA_API_KEY is set but empty"));
    }
    let has_key = flags.api_key_file.is_some() || env.given("LETTA_API_KEY").is_some();
    let (url, origin) = if has_key { (CLOUD, "the default with a key") } else { (SELF_HOSTED, "the default") };
    Ok((base_url(url, origin)?, Origin::Default(origin)))
}

fn no_key(message: &str) -> Failure {
    Failure::new(Exit::NotAllowed, "no_key", message)
        .hint("set LETTA_API_KEY, or try it without an account: `agentctl send --local -m hi --watch`")
}

fn key(flags: &Flags, env: &Env, base: &Url) -> Result<(Option<Secret>, Origin), Failure> {
    if let Some(file) = &flags.api_key_file {
        let key = read_key(file)?;
        return Ok((Some(key), Origin::Flag("--api-key-file")));
    }
    if let Some(key) = env.given("LETTA_API_KEY").filter(|key| !key.trim().is_empty()) {
        return Ok((Some(Secret::new(key, "LETTA_API_KEY")?), Origin::Variable("LETTA_API_KEY")));
    }
    let served = served::key(env, base);
    let origin = if served.is_some() { Origin::Default("the server that runs here") } else { NO_KEY };
    Ok((served, origin))
}

/// The first line of a file, of a pipe, or of standard input (`-`).
fn read_key(file: &Path) -> Result<Secret, Failure> {
    let text = read_start(file).map_err(|error| {
        Failure::new(Exit::Local, "key_file", format!("cannot read the key file {}", file.display())).cause(error)
    })?;
    let secret = Secret::new(text.lines().next().unwrap_or_default().to_owned(), "--api-key-file")?;
    if secret.is_empty() {
        return Err(no_key(&format!("the key file {} is empty", file.display())));
    }
    Ok(secret)
}

fn read_start(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().take(KEY_FILE_CAP).read_to_string(&mut text)?;
    } else {
        std::fs::File::open(file)?.take(KEY_FILE_CAP).read_to_string(&mut text)?;
    }
    Ok(text)
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
