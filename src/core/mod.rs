//! The decisions: what may be repeated, how long to wait, when a run has ended and how well.
//!
//! Everything here is pure. Clock and dice are arguments.

pub mod backwards;
pub mod bucket;
pub mod facts;
pub mod outcome;
pub mod paging;
pub mod poll;
pub mod reconcile;
pub mod retry;
pub mod retry_after;
pub mod sent;
pub mod stats;

pub use outcome::Outcome;
pub use sent::Sent;
