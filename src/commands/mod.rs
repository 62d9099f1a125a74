//! One module per command: its arguments, whose documentation is its help, and the function that runs it.
//!
//! `support` holds what several commands share.

pub mod agents;
pub mod api;
pub mod approve;
pub mod cancel;
pub mod completions;
pub mod config;
pub mod deny;
pub mod doctor;
pub mod help;
pub mod list;
pub mod listen;
pub mod login;
pub mod logout;
pub mod man;
pub mod messages;
pub mod schema;
pub mod send;
pub mod serve;
pub mod status;
pub mod support;
pub mod watch;

pub use support::command_end::End;
pub use support::ctx::Ctx;
