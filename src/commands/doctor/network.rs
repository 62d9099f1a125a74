//! The checks of `doctor` below HTTP: proxy, name, connection.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};
use url::Url;

use super::check::Check;
use super::server::took;
use crate::config::Settings;
use crate::exit::Exit;
use crate::report::Failure;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Checks the proxy settings. Also returns whether a proxy is used.
pub fn proxy(settings: &Settings, url: &Url) -> (Check, bool) {
    match settings.proxies.for_url(url) {
        Ok(None) => (Check::ok("proxy", "none is used for this server"), false),
        Ok(Some(_)) => (Check::ok("proxy", "one is used for this server, as the environment says"), true),
        Err(failure) => (Check::failed("proxy", &failure), true),
    }
}

/// Checks that the server's name resolves. Also returns its addresses.
pub async fn resolve(url: &Url) -> (Check, Vec<SocketAddr>) {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let bare = host.trim_matches(['[', ']']);
    let found = timeout(PATIENCE, lookup_host((bare, port))).await;
    let addresses: Vec<SocketAddr> = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => return (Check::failed("dns", &unknown_host(host).cause(error)), vec![]),
        Err(_) => return (Check::failed("dns", &unknown_host(host).cause("no answer within 5 s")), vec![]),
    };
    let shown: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    if bare.parse::<std::net::IpAddr>().is_ok() {
        return (Check::skipped("dns", format!("{host} is an address, not a name")), addresses);
    }
    (Check::ok("dns", format!("{host} is {}", shown.join(", "))), addresses)
}

fn unknown_host(host: &str) -> Failure {
    let failure =
        Failure::new(Exit::Unreachable, "unreachable", format!("the name {host} does not resolve to an address"));
    failure.hint("check the name in the base URL, and this machine's network")
}

/// Checks that one of the addresses accepts a connection.
pub async fn connect(addresses: &[SocketAddr]) -> Check {
    let mut last = None;
    for address in addresses {
        let started = Instant::now();
        match timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(_)) => {
                let took = took(started.elapsed());
                return Check::ok("connect", format!("{address} accepts connections ({took})"));
            }
            Ok(Err(error)) => last = Some((address, error.to_string())),
            Err(_) => last = Some((address, "no answer within 5 s".to_owned())),
        }
    }
    let (address, why) = last.map_or_else(Default::default, |(address, why)| (address.to_string(), why));
    let failure = Failure::new(Exit::Unreachable, "unreachable", format!("{address} accepts no connection")).cause(why);
    Check::failed("connect", &failure.hint("is the server running, and does a firewall let this machine through?"))
}
