//! A name resolver that returns allowed addresses only.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::{fmt, io};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

type LookupFn = dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync;

/// A source of the addresses of a name: the system's resolver, or a test's.
#[derive(Clone)]
pub struct Lookup(Arc<LookupFn>);

impl Lookup {
    /// Returns a source that calls a function.
    pub fn new(
        find: impl Fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(find))
    }

    /// Returns the system's resolver.
    pub fn system() -> Self {
        Self::new(|name| async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) }.boxed())
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookup")
    }
}

/// A resolver for an HTTP client that connects to allowed addresses only.
///
/// The client connects to the addresses that this returns, so a name cannot change between the check and the connection
/// (DNS rebinding). The client does not resolve a literal address in a URL: the caller checks that one.
pub struct FilteredResolver<F> {
    /// The source of addresses.
    pub lookup: Lookup,
    /// Returns whether the client may connect to an address.
    pub is_allowed: F,
    /// Whether one address that is not allowed fails the name. Otherwise such addresses are dropped.
    pub is_strict: bool,
    /// The rule in words, for errors.
    pub rule: &'static str,
}

impl<F: Fn(IpAddr) -> bool + Copy + Send + Sync + 'static> Resolve for FilteredResolver<F> {
    fn resolve(&self, name: Name) -> Resolving {
        let found = (self.lookup.0)(name.as_str().to_owned());
        let is_allowed = self.is_allowed;
        let is_strict = self.is_strict;
        let rule = self.rule;
        Box::pin(async move {
            let mut addresses = found.await?;
            let rejected = addresses.iter().map(SocketAddr::ip).find(|ip| !is_allowed(*ip));
            if let Some(ip) = rejected.filter(|_| is_strict) {
                return Err(format!("{} is at {ip}, and {rule}", name.as_str()).into());
            }
            addresses.retain(|address| is_allowed(address.ip()));
            if addresses.is_empty() {
                return Err(format!("no address of {} is allowed: {rule}", name.as_str()).into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::address::is_private;

    async fn resolved(addresses: &[&str], is_strict: bool) -> Result<Vec<String>, String> {
        let found: Vec<SocketAddr> =
            addresses.iter().map(|ip| SocketAddr::new(ip.parse().expect("an address"), 0)).collect();
        let lookup = Lookup::new(move |_| std::future::ready(Ok(found.clone())).boxed());
        let resolver = FilteredResolver { lookup, is_allowed: is_private, is_strict, rule: "only private addresses" };
        let kept = resolver.resolve("a.example".parse().expect("a name")).await;
        kept.map(|kept| kept.map(|address| address.ip().to_string()).collect()).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn only_allowed_addresses_are_returned() {
        let kept = resolved(&["203.0.113.7", "10.0.0.1", "2001:db8::1", "::1"], false).await;
        assert_eq!(kept, Ok(vec!["10.0.0.1".to_owned(), "::1".to_owned()]));
    }

    #[tokio::test]
    async fn a_name_without_an_allowed_address_is_an_error() {
        for addresses in [&["203.0.113.7", "2001:db8::1"][..], &[]] {
            let expected = "no address of a.example is allowed: only private addresses".to_owned();
            assert_eq!(resolved(addresses, false).await, Err(expected));
        }
    }

    #[tokio::test]
    async fn a_strict_resolver_fails_a_name_with_an_address_that_is_not_allowed() {
        let expected = "a.example is at 203.0.113.7, and only private addresses".to_owned();
        assert_eq!(resolved(&["10.0.0.1", "203.0.113.7"], true).await, Err(expected));
        assert_eq!(resolved(&["10.0.0.1"], true).await, Ok(vec!["10.0.0.1".to_owned()]));
    }
}
