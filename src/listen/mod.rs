//! A receiver of callbacks on this machine.
//!
//! A callback carries no signature: its sender knows the receiver's URL, which holds a random part, and that is all that
//! is known of it. So what it says is a hint and nothing more: the id of a run that is worth a look. [`request`] decides
//! what a request means, [`receiver`] keeps its sender to limits of time, size and number.

pub mod receiver;
pub mod request;

pub use receiver::{Bound, Receiver};
