//! Output: data on stdout, everything else on stderr. Nothing here decides about runs.

mod filter_failures;
pub mod io;
pub mod json_format;
pub mod progress;
pub mod prompt;
pub mod signals;

pub use io::Io;
