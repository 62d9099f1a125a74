//! The API: a method per endpoint, over HTTP or into the engine of this process.

pub mod ask;
mod broken;
pub mod client;
mod echo;
pub mod error;
pub mod exchange;
mod judge;
pub mod listing;
pub mod raw;
mod recent;
mod search;
pub mod send;
pub mod transport;

pub use client::{Client, RunFilter};
pub use error::ApiError;
pub use listing::Listing;
pub use raw::Raw;
pub use send::{Letter, SendError};
pub use transport::Transport;
