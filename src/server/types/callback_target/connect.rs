//! The HTTP client of a callback: no proxy, no redirects, and only addresses that the target allows.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};

use super::{Place, Target};
use crate::net::client::USER_AGENT;

/// The name resolver, which tests replace.
#[derive(Clone)]
pub struct Lookup(Arc<LookupFn>);

type LookupFn = dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync;

impl Lookup {
    /// Returns the system's resolver.
    pub fn system() -> Self {
        Self(Arc::new(|name| async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) }.boxed()))
    }
}

impl Target {
    /// Returns a POST to the target with a time limit.
    ///
    /// Callbacks are rare, so a client is built for each; certificates are loaded only where they are needed.
    pub fn post(&self, patience: Duration) -> reqwest::Result<RequestBuilder> {
        // An earlier call installed the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder()
            .timeout(patience)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .dns_resolver(Guard { place: self.place, lookup: self.lookup.clone() })
            .user_agent(USER_AGENT);
        let builder = if self.url.scheme() == "https" { builder } else { builder.tls_certs_only([]) };
        Ok(builder.build()?.post(self.url.clone()))
    }
}

/// Resolves names and drops addresses that the target does not allow. A literal address in a URL is never resolved:
/// `Targets::check` has checked it.
struct Guard {
    place: Place,
    lookup: Lookup,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (place, found) = (self.place, (self.lookup.0)(name.as_str().to_owned()));
        Box::pin(async move {
            let mut addresses = found.await?;
            addresses.retain(|address| place.admits(address.ip()));
            if addresses.is_empty() {
                return Err(format!("{} leads to no address that is allowed", name.as_str()).into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookup")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::net::TcpListener;

    use super::*;
    use crate::server::types::callback_target::Targets;

    /// A hostile name server: answers with a public address first, and with loopback afterwards (DNS rebinding).
    fn rebinding(asked: Arc<AtomicUsize>) -> Lookup {
        Lookup(Arc::new(move |_| {
            let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
            let address = if first { ([203, 0, 113, 7], 0) } else { ([127, 0, 0, 1], 0) };
            async move { Ok(vec![SocketAddr::from(address)]) }.boxed()
        }))
    }

    #[tokio::test]
    async fn a_rebound_name_is_not_connected_to() {
        let canary = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = canary.local_addr().expect("an address").port();
        // The first lookup happens here, so that the test connects to no public address.
        let asked = Arc::new(AtomicUsize::new(1));
        let allowed = ["hooks.example.com".parse().expect("a host")];
        let targets = Targets { lookup: rebinding(Arc::clone(&asked)), ..Targets::new(None, &allowed) };
        for url in [format!("http://hooks.example.com:{port}/"), format!("https://hooks.example.com:{port}/")] {
            let target = targets.check(&url).expect("allowed by its name");
            let lost = target
                .post(Duration::from_secs(5))
                .expect("built")
                .send()
                .await
                .expect_err("the connection is refused");
            assert!(lost.is_connect(), "{lost:?}");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 3, "each request resolves the name again");
        assert!(canary.accept().now_or_never().is_none(), "nothing connected");
    }

    #[tokio::test]
    async fn an_allowed_name_is_connected_to() {
        let receiver = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = receiver.local_addr().expect("an address").port();
        let target = Targets::of_this_machine().check(&format!("http://localhost:{port}/")).expect("allowed");
        let post = tokio::spawn(target.post(Duration::from_secs(5)).expect("built").send());
        receiver.accept().await.expect("a connection");
        post.abort();
    }
}
