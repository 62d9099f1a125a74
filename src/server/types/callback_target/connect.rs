//! The HTTP client of a callback: no proxy, no redirects, and only addresses that the target allows.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};

use super::CallbackTarget;
use crate::net::client::USER_AGENT;
use crate::net::resolver::FilteredResolver;

impl CallbackTarget {
    /// Returns a POST to the target with a time limit.
    ///
    /// Callbacks are rare, so a client is built for each; certificates are loaded only where they are needed.
    pub fn post(&self, limit: Duration) -> reqwest::Result<RequestBuilder> {
        // An earlier call installed the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder()
            .timeout(limit)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .dns_resolver(self.resolver())
            .user_agent(USER_AGENT);
        let builder = if self.url.scheme() == "https" { builder } else { builder.tls_certs_only([]) };
        Ok(builder.build()?.post(self.url.clone()))
    }

    /// Returns a resolver for the addresses that the target allows. `CallbackAllowList::check` has checked a literal address.
    fn resolver(&self) -> FilteredResolver<impl Fn(IpAddr) -> bool + Copy + Send + Sync + 'static> {
        let rule = self.rule;
        FilteredResolver {
            lookup: self.lookup.clone(),
            is_allowed: move |ip| rule.admits(ip),
            is_strict: false,
            rule: rule.describe(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt as _;
    use tokio::net::TcpListener;

    use super::*;
    use crate::net::resolver::Lookup;
    use crate::server::types::callback_target::CallbackAllowList;

    /// A hostile name server: answers with a public address first, and with loopback afterwards (DNS rebinding).
    fn rebinding(asked: Arc<AtomicUsize>) -> Lookup {
        Lookup::new(move |_| {
            let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
            let address = if first { ([203, 0, 113, 7], 0) } else { ([127, 0, 0, 1], 0) };
            async move { Ok(vec![SocketAddr::from(address)]) }.boxed()
        })
    }

    #[tokio::test]
    async fn a_rebound_name_is_not_connected_to() {
        let canary = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = canary.local_addr().expect("an address").port();
        // The first lookup happens here, so that the test connects to no public address.
        let asked = Arc::new(AtomicUsize::new(1));
        let allowed = ["hooks.example.com".parse().expect("a host")];
        let targets =
            CallbackAllowList { lookup: rebinding(Arc::clone(&asked)), ..CallbackAllowList::new(None, &allowed) };
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
        let target = CallbackAllowList::of_this_machine().check(&format!("http://localhost:{port}/")).expect("allowed");
        let post = tokio::spawn(target.post(Duration::from_secs(5)).expect("built").send());
        receiver.accept().await.expect("a connection");
        post.abort();
    }
}
