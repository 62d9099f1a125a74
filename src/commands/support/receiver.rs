//! The flags of a callback receiver, and opening its port.

use std::net::SocketAddr;

use url::Url;

use super::bind::cannot_bind;
use super::ctx::Ctx;
use crate::listen::{Bound, Receiver};
use crate::net::address::is_loopback;
use crate::report::Failure;
use crate::text::page::Page;

/// The address of a callback receiver.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ReceiverArgs {
    /// Receive callbacks at this address and port; port 0 is a free one [default: 127.0.0.1:0]
    #[arg(long, value_name = "ADDRESS", value_parser = address, help_heading = "Callbacks")]
    pub bind: Option<SocketAddr>,
    /// The URL under which the server reaches that port, if it differs, as with a tunnel
    #[arg(long, value_name = "URL", value_parser = public_url, help_heading = "Callbacks")]
    pub public_url: Option<Url>,
}

impl ReceiverArgs {
    /// Whether a flag was given.
    pub fn is_given(&self) -> bool {
        self.bind.is_some() || self.public_url.is_some()
    }

    /// Opens the port. Warns if other machines can reach it.
    pub fn bind(&self, ctx: &Ctx) -> Result<Bound, Failure> {
        let address = self.bind.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
        let bound = Bound::new(address, self.public_url.as_ref()).map_err(|error| cannot_bind(address, &error))?;
        if !is_loopback(address.ip()) {
            let page = Page::new().say("warning: other machines can reach ").show(&address.to_string());
            ctx.io.say(&page.say("; only the random part of the URL keeps them out").end());
        }
        Ok(bound)
    }
}

/// Starts to receive callbacks.
pub fn start(bound: Bound) -> Result<Receiver, Failure> {
    bound.start().map_err(|error| {
        Failure::new(crate::exit::Exit::Local, "port", "cannot receive callbacks")
            .cause(error)
            .hint("use another address with --bind")
    })
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write it as address and port, like 127.0.0.1:0".to_owned())
}

fn public_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let plain = url.query().is_none() && url.fragment().is_none();
    if matches!(url.scheme(), "http" | "https") && plain {
        Ok(url)
    } else {
        Err("it must be http or https, without a query".to_owned())
    }
}
