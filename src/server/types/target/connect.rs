//! The way to a target: no proxy, no redirects, and only the addresses of its place.

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

/// How names become addresses.
#[derive(Clone)]
pub struct Lookup(Arc<LookupFn>);

type LookupFn = dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync;

impl Lookup {
    /// As the system says.
    pub fn system() -> Self {
        Self(Arc::new(|name| async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) }.boxed()))
    }
}

impl Target {
    /// A POST to the target, within a time limit.
    ///
    /// Callbacks are rare, so a client is built for each; certificates are loaded only where they are needed.
    pub fn post(&self, patience: Duration) -> reqwest::Result<RequestBuilder> {
        // Whoever was first chose the same provider.
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

/// Resolves names to the addresses of a place. Addresses that stand in a URL never come here: they were looked at before.
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
    use crate::server::types::target::Targets;

    /// A name server of a stranger: a public address first, this machine from then on.
    fn rebinding(asked: Arc<AtomicUsize>) -> Lookup {
        Lookup(Arc::new(move |_| {
            let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
            let address = if first { ([203, 0, 113, 7], 0) } else { ([127, 0, 0, 1], 0) };
            async move { Ok(vec![SocketAddr::from(address)]) }.boxed()
        }))
    }

    #[tokio::test]
    async fn a_name_that_comes_to_mean_this_machine_reaches_nothing() {
        let canary = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = canary.local_addr().expect("an address").port();
        // The first answer was for whoever looked at the URL: nothing may be sent to a public address by a test.
        let asked = Arc::new(AtomicUsize::new(1));
        let allowed = ["hooks.example.com".parse().expect("a host")];
        let targets = Targets { lookup: rebinding(Arc::clone(&asked)), ..Targets::new(None, &allowed) };
        for url in [format!("http://hooks.example.com:{port}/"), format!("https://hooks.example.com:{port}/")] {
            let target = targets.check(&url).expect("allowed by its name");
            let lost = target.post(Duration::from_secs(5)).expect("built").send().await.expect_err("no way");
            assert!(lost.is_connect(), "{lost:?}");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 3, "each time anew");
        assert!(canary.accept().now_or_never().is_none(), "nobody came");
    }

    #[tokio::test]
    async fn a_name_that_leads_where_it_should_is_called() {
        let receiver = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = receiver.local_addr().expect("an address").port();
        let target = Targets::of_this_machine().check(&format!("http://localhost:{port}/")).expect("allowed");
        let post = tokio::spawn(target.post(Duration::from_secs(5)).expect("built").send());
        receiver.accept().await.expect("somebody came");
        post.abort();
    }
}
