//! The API: a method per endpoint, over HTTP or into the engine of this process.

mod classify;
pub mod client;
pub mod error;
pub mod exchange;
pub mod listing;
mod lost_message;
pub mod raw;
mod recent;
mod redact;
mod response;
pub mod retrying;
pub mod send;
pub mod transport;

pub use client::{Client, RunFilter};
pub use error::ApiError;
pub use listing::Listing;
pub use raw::Raw;
pub use send::{Letter, SendError};
pub use transport::Transport;
