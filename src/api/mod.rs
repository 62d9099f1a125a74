//! The API client: a method per endpoint, over HTTP or to the engine in this process.

mod agent_activity;
mod classify;
mod client;
pub mod client_event;
mod decode;
pub mod endpoints;
pub mod error;
pub mod exchange;
mod lost_message;
pub mod raw;
mod redact;
mod response;
mod retrying;
mod run_pages;
pub mod send;
pub mod submission;
pub mod transport;

pub use client::Client;
pub use endpoints::RunFilter;
pub use error::ApiError;
pub use raw::Raw;
pub use run_pages::RunPages;
pub use send::SendError;
pub use submission::Submission;
pub use transport::Transport;
