//! The host: a web page that made its own name lead to this machine still sends that name.

use std::str::FromStr;

use axum::http::header;
use axum::http::request::Parts;

use super::Refused;

/// A host name that a server answers to, on one port or on all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName {
    name: String,
    port: Option<u16>,
}

/// Text that is no host name.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("write a host name, with or without a port: build.example.com or build.example.com:8283")]
pub struct BadHostName;

impl FromStr for HostName {
    type Err = BadHostName;

    fn from_str(text: &str) -> Result<Self, BadHostName> {
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, Some(port.parse().map_err(|_| BadHostName)?)),
            _ => (text, None),
        };
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let is_v6 = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(is_v6);
        let is_name = !name.is_empty() && name.bytes().all(good);
        if is_v6 || is_name { Ok(Self { name: name.to_owned(), port }) } else { Err(BadHostName) }
    }
}

fn is_v6(text: &str) -> bool {
    text.parse::<std::net::Ipv6Addr>().is_ok()
}

impl HostName {
    /// The name with its port, or with another one where it has none.
    pub fn with_port(&self, port: u16) -> String {
        format!("{}:{}", self.name, self.port.unwrap_or(port))
    }

    /// Whether a host, with or without a port, is this one.
    pub fn is(&self, host: &str) -> bool {
        let Some((name, rest)) = host.split_at_checked(self.name.len()) else { return false };
        let port = match self.port {
            None => rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port),
            Some(own) => is_own_port(rest, own),
        };
        port && name.eq_ignore_ascii_case(&self.name)
    }
}

fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether `:PORT` is what follows a name. The usual one may be left out.
fn is_own_port(rest: &str, own: u16) -> bool {
    (own == 80 && rest.is_empty()) || rest == format!(":{own}")
}

/// The hosts that a server answers to.
#[derive(Clone, Debug)]
pub struct Hosts(Vec<HostName>);

impl Hosts {
    /// This machine on a port, by its usual names, and others that were allowed.
    pub fn new(port: u16, allowed: &[HostName]) -> Self {
        let own = ["127.0.0.1", "localhost", "[::1]"].map(|name| HostName { name: name.to_owned(), port: Some(port) });
        Self(own.into_iter().chain(allowed.iter().cloned()).collect())
    }

    /// Whether a host, with or without a port, is among them.
    pub fn has(&self, host: &str) -> bool {
        self.0.iter().any(|own| own.is(host))
    }

    /// Looks at the one `Host`, and at the host of a request line that is a whole URL.
    pub fn check(&self, parts: &Parts) -> Result<(), Refused> {
        let mut hosts = parts.headers.get_all(header::HOST).iter();
        let host = hosts.next().map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
        let one = hosts.next().is_none() && host.as_deref().is_some_and(|host| self.has(host));
        let target = parts.uri.authority().is_none_or(|authority| self.has(authority.as_str()));
        if one && target { Ok(()) } else { Err(Refused::host(host.as_deref())) }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn check(target: &str, hosts: &[&str]) -> bool {
        let allowed = ["build.example.com", "proxy.example.com:443"].map(|name| name.parse().expect("a name"));
        let mut request = Request::get(target);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        Hosts::new(8283, &allowed).check(&parts).is_ok()
    }

    #[test]
    fn this_machine_and_what_was_allowed_is_answered() {
        for host in [
            "127.0.0.1:8283",
            "localhost:8283",
            "LocalHost:8283",
            "[::1]:8283",
            "build.example.com",
            "build.example.com:9000",
            "BUILD.example.com:8283",
            "proxy.example.com:443",
        ] {
            assert!(check("/v1/health/", &[host]), "{host}");
        }
        assert!(check("http://localhost:8283/v1/health/", &["localhost:8283"]), "absolute form");
    }

    #[test]
    fn every_other_host_is_refused() {
        for host in [
            "",
            "localhost",
            "localhost:",
            "localhost:80",
            "localhost:08283",
            "localhost:+8283",
            "localhost.:8283",
            "localhost:8283.",
            "127.0.0.1",
            "127.1:8283",
            "2130706433:8283",
            "0.0.0.0:8283",
            "127.0.0.1.evil.com:8283",
            "evil.com",
            "evil.com:8283",
            "user@localhost:8283",
            "localhost:8283@evil.com",
            "localhost:8283,evil.com",
            "localhost:8283 evil.com",
            "[::ffff:127.0.0.1]:8283",
            "::1:8283",
            "xn--localhost:8283",
            "build.example.com.evil.com",
            "proxy.example.com",
            "proxy.example.com:8283",
        ] {
            assert!(!check("/v1/health/", &[host]), "{host}");
        }
        assert!(!check("/", &[]), "none");
        assert!(!check("/", &["localhost:8283", "localhost:8283"]), "two");
        assert!(!check("/", &["localhost:8283", "evil.com"]), "two");
        assert!(!check("http://evil.com/", &["localhost:8283"]), "absolute form");
        assert!(!check("http://localhost:8283/", &["evil.com"]), "absolute form");
    }

    #[test]
    fn on_port_80_the_port_may_be_left_out() {
        let hosts = Hosts::new(80, &[]);
        assert!(hosts.has("localhost") && hosts.has("localhost:80") && !hosts.has("localhost:8283"));
    }

    #[test]
    fn what_is_no_host_name_is_not_allowed() {
        for text in ["", ":80", "a:b", "http://a", "a/b", "a b", "a@b", "*", "[::1", "a:65536"] {
            assert!(text.parse::<HostName>().is_err(), "{text}");
        }
        for text in ["a", "a.b:1", "10.0.0.1", "[fd00::1]", "[fd00::1]:8283"] {
            assert!(text.parse::<HostName>().is_ok(), "{text}");
        }
    }
}
