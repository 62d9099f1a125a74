//! The folders that this program may use.

use std::path::PathBuf;

use super::Env;

/// The folder for data: the local database and the list of recent runs. None where the platform names none.
pub fn data_dir(env: &Env) -> Option<PathBuf> {
    env.path("AGENTCTL_DATA_DIR").or_else(|| dirs::data_dir().map(|data| data.join("agentctl")))
}

/// The database of the local server.
pub fn local_database(env: &Env) -> Option<PathBuf> {
    data_dir(env).map(|data| data.join("local.db"))
}
