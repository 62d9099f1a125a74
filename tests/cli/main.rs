//! The tests that look at the program from outside, in one binary: a module per command or promise.

mod bad_input;
mod bed;
mod behaviour;
mod cancel;
mod config;
mod exit_codes;
mod filter;
mod generated;
mod headers;
mod layers;
mod list;
mod local;
mod login;
mod looks;
mod post_policy;
mod pty;
mod readme;
mod reconcile;
mod samples;
mod schema;
mod send;
mod serve;
mod streams;
mod support;
mod watch;
mod wishes;
