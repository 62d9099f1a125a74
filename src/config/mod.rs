//! Where to, as whom, and what is remembered: flags, environment, and where each value came from.

pub mod env;
pub mod places;
pub mod recent;
pub mod secret;
pub mod served;
pub mod settings;
pub mod whole_file;

pub use env::Env;
pub use secret::Secret;
pub use settings::{Base, Settings};
