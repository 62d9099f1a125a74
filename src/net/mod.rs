//! The way to a server: which addresses a key may go to, proxies, certificates, one HTTP client per command.

pub mod address;
pub mod client;
pub mod proxy;
pub mod tls;

pub use client::{Line, Route, Secure, build};
