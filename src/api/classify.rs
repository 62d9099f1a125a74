//! What it means where no answer comes over HTTP: read off the errors of the HTTP client.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::error::Kind;
use super::response::Lost;
use super::transport::Http;
use crate::net::address;
use crate::net::proxy::Hop;
use crate::text::duration;

/// How a try was lost that was to take `limit` at most.
pub(super) fn lost(error: &reqwest::Error, http: &Http, limit: Duration) -> Lost {
    // Time may run out before the connection is given up.
    if error.is_connect() || error.is_timeout() && !http.line.was_connected() {
        return not_connected(error, http);
    }
    if error.is_timeout() {
        return Lost::new(Kind::Late, format!("no whole answer within {}", duration::format(limit)));
    }
    let kind = if sources(error).any(is_no_http) { Kind::NotHttp } else { Kind::Interrupted };
    Lost::new(kind, through(http, deepest(error)))
}

/// The proxy answered itself: it lets nobody through whom it does not know.
pub(super) fn kept_out(hop: &Hop) -> Lost {
    Lost::new(Kind::KeptOut(hop.clone()), "407 Proxy Authentication Required")
}

/// No connection came about, or none that is secure: not a byte of the request was written.
///
/// TLS that breaks later is a connection that ended: the request may have been read.
fn not_connected(error: &reqwest::Error, http: &Http) -> Lost {
    let words =
        if error.is_timeout() { "the connection did not come about in time".to_owned() } else { deepest(error) };
    let kind = match (sources(error).find_map(tls_error), &http.proxy) {
        (Some(rustls::Error::InvalidCertificate(_)), _) => Kind::Certificate,
        (Some(_), _) => Kind::Handshake,
        (None, Some(hop)) if words.contains(WANTS_TO_KNOW) => return kept_out(hop),
        (None, _) if NO_NAMES.contains(&words.as_str()) => Kind::NameInvalid,
        (None, _) if error.is_dns() && UNKNOWN_NAMES.iter().any(|known| words.contains(known)) => Kind::NameUnknown,
        (None, _) => {
            let host = http.base.host_str().unwrap_or_default();
            Kind::NotConnected { loopback: is_refused(error) && address::is_loopback_host(host) }
        }
    };
    Lost::new(kind, through(http, words))
}

/// What the HTTP client says where a proxy answers `CONNECT` with 407; the type of that error is its own.
const WANTS_TO_KNOW: &str = "proxy authorization required";

/// What it says of names that cannot be, directly and through a tunnel: of parts of 64 characters, or of none.
const NO_NAMES: [&str; 2] = ["invalid dns name", "invalid server name"];

/// How a name server says that there is no such name; it may also be away. Only the words of the C library tell, which
/// are not translated here: glibc's two, musl's, those of macOS and of Windows.
const UNKNOWN_NAMES: [&str; 5] = [
    "name or service not known",
    "no address associated with hostname",
    "name does not resolve",
    "nodename nor servname provided",
    "no such host is known",
];

/// Names the proxy between: it may be what is wrong.
fn through(http: &Http, words: String) -> String {
    match &http.proxy {
        Some(hop) => format!("{words} (through the proxy {})", hop.name),
        None => words,
    }
}

fn sources<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next: Option<&'a (dyn Error + 'static)> = Some(error);
    std::iter::from_fn(move || {
        let this = next?;
        next = this.source();
        Some(this)
    })
}

/// The words nearest to the cause. reqwest's own repeat the URL, which the message names already.
fn deepest(error: &reqwest::Error) -> String {
    let words = sources(error).last().map(ToString::to_string).unwrap_or_default();
    words.split(" (os error").next().unwrap_or_default().to_lowercase()
}

fn is_refused(error: &reqwest::Error) -> bool {
    let refused = |io: &io::Error| io.kind() == io::ErrorKind::ConnectionRefused;
    sources(error).any(|source| source.downcast_ref().is_some_and(refused))
}

/// Whether what came cannot be read as HTTP: its head, the frames of its body, or words that nobody had asked for.
/// An answer that ends too early is none of these.
fn is_no_http(error: &(dyn Error + 'static)) -> bool {
    let frames = |io: &io::Error| matches!(io.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData);
    let head = |http: &hyper::Error| http.is_parse() || http.to_string().contains("unexpected message");
    error.downcast_ref().is_some_and(head) || error.downcast_ref().is_some_and(frames) && tls_error(error).is_none()
}

/// What the two sides of a TLS connection did not agree on. It hides inside I/O errors, whose `source` passes it over.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let inside = || tls_error(error.downcast_ref::<io::Error>()?.get_ref()?);
    error.downcast_ref::<rustls::Error>().or_else(inside)
}
