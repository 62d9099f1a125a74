//! Where to, as whom, and what is remembered: flags, environment, and where each value came from.

pub mod atomic_write;
pub mod base_url;
pub mod change;
pub mod config_file;
pub mod credentials;
pub mod dirs;
pub mod env;
pub mod headers;
pub mod key;
pub mod known_agents;
pub mod origin;
pub mod profile;
pub mod recent;
pub mod secret;
mod secure_files;
pub mod server_registry;
pub mod settings;
pub mod sources;

pub use env::Env;
pub use origin::{Given, Origin};
pub use secret::Secret;
pub use settings::{Base, Settings};
