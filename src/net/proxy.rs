//! Proxies from the environment, as curl reads them.

use std::net::IpAddr;

use ipnet::IpNet;
use reqwest::Proxy;
use url::Url;

use crate::report::Failure;

/// The proxy settings of the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// `http_proxy`, in lower case only: a CGI program gets `HTTP_PROXY` from the `Proxy` header of its client.
    pub http: Option<String>,
    /// `https_proxy` or `HTTPS_PROXY`.
    pub https: Option<String>,
    /// `all_proxy` or `ALL_PROXY`.
    pub all: Option<String>,
    /// `no_proxy` or `NO_PROXY`.
    pub none: Option<String>,
}

/// The address of a proxy without its user name and password, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyAddress {
    /// Scheme, host and port.
    pub name: String,
    /// The environment variable that names it.
    pub variable: &'static str,
    /// Whether the variable holds a user name or password.
    pub has_password: bool,
}

impl ProxyAddress {
    /// Returns a hint for a proxy that asks for credentials (HTTP 407).
    pub fn hint(&self) -> String {
        let Self { name, variable, has_password } = self;
        if *has_password {
            return format!("check the user name and password in {variable}");
        }
        format!("give them in its URL: {variable}={}", name.replacen("://", "://USER:PASSWORD@", 1))
    }
}

impl Proxies {
    /// Reads the settings through a look-up of environment variables.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let either = |lower: &str, upper: &str| get(lower).or_else(|| get(upper)).filter(|value| !value.is_empty());
        Self {
            http: get("http_proxy").filter(|value| !value.is_empty()),
            https: either("https_proxy", "HTTPS_PROXY"),
            all: either("all_proxy", "ALL_PROXY"),
            none: either("no_proxy", "NO_PROXY"),
        }
    }

    /// Returns the proxy for a URL, if there is one. Requests to this machine never use a proxy.
    pub fn for_url(&self, url: &Url) -> Result<Option<Proxy>, Failure> {
        let Some(address) = self.setting_for(url) else { return Ok(None) };
        let from_all = self.own_for(url).is_none();
        Proxy::all(with_scheme(address)).map(Some).map_err(|_| bad_proxy(from_all, url.scheme()))
    }

    /// Returns the address of the proxy for a URL, if there is one.
    pub fn address_for(&self, url: &Url) -> Option<ProxyAddress> {
        let proxy = Url::parse(&with_scheme(self.setting_for(url)?)).ok()?;
        let port = proxy.port().map(|port| format!(":{port}")).unwrap_or_default();
        let variable = match (self.own_for(url).is_some(), url.scheme()) {
            (false, _) => "ALL_PROXY",
            (true, "https") => "HTTPS_PROXY",
            (true, _) => "http_proxy",
        };
        Some(ProxyAddress {
            name: format!("{}://{}{port}", proxy.scheme(), proxy.host_str()?),
            variable,
            has_password: !proxy.username().is_empty() || proxy.password().is_some(),
        })
    }

    /// Returns the value of the environment variable for a URL.
    fn setting_for(&self, url: &Url) -> Option<&str> {
        let is_direct = super::address::is_loopback_host(url.host_str().unwrap_or_default())
            || self.none.as_deref().is_some_and(|list| is_excepted(list, url));
        if is_direct { None } else { self.own_for(url).or(self.all.as_deref()) }
    }

    /// Returns the proxy that is set for the scheme of a URL, without regard to `ALL_PROXY`.
    fn own_for(&self, url: &Url) -> Option<&str> {
        if url.scheme() == "https" { self.https.as_deref() } else { self.http.as_deref() }
    }
}

/// Returns whether a `no_proxy` list matches a URL's host: `*`, an address, a network such as 10.0.0.0/8, or a domain,
/// which includes its subdomains, with or without a leading dot.
fn is_excepted(list: &str, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
    let entries = list.split([',', ' ']).map(|entry| entry.trim().trim_start_matches('.').to_ascii_lowercase());
    entries.filter(|entry| !entry.is_empty()).any(|entry| entry == "*" || names(&entry, &host))
}

fn names(entry: &str, host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(ip) => entry.parse() == Ok(ip) || entry.parse::<IpNet>().is_ok_and(|network| network.contains(&ip)),
        Err(_) => host.strip_suffix(entry).is_some_and(|front| front.is_empty() || front.ends_with('.')),
    }
}

/// Adds `http://` to a proxy without a scheme, as curl does.
fn with_scheme(address: &str) -> String {
    if address.contains("://") { address.to_owned() } else { format!("http://{address}") }
}

/// Returns the error for an invalid proxy URL. It names the variable, not the value, which may contain a password.
fn bad_proxy(from_all: bool, scheme: &str) -> Failure {
    let name = if from_all { "all_proxy".to_owned() } else { format!("{scheme}_proxy") };
    Failure::usage(format!("the environment variable {name} does not hold a proxy's URL"))
        .hint("write it like http://proxy.example:3128, or unset it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxied(url: &str, vars: &[(&str, &str)]) -> bool {
        let proxies = Proxies::read(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()));
        proxies.for_url(&url.parse().expect("a URL")).expect("a good proxy").is_some()
    }

    #[test]
    fn the_variables_are_read_as_curl_reads_them() {
        assert!(proxied("http://example.com", &[("http_proxy", "p:1")]));
        assert!(!proxied("http://example.com", &[("HTTP_PROXY", "p:1")]));
        assert!(proxied("https://example.com", &[("HTTPS_PROXY", "p:1")]));
        assert!(proxied("https://example.com", &[("ALL_PROXY", "socks5://p:1")]));
        assert!(!proxied("https://example.com", &[("http_proxy", "p:1"), ("https_proxy", "")]));
    }

    #[test]
    fn a_proxy_is_named_without_its_password() {
        let url = "https://example.com".parse().expect("a URL");
        for (address, name) in [
            ("user:canary@p:3128", "http://p:3128"),
            ("http://user:canary@p", "http://p"),
            ("socks5://user:canary@p:1", "socks5://p:1"),
        ] {
            let proxies = Proxies { https: Some(address.to_owned()), ..Proxies::default() };
            let proxy = proxies.address_for(&url).expect("a proxy");
            assert_eq!((proxy.name.as_str(), proxy.variable, proxy.has_password), (name, "HTTPS_PROXY", true));
            assert!(proxy.hint().contains("check the user name and password in HTTPS_PROXY"));
        }
        let proxies = Proxies { all: Some("p:3128".to_owned()), ..Proxies::default() };
        let hint = proxies.address_for(&url).expect("a proxy").hint();
        assert!(hint.ends_with("ALL_PROXY=http://USER:PASSWORD@p:3128"), "{hint}");
    }

    #[test]
    fn this_machine_is_never_reached_through_a_proxy() {
        for url in ["http://127.0.0.1:8283", "http://localhost:8283", "http://[::1]:8283"] {
            assert!(!proxied(url, &[("http_proxy", "http://p:1"), ("all_proxy", "http://p:1")]), "{url}");
        }
    }

    #[test]
    fn hosts_in_no_proxy_are_reached_directly() {
        for (list, url, through) in [
            ("*", "http://example.com", false),
            ("example.com", "http://example.com", false),
            (".example.com", "http://api.example.com", false),
            ("example.com", "http://notexample.com", true),
            ("other.org, 10.1.2.3", "http://10.1.2.3:8283", false),
            ("10.0.0.0/8", "http://10.1.2.3:8283", false),
            ("10.0.0.0/8", "http://11.1.2.3:8283", true),
            ("", "http://example.com", true),
        ] {
            assert_eq!(proxied(url, &[("http_proxy", "http://p:1"), ("no_proxy", list)]), through, "{list} {url}");
        }
    }

    #[test]
    fn a_bad_proxy_is_named_without_its_value() {
        let proxies = Proxies { https: Some("http://user:secret@:x".to_owned()), ..Proxies::default() };
        let failure = proxies.for_url(&"https://example.com".parse().expect("a URL")).expect_err("a bad proxy");
        assert!(failure.message.contains("https_proxy") && !failure.message.contains("secret"));
    }
}
