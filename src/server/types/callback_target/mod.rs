//! The allow-list of callback targets: this machine, except for this server itself, and the hosts of
//! `--allow-callback`.
//!
//! The sender of a message chooses the URL, so a callback must not reach services that the sender cannot reach (SSRF).
//! The URL is checked by name when the message is sent, and by address when the connection is made.

mod connect;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use url::{Host, Url};

use crate::net::address;
use crate::net::resolver::Lookup;
use crate::server::types::host_name::HostName;

/// The allow-list of a server.
#[derive(Clone)]
pub struct CallbackAllowList {
    /// The port that this server listens on, if it does.
    own_port: Option<u16>,
    /// The allowed hosts other than this machine.
    allowed: Arc<[HostName]>,
    /// The name resolver.
    lookup: Lookup,
}

/// An allowed target.
#[derive(Debug)]
pub struct CallbackTarget {
    url: Url,
    rule: AddressRule,
    lookup: Lookup,
}

/// The addresses that a target may resolve to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AddressRule {
    /// Loopback addresses.
    Loopback,
    /// Addresses of an allowed host, never loopback.
    AllowedHost {
        /// Whether only private addresses are allowed, as for plain http: a callback carries the conversation.
        plain: bool,
    },
}

/// The reason why a target is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("callback URL must be an http or https URL")]
    NotHttp,
    #[error("callback host not allowed: it is neither this machine nor given by --allow-callback")]
    Host,
    #[error("callback host not allowed: it is this server itself")]
    Itself,
    #[error("callback host not allowed: plain http goes to private addresses only")]
    Plain,
}

impl CallbackAllowList {
    /// Returns the allow-list of a server without a port.
    pub fn of_this_machine() -> Self {
        Self::new(None, &[])
    }

    /// Returns the allow-list of a server on a port.
    pub fn new(own_port: Option<u16>, allowed: &[HostName]) -> Self {
        Self { own_port, allowed: allowed.into(), lookup: Lookup::system() }
    }

    /// Checks a URL. Unusual spellings are rejected, since another parser might read another host in them.
    pub fn check(&self, text: &str) -> Result<CallbackTarget, Denied> {
        if text.bytes().any(|b| b.is_ascii_control() || matches!(b, b' ' | b'\\')) {
            return Err(Denied::NotHttp);
        }
        let url: Url = text.parse().map_err(|_| Denied::NotHttp)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Denied::NotHttp);
        }
        let rule = self.rule(&url)?;
        Ok(CallbackTarget { url, rule, lookup: self.lookup.clone() })
    }

    fn rule(&self, url: &Url) -> Result<AddressRule, Denied> {
        let host = url.host().ok_or(Denied::NotHttp)?;
        let port = url.port_or_known_default().ok_or(Denied::NotHttp)?;
        let literal = address::literal(&host);
        let is_localhost = matches!(host, Host::Domain("localhost"));
        if is_localhost || literal.is_some_and(address::is_loopback) {
            return if self.own_port == Some(port) { Err(Denied::Itself) } else { Ok(AddressRule::Loopback) };
        }
        let authority = format!("{host}:{port}");
        if !self.allowed.iter().any(|allowed| allowed.matches(&authority)) {
            return Err(Denied::Host);
        }
        let rule = AddressRule::AllowedHost { plain: url.scheme() == "http" };
        match literal {
            Some(ip) if !rule.admits(ip) => Err(Denied::Plain),
            _ => Ok(rule),
        }
    }
}

impl AddressRule {
    /// Returns whether a connection may go to the address.
    fn admits(self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        match self {
            Self::Loopback => address::is_loopback(ip),
            Self::AllowedHost { .. } if address::is_loopback(ip) || ip.is_unspecified() || ip.is_multicast() => false,
            Self::AllowedHost { .. } if is_link_local(ip) => false,
            Self::AllowedHost { plain } => !plain || address::is_private(ip),
        }
    }

    /// Returns the rule of [`Self::admits`] in words.
    fn describe(self) -> &'static str {
        match self {
            Self::Loopback => "only loopback addresses are allowed",
            Self::AllowedHost { plain: true } => "plain http goes to private addresses only, and never to loopback",
            Self::AllowedHost { plain: false } => "loopback, link-local and multicast addresses are not allowed",
        }
    }
}

/// Returns whether an address is link-local: the metadata services of clouds listen there.
fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

impl fmt::Debug for CallbackAllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackAllowList").field("own_port", &self.own_port).field("allowed", &self.allowed).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, allowed: &[&str]) -> Result<AddressRule, Denied> {
        let allowed: Vec<HostName> = allowed.iter().map(|name| name.parse().expect("a host")).collect();
        CallbackAllowList::new(Some(8283), &allowed).check(url).map(|target| target.rule)
    }

    #[test]
    fn loopback_targets_are_allowed() {
        for url in [
            "http://127.0.0.1:9000/hook?a=%20b",
            "http://localhost:9000/",
            "HTTP://LOCALHOST:9000",
            "https://localhost/",
            "http://[::1]:9000/",
            "http://127.9.9.9:9000/",
            "http://user:secret@127.0.0.1:9000/",
            "http://2130706433:9000/",
        ] {
            assert_eq!(check(url, &[]), Ok(AddressRule::Loopback), "{url}");
        }
    }

    #[test]
    fn the_server_itself_is_rejected_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "localhost",
            "LOCALHOST",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "127.0.0.2",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "%31%32%37.0.0.1",
            "１２７.０.０.１",
            "127。0。0。1",
            "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
            "a:b@127.0.0.1",
        ] {
            let url = format!("http://{host}:8283/v1/agents/");
            assert_eq!(check(&url, &["localhost", "127.0.0.1"]), Err(Denied::Itself), "{url}");
        }
    }

    #[test]
    fn every_other_target_is_rejected() {
        for (url, why) in [
            ("http://0.0.0.0:9000/", Denied::Host),
            ("http://0:9000/", Denied::Host),
            ("http://[::]:9000/", Denied::Host),
            ("http://[64:ff9b::7f00:1]:9000/", Denied::Host),
            ("http://[::127.0.0.1]:9000/", Denied::Host),
            ("http://[2002:7f00:1::]:9000/", Denied::Host),
            ("http://169.254.169.254/latest/meta-data/", Denied::Host),
            ("http://[fe80::1]/", Denied::Host),
            ("http://[fd00:ec2::254]/", Denied::Host),
            ("http://10.0.0.1/", Denied::Host),
            ("http://192.168.0.1/", Denied::Host),
            ("http://example.com/", Denied::Host),
            ("https://example.com/", Denied::Host),
            ("http://localhost.:9000/", Denied::Host),
            ("http://localhost.example.com:9000/", Denied::Host),
            ("http://127.0.0.1.example.com:9000/", Denied::Host),
            ("http://127.0.0.1:9000@example.com/", Denied::Host),
            ("http://example.com#@127.0.0.1:9000/", Denied::Host),
            ("http://a.localhost:9000/", Denied::Host),
            ("file:///etc/passwd", Denied::NotHttp),
            ("gopher://127.0.0.1:9000/", Denied::NotHttp),
            ("ftp://127.0.0.1:9000/", Denied::NotHttp),
            ("unix:/run/it.sock", Denied::NotHttp),
            ("data:text/plain,x", Denied::NotHttp),
            ("javascript:alert(1)", Denied::NotHttp),
            ("//127.0.0.1:9000/", Denied::NotHttp),
            ("127.0.0.1:9000", Denied::NotHttp),
            ("http://", Denied::NotHttp),
            ("http://127.0.0.1:99999/", Denied::NotHttp),
            ("http://127.0.0.1:9000/\r\nX: y", Denied::NotHttp),
            ("http://127.0.0.1:9000/\tx", Denied::NotHttp),
            (" http://127.0.0.1:9000/", Denied::NotHttp),
            ("http://example.com\\@127.0.0.1:9000/", Denied::NotHttp),
            ("http://256.256.256.256/", Denied::NotHttp),
            ("http://127.0.0.1%00.example.com/", Denied::NotHttp),
            ("not a url", Denied::NotHttp),
            ("", Denied::NotHttp),
        ] {
            assert_eq!(check(url, &[]), Err(why), "{url}");
        }
    }

    #[test]
    fn an_allowed_host_is_accepted() {
        let allowed = ["hooks.example.com", "app:3000", "10.1.2.3", "203.0.113.7", "[fd00::1]:80"];
        let allowed_host = |plain| Ok(AddressRule::AllowedHost { plain });
        for (url, expected) in [
            ("https://hooks.example.com/x", allowed_host(false)),
            ("https://HOOKS.example.com:9443/x", allowed_host(false)),
            ("http://hooks.example.com/x", allowed_host(true)),
            ("http://app:3000/", allowed_host(true)),
            ("http://app/", Err(Denied::Host)),
            ("http://app:3001/", Err(Denied::Host)),
            ("http://10.1.2.3/", allowed_host(true)),
            ("http://10.1.2.4/", Err(Denied::Host)),
            ("http://203.0.113.7/", Err(Denied::Plain)),
            ("https://203.0.113.7/", allowed_host(false)),
            ("http://[fd00::1]/", allowed_host(true)),
            ("https://hooks.example.com.evil.com/", Err(Denied::Host)),
            ("https://evil.com/?hooks.example.com", Err(Denied::Host)),
            ("https://hooks.example.com@evil.com/", Err(Denied::Host)),
            ("https://xhooks.example.com/", Err(Denied::Host)),
        ] {
            assert_eq!(check(url, &allowed), expected, "{url}");
        }
    }

    #[test]
    fn an_allowed_name_may_not_resolve_to_loopback() {
        let admits = |rule: AddressRule, ip: &str| rule.admits(ip.parse().expect("an address"));
        let safe = AddressRule::AllowedHost { plain: false };
        let plain = AddressRule::AllowedHost { plain: true };
        for ip in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::", "169.254.169.254", "fe80::1", "224.0.0.1"] {
            assert!(!admits(safe, ip) && !admits(plain, ip), "{ip}");
        }
        assert!(admits(safe, "203.0.113.7") && !admits(plain, "203.0.113.7"));
        assert!(admits(safe, "10.0.0.1") && admits(plain, "10.0.0.1"));
        assert!(admits(AddressRule::Loopback, "127.0.0.1") && !admits(AddressRule::Loopback, "10.0.0.1"));
    }
}
