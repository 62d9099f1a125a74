//! The decisions: what may be repeated, how long to wait, when a run has ended and how well.
//!
//! Everything here is pure. Clock and dice are arguments.

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
