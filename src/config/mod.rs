//! Where to, as whom, and what is remembered: flags, environment, and where each value came from.

pub mod base;
pub mod change;
pub mod credentials;
pub mod env;
pub mod file;
mod files;
pub mod headers;
pub mod key;
pub mod origin;
pub mod places;
pub mod profile;
pub mod recent;
pub mod secret;
pub mod seen;
pub mod served;
pub mod settings;
pub mod sources;
pub mod whole_file;

pub use env::Env;
pub use origin::{Given, Origin};
pub use secret::Secret;
pub use settings::{Base, Settings};
