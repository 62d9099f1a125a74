//! Paths of the data folder and the configuration folder.

use std::path::{Path, PathBuf};

use super::Env;
use crate::exit::Exit;
use crate::report::Failure;

/// Returns the folder of the local database, the recent runs and the known agents; `None` if the platform has no such
/// folder.
pub fn data_dir(env: &Env) -> Option<PathBuf> {
    env.path("AGENTCTL_DATA_DIR").or_else(|| dirs::data_dir().map(|data| data.join("agentctl")))
}

/// Returns the path of the local server's database.
pub fn local_database(env: &Env) -> Option<PathBuf> {
    data_dir(env).map(|data| data.join("local.db"))
}

/// Returns the path of a file beside a database: `local.db` and `.key` give `local.db.key`.
pub fn beside_database(database: &Path, suffix: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Returns the folder of `config.toml` and `credentials.toml`; `None` if the platform has no such folder.
pub fn config_dir(env: &Env) -> Option<PathBuf> {
    env.path("AGENTCTL_CONFIG_DIR").or_else(|| dirs::config_dir().map(|config| config.join("agentctl")))
}

/// Returns the configuration folder, or an error if the platform has no such folder.
pub fn required_config_dir(env: &Env) -> Result<PathBuf, Failure> {
    config_dir(env).ok_or_else(|| {
        let failure = Failure::new(Exit::Local, "no_folder", "this platform has no folder for configuration");
        failure.hint("name one in AGENTCTL_CONFIG_DIR")
    })
}
