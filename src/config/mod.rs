//! Settings of this machine: flags, environment, `config.toml`, keys, recent runs and running servers.

pub mod atomic_write;
pub mod base_url;
pub mod config_file;
pub mod core_dumps;
pub mod credentials;
pub mod dirs;
pub mod edit;
pub mod env;
pub mod headers;
pub mod key_file;
pub mod known_agents;
pub mod profile;
pub mod provenance;
pub mod recent_runs;
mod resolve;
pub mod secret;
mod secure_files;
pub mod server_key;
pub mod server_registry;
pub mod setting_name;
pub mod setting_path;
mod setting_sources;
pub mod settings;

pub use env::Env;
pub use provenance::{Given, Provenance};
pub use secret::Secret;
pub use settings::{Base, Settings};
