//! agentctl: send messages to agents that work in the background, and follow their runs.
//!
//! The rooms and the arrows between them are described in ARCHITECTURE.md.

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

pub mod api;
pub mod config;
pub mod core;
pub mod db;
pub mod exit;
pub mod follow;
pub mod model;
pub mod net;
pub mod render;
pub mod report;
pub mod server;
pub mod text;
pub mod ui;
