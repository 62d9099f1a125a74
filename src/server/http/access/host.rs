//! The host: a web page that made its own name lead to this machine still sends that name.

use axum::http::header;
use axum::http::request::Parts;

use super::Refused;
use crate::server::types::host_name::HostName;

/// The hosts that a server answers to.
#[derive(Clone, Debug)]
pub struct Hosts(Vec<HostName>);

impl Hosts {
    /// This machine on a port, by its usual names, and others that were allowed.
    pub fn new(port: u16, allowed: &[HostName]) -> Self {
        let own = ["127.0.0.1", "localhost", "[::1]"].map(|name| HostName::new(name, port));
        Self(own.into_iter().chain(allowed.iter().cloned()).collect())
    }

    /// Whether a host, with or without a port, is among them.
    pub fn has(&self, host: &str) -> bool {
        self.0.iter().any(|own| own.matches(host))
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
}
