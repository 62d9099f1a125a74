//! Receives callbacks on this machine.
//!
//! A callback carries no signature: a sender proves only that it knows the URL of the receiver, which has a random part.
//! So a callback counts as a hint that a run has ended, and the run is read from the API. [`request`] validates requests,
//! [`receiver`] limits their number, size and duration.

pub mod receiver;
pub mod request;

pub use receiver::{Bound, Receiver};
