//! One HTTP client for one server: no redirects, no referer, no proxy for this machine, keys over plain http only to
//! private addresses.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use reqwest::{Client, ClientBuilder, redirect};
use tower::util::MapResponseLayer;
use url::Url;

use super::proxy::Proxies;
use super::resolver::{FilteredResolver, Lookup};
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
pub struct ConnectionSettings {
    /// Proxy settings.
    pub proxies: Proxies,
    /// A PEM file of further trusted certificates.
    pub ca_cert: Option<PathBuf>,
    /// Whether the environment names the platform's roots: see [`tls::names_roots`].
    pub names_roots: bool,
    /// The addresses to which plain http is allowed.
    pub plain_http: PlainHttp,
    /// The time limit of one request, if it is shorter than the default.
    pub time_limit: Option<Duration>,
}

/// The addresses to which plain http is allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlainHttp {
    /// Any address: no key is sent, or `--allow-plain-http` was given.
    #[default]
    Anywhere,
    /// Private addresses only, since a key is sent.
    PrivateOnly,
}

/// An HTTP client for one server.
#[derive(Clone, Debug)]
pub struct HttpClient {
    /// The client of the HTTP library.
    pub inner: Client,
    connected: Arc<AtomicBool>,
}

impl HttpClient {
    /// Returns whether a connection was ever opened, including TLS and the proxy. Until then, no byte of a request was
    /// written.
    pub fn was_connected(&self) -> bool {
        self.connected.load(Relaxed)
    }
}

/// Builds the client of a server. Nothing is sent.
pub async fn build(base: &Url, settings: &ConnectionSettings) -> Result<HttpClient, Failure> {
    // A second call fails, but the first installed the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let proxy = settings.proxies.for_url(base)?;
    let mut builder = plain_builder().connect_timeout(connect_timeout(settings.time_limit));
    if base.scheme() == "https" {
        builder = tls::trust(builder, settings.ca_cert.as_deref(), settings.names_roots)?;
    } else {
        // A bad `--ca-cert` is an error even for plain http.
        settings.ca_cert.as_deref().map(tls::read_pem).transpose()?;
        // Reading the system's certificates costs milliseconds that plain http does not need.
        builder = builder.tls_certs_only([]);
        if settings.plain_http == PlainHttp::PrivateOnly {
            builder = pin_private(builder, base, proxy.is_some()).await?;
        }
    }
    if let Some(proxy) = proxy {
        builder = builder.proxy(proxy);
    }
    let connected = Arc::new(AtomicBool::new(false));
    let mark = Arc::clone(&connected);
    let builder = builder.connector_layer(MapResponseLayer::new(move |connection| {
        mark.store(true, Relaxed);
        connection
    }));
    Ok(HttpClient { inner: builder.build().map_err(cannot_build)?, connected })
}

/// Returns a limit below that of the whole request, so that the error of a connection that was not opened differs from
/// that of a request that the server may have read.
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

/// Restricts the client to the private addresses of the host. A host with a public address is an error, since a key
/// over plain http could be read on the way to it.
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
    // The request reports a name that does not resolve, and retries it. An address that is found then is checked too.
    let Ok(found) = tokio::net::lookup_host((name.as_str(), base.port_or_known_default().unwrap_or(80))).await else {
        return Ok(builder.dns_resolver(only_private()));
    };
    let addresses: Vec<SocketAddr> = found.collect();
    match first_public(&addresses) {
        None => Ok(builder.resolve_to_addrs(&name, &addresses)),
        Some(ip) => Err(refuse(base, &format!("which is at {ip}, a public address"))),
    }
}

/// Returns a resolver for a name that did not resolve before the request.
fn only_private() -> FilteredResolver<fn(IpAddr) -> bool> {
    FilteredResolver {
        lookup: Lookup::system(),
        is_allowed: address::is_private,
        is_strict: true,
        rule: "a key goes over plain http to private addresses only",
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

    async fn built(url: &str, plain_http: PlainHttp) -> Result<HttpClient, Failure> {
        build(&url.parse().expect("a URL"), &ConnectionSettings { plain_http, ..ConnectionSettings::default() }).await
    }

    #[tokio::test]
    async fn a_name_that_resolves_only_later_is_checked_then() {
        use reqwest::dns::Resolve as _;
        let resolve = |name: &str| only_private().resolve(name.parse().expect("a name"));
        assert!(resolve("localhost").await.is_ok_and(|found| found.count() > 0));
        // An IP address is resolved without a name server.
        let refused = resolve("203.0.113.7").await.map(drop).expect_err("a public address").to_string();
        let expected = "203.0.113.7 is at 203.0.113.7, and a key goes over plain http to private addresses only";
        assert_eq!(refused, expected);
    }

    #[tokio::test]
    async fn a_key_goes_over_plain_http_to_private_addresses_only() {
        for url in ["http://127.0.0.1:1", "http://10.0.0.1", "http://[::1]:1", "http://localhost:1"] {
            assert!(built(url, PlainHttp::PrivateOnly).await.is_ok(), "{url}");
        }
        for url in ["http://203.0.113.7", "http://[2001:db8::1]", "http://[::ffff:203.0.113.7]"] {
            let failure = built(url, PlainHttp::PrivateOnly).await.expect_err(url);
            assert_eq!(failure.exit, Exit::Unsafe, "{url}");
            assert!(built(url, PlainHttp::Anywhere).await.is_ok(), "{url}");
        }
    }
}
