//! The API: a method per endpoint, over HTTP or into the engine of this process.

pub mod client;
pub mod error;
pub mod exchange;
pub mod transport;

pub use client::{Client, RunFilter};
pub use error::ApiError;
pub use transport::Transport;
