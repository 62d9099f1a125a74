//! The settings of a command, each with the place that it came from. Flags win over the environment.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::{Env, Secret, served};
use crate::exit::Exit;
use crate::net::proxy::Proxies;
use crate::report::Failure;
use crate::text::show;

/// The cloud's address.
const CLOUD: &str = "https://api.letta.com";
/// Where a self-hosted server listens unless told otherwise.
const SELF_HOSTED: &str = "http://localhost:8283";
/// The most bytes that a key file is read for.
const KEY_FILE_CAP: u64 = 64 << 10;

/// What the connection flags said.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--base-url`.
    pub base_url: Option<String>,
    /// `--local`.
    pub local: bool,
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
    pub base_origin: &'static str,
    /// The key, where there is one.
    pub key: Option<Secret>,
    /// Where the key came from.
    pub key_origin: &'static str,
    /// The agent that is meant when none is given, from `LETTA_AGENT_ID`.
    pub agent: Option<String>,
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
    /// Puts flags, environment and defaults together. Reads a key file if one is given; sends nothing.
    pub fn resolve(flags: &Flags, env: &Env) -> Result<Self, Failure> {
        if flags.local {
            return local(flags);
        }
        let (base, base_origin) = base(flags, env)?;
        let (key, key_origin) = key(flags, env, &base)?;
        let settings = Self {
            base: Base::Server(base),
            base_origin,
            key,
            key_origin,
            agent: env.given("LETTA_AGENT_ID"),
            proxies: Proxies::read(|name| env.get(name)),
            ca_cert: flags.ca_cert.clone(),
            allow_plain_http: flags.allow_plain_http,
            request_timeout: flags.request_timeout,
        };
        settings.check_key()
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
        match (&self.base, self.base_origin) {
            (Base::Local, _) => " --local".to_owned(),
            (Base::Server(url), "--base-url") => format!(" --base-url {}", url.as_str().trim_end_matches('/')),
            _ => String::new(),
        }
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
    if flags.base_url.is_some() {
        let failure = Failure::usage("--local and --base-url name two different servers");
        return Err(failure.hint("leave one of them out"));
    }
    Ok(Settings {
        base: Base::Local,
        base_origin: "--local",
        key: None,
        key_origin: "none",
        agent: None,
        proxies: Proxies::default(),
        ca_cert: None,
        allow_plain_http: false,
        request_timeout: None,
    })
}

fn base(flags: &Flags, env: &Env) -> Result<(Url, &'static str), Failure> {
    let from_env = env.given("LETTA_BASE_URL");
    if let Some(url) = &flags.base_url {
        return Ok((base_url(url, "--base-url")?, "--base-url"));
    }
    if let Some(url) = &from_env {
        return Ok((base_url(url, "LETTA_BASE_URL")?, "LETTA_BASE_URL"));
    }
    if env.get("LETTA_API_KEY").is_some_and(|key| key.trim().is_empty()) && flags.api_key_file.is_none() {
        return Err(no_key("LETTA_API_KEY is set but empty"));
    }
    let has_key = flags.api_key_file.is_some() || env.given("LETTA_API_KEY").is_some();
    let (url, origin) = if has_key { (CLOUD, "the default with a key") } else { (SELF_HOSTED, "the default") };
    Ok((base_url(url, origin)?, origin))
}

fn no_key(message: &str) -> Failure {
    Failure::new(Exit::NotAllowed, "no_key", message)
        .hint("set LETTA_API_KEY, or try it without an account: `agentctl send --local -m hi --watch`")
}

/// Reads a base URL: http or https, a host, perhaps a path. A trailing `/` or `/v1` is dropped.
pub fn base_url(text: &str, origin: &str) -> Result<Url, Failure> {
    let shown = show::clip(text, 60);
    let bad = |why: &str| {
        let failure = Failure::usage(format!("the base URL `{shown}` (from {origin}) {why}"));
        failure.hint("write it like https://letta.example.com or http://localhost:8283")
    };
    let Some((scheme, _)) = text.split_once("://") else { return Err(bad("has no http:// or https://")) };
    if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
        return Err(bad("is neither http nor https"));
    }
    let mut url = Url::parse(text.trim()).map_err(|_| bad("is not a URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        // The password must not be repeated.
        let failure = Failure::usage(format!("the base URL (from {origin}) holds a user name or password"));
        return Err(failure.hint("give the key in LETTA_API_KEY or --api-key-file"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("has a query or a fragment"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(path.strip_suffix("/v1").unwrap_or(&path));
    Ok(url)
}

fn key(flags: &Flags, env: &Env, base: &Url) -> Result<(Option<Secret>, &'static str), Failure> {
    if let Some(file) = &flags.api_key_file {
        let key = read_key(file)?;
        return Ok((Some(key), "--api-key-file"));
    }
    if let Some(key) = env.given("LETTA_API_KEY").filter(|key| !key.trim().is_empty()) {
        return Ok((Some(Secret::new(key, "LETTA_API_KEY")?), "LETTA_API_KEY"));
    }
    let served = served::key(env, base);
    let origin = if served.is_some() { "the server that runs here" } else { "none" };
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
        assert_eq!((url(&settings).as_str(), settings.base_origin), ("http://a", "--base-url"));
        let settings = resolve(None, [("LETTA_BASE_URL", "http://b:1/v1"), ("LETTA_API_KEY", "k")]).expect("settings");
        assert_eq!((url(&settings).as_str(), settings.base_origin), ("http://b:1", "LETTA_BASE_URL"));
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

    #[test]
    fn a_base_url_is_http_without_secrets() {
        for (text, expected) in [
            ("http://h", "http://h/"),
            ("https://h/", "https://h/"),
            ("http://h:8283/v1/", "http://h:8283/"),
            ("https://h/letta/v1", "https://h/letta"),
            ("HTTP://h", "http://h/"),
        ] {
            assert_eq!(base_url(text, "--base-url").expect(text).as_str(), expected);
        }
        for text in
            ["localhost:8283", "h", "", "ftp://h", "file:///etc/passwd", "http://", "http://h?x=1", "http://h#x"]
        {
            assert_eq!(base_url(text, "--base-url").expect_err(text).exit, Exit::Usage);
        }
        let failure = base_url("http://user:canary@h", "LETTA_BASE_URL").expect_err("a password");
        assert!(!failure.message.contains("canary"));
    }
}
