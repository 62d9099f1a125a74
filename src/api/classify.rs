//! Classifies transport errors by how far the request got.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::error::ErrorKind;
use super::response::FailedTry;
use crate::net::proxy::ProxyAddress;
use crate::report::chain;
use crate::text::duration;

/// The state of the connection on which a try failed.
pub(super) struct Connection<'a> {
    /// Whether a connection to the server was established before, including TLS and the proxy.
    pub(super) was_connected: bool,
    /// Whether the server is on this machine.
    pub(super) is_loopback: bool,
    /// The proxy in front of the server.
    pub(super) proxy: Option<&'a ProxyAddress>,
}

/// Classifies the error of a try that was limited to `limit`.
pub(super) fn failed_try(error: &reqwest::Error, connection: &Connection<'_>, limit: Duration) -> FailedTry {
    // The time limit of the request may be shorter than the connect timeout.
    if error.is_connect() || error.is_timeout() && !connection.was_connected {
        return not_connected(error, connection);
    }
    if error.is_timeout() {
        return FailedTry::new(ErrorKind::TimedOut, format!("no whole answer within {}", duration::format(limit)));
    }
    let kind = if chain(error).any(is_not_http) { ErrorKind::NotHttp } else { ErrorKind::Interrupted };
    FailedTry::new(kind, with_proxy(connection, root_cause(error)))
}

/// Returns the failure of a try that the proxy rejected with 407.
pub(super) fn proxy_auth(proxy: &ProxyAddress) -> FailedTry {
    FailedTry::new(ErrorKind::ProxyAuth(proxy.clone()), "407 Proxy Authentication Required")
}

/// Classifies an error before the connection was established: no byte of the request was written.
///
/// A TLS error on an established connection counts as an interruption: the server may have read the request.
fn not_connected(error: &reqwest::Error, connection: &Connection<'_>) -> FailedTry {
    let cause =
        if error.is_timeout() { "the connection was not established in time".to_owned() } else { root_cause(error) };
    let kind = match (chain(error).find_map(tls_error), connection.proxy) {
        (Some(rustls::Error::InvalidCertificate(_)), _) => ErrorKind::Certificate,
        (Some(_), _) => ErrorKind::Handshake,
        (None, Some(proxy)) if cause.contains(PROXY_AUTH) => return proxy_auth(proxy),
        (None, _) if INVALID_NAMES.contains(&cause.as_str()) => ErrorKind::NameInvalid,
        (None, _) if error.is_dns() && UNKNOWN_NAMES.iter().any(|known| cause.contains(known)) => {
            ErrorKind::NameUnknown
        }
        (None, _) => ErrorKind::NotConnected { loopback: is_refused(error) && connection.is_loopback },
    };
    FailedTry::new(kind, with_proxy(connection, cause))
}

/// The error text of the HTTP client when a proxy answers `CONNECT` with 407. The type of that error is private.
const PROXY_AUTH: &str = "proxy authorization required";

/// The error texts for a name with a label that is empty or too long, in lower case: without a proxy tunnel, and
/// through one.
const INVALID_NAMES: [&str; 2] = ["invalid dns name", "invalid server name"];

/// The error texts for a name that does not exist, in lower case: glibc's two, musl's, macOS's and Windows's. Only the
/// text distinguishes this from a name server that does not answer. This program sets no locale, so the text is
/// English.
const UNKNOWN_NAMES: [&str; 5] = [
    "name or service not known",
    "no address associated with hostname",
    "name does not resolve",
    "nodename nor servname provided",
    "no such host is known",
];

/// Adds the name of the proxy, which may have caused the error.
fn with_proxy(connection: &Connection<'_>, cause: String) -> String {
    match connection.proxy {
        Some(proxy) => format!("{cause} (through the proxy {})", proxy.name),
        None => cause,
    }
}

/// Returns the text of the innermost error. The outer texts repeat the URL, which the message already contains.
fn root_cause(error: &reqwest::Error) -> String {
    let text = chain(error).last().map(ToString::to_string).unwrap_or_default();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

fn is_refused(error: &reqwest::Error) -> bool {
    let refused = |io: &io::Error| io.kind() == io::ErrorKind::ConnectionRefused;
    chain(error).any(|source| source.downcast_ref().is_some_and(refused))
}

/// Returns whether the error is about bytes that are not HTTP: in the head, in the framing of the body, or before any
/// request. An answer that ends too early is HTTP.
fn is_not_http(error: &(dyn Error + 'static)) -> bool {
    let frames = |io: &io::Error| matches!(io.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData);
    let head = |http: &hyper::Error| http.is_parse() || http.to_string().contains("unexpected message");
    error.downcast_ref().is_some_and(head) || error.downcast_ref().is_some_and(frames) && tls_error(error).is_none()
}

/// Returns the TLS error in an error. An I/O error may contain one that its `source` skips.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let inside = || tls_error(error.downcast_ref::<io::Error>()?.get_ref()?);
    error.downcast_ref::<rustls::Error>().or_else(inside)
}
