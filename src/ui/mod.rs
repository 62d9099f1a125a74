//! The streams: data on stdout, everything else on stderr. No decisions about runs.

pub mod io;
pub mod progress;
pub mod prompt;
pub mod shape;
pub mod signals;
mod unfit;

pub use io::Io;
