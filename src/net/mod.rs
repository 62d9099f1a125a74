//! Connections to servers: address policy, proxies, certificates, and one HTTP client per command.

pub mod address;
pub mod client;
pub mod proxy;
pub mod tls;

pub use client::{Line, Route, Secure, build};
