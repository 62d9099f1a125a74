//! The connection settings of a command, each with its provenance.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::headers::Header;
use super::{Given, Provenance, Secret};
use crate::net::proxy::Proxies;

/// The values of the connection flags.
#[derive(Clone, Debug, Default)]
pub struct ConnectionFlags {
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

/// The destination of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// The engine in this process.
    Local,
    /// A server at this URL.
    Server(Url),
}

/// Everything that decides the server, the identity and the connection of a command.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The destination of requests.
    pub base: Base,
    /// The source of the base URL, such as `LETTA_BASE_URL`.
    pub base_provenance: Provenance,
    /// The API key, if a source gave one.
    pub key: Option<Secret>,
    /// The source of the API key.
    pub key_provenance: Provenance,
    /// The default agent.
    pub agent: Option<Given<String>>,
    /// The headers of every request.
    pub headers: Vec<Header>,
    /// The profile in use.
    pub profile: Option<Given<String>>,
    /// The keys of `config.toml` that this version does not know.
    pub unknown_keys: Vec<String>,
    /// The proxies of the environment.
    pub proxies: Proxies,
    /// A file of additional trusted certificates.
    pub ca_cert: Option<PathBuf>,
    /// Whether a key may be sent over plain HTTP to any address.
    pub allow_plain_http: bool,
    /// The time limit of one attempt.
    pub request_timeout: Option<Duration>,
}

impl Settings {
    /// Returns the name of the server in the lists of recent runs and known agents.
    pub fn server_name(&self) -> String {
        match &self.base {
            Base::Local => "local".to_owned(),
            Base::Server(url) => url.as_str().trim_end_matches('/').to_owned(),
        }
    }

    /// Returns the flags that a suggested command needs to reach the same server; empty if it needs none.
    pub fn command_suffix(&self) -> String {
        let Base::Server(url) = &self.base else { return " --local".to_owned() };
        let mut suffix = match &self.profile {
            Some(Given { value, provenance: Provenance::Flag(_) }) => format!(" --profile {value}"),
            _ => String::new(),
        };
        if matches!(self.base_provenance, Provenance::Flag(_)) {
            suffix += &format!(" --base-url {}", url.as_str().trim_end_matches('/'));
        }
        suffix
    }
}
