//! A name resolver that drops the addresses that a policy does not allow.

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
    /// The rule in words, for the error if no address is left.
    pub rule: &'static str,
}

impl<F: Fn(IpAddr) -> bool + Copy + Send + Sync + 'static> Resolve for FilteredResolver<F> {
    fn resolve(&self, name: Name) -> Resolving {
        let found = (self.lookup.0)(name.as_str().to_owned());
        let is_allowed = self.is_allowed;
        let rule = self.rule;
        Box::pin(async move {
            let mut addresses = found.await?;
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

    async fn resolved(addresses: &[&str]) -> Result<Vec<String>, String> {
        let found: Vec<SocketAddr> =
            addresses.iter().map(|ip| SocketAddr::new(ip.parse().expect("an address"), 0)).collect();
        let lookup = Lookup::new(move |_| std::future::ready(Ok(found.clone())).boxed());
        let resolver = FilteredResolver { lookup, is_allowed: is_private, rule: "only private addresses" };
        let kept = resolver.resolve("a.example".parse().expect("a name")).await;
        kept.map(|kept| kept.map(|address| address.ip().to_string()).collect()).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn only_allowed_addresses_are_returned() {
        let kept = resolved(&["203.0.113.7", "10.0.0.1", "2001:db8::1", "::1"]).await;
        assert_eq!(kept, Ok(vec!["10.0.0.1".to_owned(), "::1".to_owned()]));
    }

    #[tokio::test]
    async fn a_name_without_an_allowed_address_is_an_error() {
        for addresses in [&["203.0.113.7", "2001:db8::1"][..], &[]] {
            let expected = "no address of a.example is allowed: only private addresses".to_owned();
            assert_eq!(resolved(addresses).await, Err(expected));
        }
    }
}
