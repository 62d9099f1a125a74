//! The folders that this program may use.

use std::path::PathBuf;

use super::Env;
use crate::exit::Exit;
use crate::report::Failure;

/// The folder for data: the local database and the list of recent runs. None where the platform names none.
pub fn data_dir(env: &Env) -> Option<PathBuf> {
    env.path("AGENTCTL_DATA_DIR").or_else(|| dirs::data_dir().map(|data| data.join("agentctl")))
}

/// The database of the local server.
pub fn local_database(env: &Env) -> Option<PathBuf> {
    data_dir(env).map(|data| data.join("local.db"))
}

/// The folder for `config.toml` and `credentials.toml`. None where the platform names none.
pub fn config_dir(env: &Env) -> Option<PathBuf> {
    env.path("AGENTCTL_CONFIG_DIR").or_else(|| dirs::config_dir().map(|config| config.join("agentctl")))
}

/// The same, where it must be known.
pub fn named_config_dir(env: &Env) -> Result<PathBuf, Failure> {
    config_dir(env).ok_or_else(|| {
        let failure = Failure::new(Exit::Local, "no_folder", "this platform names no folder for configuration");
        failure.hint("name one in AGENTCTL_CONFIG_DIR")
    })
}
