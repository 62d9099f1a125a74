//! One HTTP client for one server: no redirects, no referer, no proxy for this machine, keys over plain http only to private addresses.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use reqwest::{Client, ClientBuilder, redirect};
use tower::util::MapResponseLayer;
use url::Url;

use super::proxy::Proxies;
use super::{address, tls};
use crate::exit::Exit;
use crate::report::{self, Failure};

/// The value of `User-Agent`.
pub const USER_AGENT: &str = concat!("agentctl/", env!("CARGO_PKG_VERSION"));
/// The longest time for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Shorter than the 5 s after which the usual server closes an idle connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// The settings of a connection to a server.
#[derive(Clone, Debug, Default)]
pub struct Route {
    /// Proxy settings.
    pub proxies: Proxies,
    /// A PEM file of further trusted certificates.
    pub ca_cert: Option<PathBuf>,
    /// Whether the environment names the platform's roots: see [`tls::names_roots`].
    pub names_roots: bool,
    /// Whether a key will be sent.
    pub secure: Secure,
    /// The time limit of one request, if it is shorter than the default.
    pub time_limit: Option<Duration>,
}

/// Whether a request carries a secret, which plain http would expose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secure {
    /// Nothing secret is sent, or `--allow-plain-http` was given.
    #[default]
    NotNeeded,
    /// A key is sent: plain http only to addresses that are private.
    Needed,
}

/// An HTTP client for one server.
#[derive(Clone, Debug)]
pub struct Line {
    /// The client that connects.
    pub client: Client,
    connected: Arc<AtomicBool>,
}

impl Line {
    /// Returns whether a connection was ever opened, including TLS and the proxy. Before that, no byte of a request was
    /// written.
    pub fn was_connected(&self) -> bool {
        self.connected.load(Relaxed)
    }
}

/// Builds the client of a server. Nothing is sent.
pub async fn build(base: &Url, route: &Route) -> Result<Line, Failure> {
    // A second call fails, but the first installed the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let proxy = route.proxies.for_url(base)?;
    let mut builder = plain_builder().connect_timeout(connect_timeout(route.time_limit));
    if base.scheme() == "https" {
        builder = tls::trust(builder, route.ca_cert.as_deref(), route.names_roots)?;
    } else {
        // A bad `--ca-cert` is an error even for plain http.
        route.ca_cert.as_deref().map(tls::read_pem).transpose()?;
        // Reading the system's certificates costs milliseconds that plain http does not need.
        builder = builder.tls_certs_only([]);
        if route.secure == Secure::Needed {
            builder = pin_private(builder, base, proxy.is_some()).await?;
        }
    }
    if let Some(proxy) = proxy {
        builder = builder.proxy(proxy);
    }
    let connected = Arc::new(AtomicBool::new(false));
    let marks = Arc::clone(&connected);
    let builder = builder.connector_layer(MapResponseLayer::new(move |connection| {
        marks.store(true, Relaxed);
        connection
    }));
    Ok(Line { client: builder.build().map_err(cannot_build)?, connected })
}

/// Returns a limit below the request's own, so that a connection that was not opened is told from a request that may
/// have been read.
fn connect_timeout(time_limit: Option<Duration>) -> Duration {
    time_limit.map_or(CONNECT_TIMEOUT, |limit| CONNECT_TIMEOUT.min(limit / 4 * 3))
}

fn plain_builder() -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .retry(reqwest::retry::never())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .tcp_nodelay(true)
}

/// Allows a key over plain http if every address of the host is private, and connects to those and no others.
async fn pin_private(builder: ClientBuilder, base: &Url, proxied: bool) -> Result<ClientBuilder, Failure> {
    let host = base
        .host()
        .ok_or_else(|| Failure::usage("the base URL has no host").hint("write it like http://localhost:8283"))?;
    if proxied {
        return Err(refuse(base, "through a proxy"));
    }
    if let Some(ip) = address::literal(&host) {
        return if address::is_private(ip) { Ok(builder) } else { Err(refuse(base, "which is a public address")) };
    }
    let name = host.to_string();
    // A name that cannot be resolved is reported by the request itself, with its retries.
    let Ok(found) = tokio::net::lookup_host((name.as_str(), base.port_or_known_default().unwrap_or(80))).await else {
        return Ok(builder.dns_resolver(OnlyPrivate));
    };
    let addresses: Vec<SocketAddr> = found.collect();
    match first_public(&addresses) {
        None => Ok(builder.resolve_to_addrs(&name, &addresses)),
        Some(ip) => Err(refuse(base, &format!("which is at {ip}, a public address"))),
    }
}

/// A resolver for names that could not be resolved before the request. It rejects public addresses.
struct OnlyPrivate;

impl reqwest::dns::Resolve for OnlyPrivate {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            match first_public(&found) {
                Some(ip) => Err(format!("{} is at {ip}, a public address, and http is plain", name.as_str()).into()),
                None => Ok(Box::new(found.into_iter()) as reqwest::dns::Addrs),
            }
        })
    }
}

fn first_public(addresses: &[SocketAddr]) -> Option<IpAddr> {
    addresses.iter().map(SocketAddr::ip).find(|ip| !address::is_private(*ip))
}

fn refuse(base: &Url, why: &str) -> Failure {
    let host = base.host_str().unwrap_or_default();
    Failure::new(Exit::Unsafe, "plain_http", format!("refusing to send a key over plain http to {host}, {why}"))
        .hint("use https, or give --allow-plain-http if everybody between may read the key")
}

fn cannot_build(error: reqwest::Error) -> Failure {
    let failure = Failure::new(Exit::Local, "no_client", "cannot set up the connection to the server");
    report::chain(&error).fold(failure, Failure::cause).hint("check --ca-cert, SSL_CERT_FILE and SSL_CERT_DIR")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn built(url: &str, secure: Secure) -> Result<Line, Failure> {
        build(&url.parse().expect("a URL"), &Route { secure, ..Route::default() }).await
    }

    #[tokio::test]
    async fn a_name_that_is_resolved_late_is_checked_late() {
        use reqwest::dns::Resolve as _;
        let resolve = |name: &str| OnlyPrivate.resolve(name.parse().expect("a name"));
        assert!(resolve("localhost").await.is_ok_and(|found| found.count() > 0));
        // An IP address is resolved without a name server.
        let refused = resolve("203.0.113.7").await.map(drop).expect_err("a public address").to_string();
        assert!(refused.contains("203.0.113.7, a public address"), "{refused}");
    }

    #[tokio::test]
    async fn a_key_goes_over_plain_http_to_private_addresses_only() {
        for url in ["http://127.0.0.1:1", "http://10.0.0.1", "http://[::1]:1", "http://localhost:1"] {
            assert!(built(url, Secure::Needed).await.is_ok(), "{url}");
        }
        for url in ["http://203.0.113.7", "http://[2001:db8::1]", "http://[::ffff:203.0.113.7]"] {
            let failure = built(url, Secure::Needed).await.expect_err(url);
            assert_eq!(failure.exit, Exit::Unsafe, "{url}");
            assert!(built(url, Secure::NotNeeded).await.is_ok(), "{url}");
        }
    }
}
