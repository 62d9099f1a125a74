//! Host names as `--allow-host` and `--allow-callback` take them.

use std::str::FromStr;

/// A host name, valid on one port or on every port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName {
    name: String,
    port: Option<u16>,
}

/// The error for text that is not a host name.
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
    /// A name on one port.
    pub fn new(name: &str, port: u16) -> Self {
        Self { name: name.to_owned(), port: Some(port) }
    }

    /// Returns `NAME:PORT`, with the given port if the name has none.
    pub fn with_port(&self, port: u16) -> String {
        format!("{}:{}", self.name, self.port.unwrap_or(port))
    }

    /// Whether the value of a `Host` header, with or without a port, matches.
    pub fn matches(&self, host: &str) -> bool {
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

/// Whether the text after the name is `:PORT`. Port 80 may be omitted.
fn is_own_port(rest: &str, own: u16) -> bool {
    (own == 80 && rest.is_empty()) || rest == format!(":{own}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_host_names_with_an_optional_port_parse() {
        for text in ["", ":80", "a:b", "http://a", "a/b", "a b", "a@b", "*", "[::1", "a:65536"] {
            assert!(text.parse::<HostName>().is_err(), "{text}");
        }
        for text in ["a", "a.b:1", "10.0.0.1", "[fd00::1]", "[fd00::1]:8283"] {
            assert!(text.parse::<HostName>().is_ok(), "{text}");
        }
    }
}
