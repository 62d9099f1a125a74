//! Connections to servers: address policy, proxies, certificates, and one HTTP client per server.

pub mod address;
pub mod client;
pub mod proxy;
pub mod resolver;
pub mod tls;

pub use client::{ConnectionSettings, HttpClient, PlainHttp, build};
