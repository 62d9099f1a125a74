//! Decisions: whether a request may be repeated, the length of pauses, and the outcome of a run.
//!
//! All functions are pure. The time and the random numbers are arguments.

pub mod acceptance;
pub mod facts;
pub mod outcome;
pub mod pages;
pub mod poll_interval;
pub mod retry;
pub mod retry_after;
pub mod retry_budget;
pub mod run_match;
pub mod stats;

pub use acceptance::Acceptance;
pub use outcome::Outcome;
