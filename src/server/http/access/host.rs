//! Checks the `Host` header. After DNS rebinding a web page reaches this machine, but still sends its own host name.

use axum::http::header;
use axum::http::request::Parts;

use super::Rejection;
use crate::server::types::host_name::HostName;

/// The allow-list of hosts.
#[derive(Clone, Debug)]
pub struct Hosts(Vec<HostName>);

impl Hosts {
    /// The loopback names on a port, and the allowed hosts.
    pub fn new(port: u16, allowed: &[HostName]) -> Self {
        let own = ["127.0.0.1", "localhost", "[::1]"].map(|name| HostName::new(name, port));
        Self(own.into_iter().chain(allowed.iter().cloned()).collect())
    }

    /// Whether a host, with or without a port, is on the list.
    pub fn contains(&self, host: &str) -> bool {
        self.0.iter().any(|own| own.matches(host))
    }

    /// Requires exactly one `Host` header, and that it and the host of an absolute-form request line are on the list.
    pub fn check(&self, parts: &Parts) -> Result<(), Rejection> {
        let mut hosts = parts.headers.get_all(header::HOST).iter();
        let host = hosts.next().map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
        let one = hosts.next().is_none() && host.as_deref().is_some_and(|host| self.contains(host));
        let target = parts.uri.authority().is_none_or(|authority| self.contains(authority.as_str()));
        if one && target { Ok(()) } else { Err(Rejection::host(host.as_deref())) }
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
    fn loopback_names_and_allowed_hosts_are_accepted() {
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
    fn every_other_host_is_rejected() {
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
        assert!(!check("/", &[]), "no Host");
        assert!(!check("/", &["localhost:8283", "localhost:8283"]), "two");
        assert!(!check("/", &["localhost:8283", "evil.com"]), "two");
        assert!(!check("http://evil.com/", &["localhost:8283"]), "absolute form");
        assert!(!check("http://localhost:8283/", &["evil.com"]), "absolute form");
    }

    #[test]
    fn port_80_may_be_omitted() {
        let hosts = Hosts::new(80, &[]);
        assert!(hosts.contains("localhost") && hosts.contains("localhost:80") && !hosts.contains("localhost:8283"));
    }
}
