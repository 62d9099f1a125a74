//! The command that `serve` runs, and reaping of child processes.
//!
//! As process 1 of a container, this process inherits orphans and has to reap them.

#[cfg_attr(unix, path = "child/unix.rs")]
#[cfg_attr(not(unix), path = "child/elsewhere.rs")]
mod system;

use std::ffi::OsString;
use std::process::Command;

pub use system::{Child, Reaper};
use url::Url;

use super::ready;
use crate::config::Secret;
use crate::exit::Exit;
use crate::model::AgentId;
use crate::report::Failure;

/// The environment variables of the command.
#[derive(Debug)]
pub struct ChildEnv<'a> {
    /// `LETTA_BASE_URL`
    pub base: &'a Url,
    /// `LETTA_API_KEY`; without one, a key for another server must not come here.
    pub key: Option<&'a Secret>,
    /// `LETTA_AGENT_ID`
    pub agent: &'a AgentId,
}

/// Starts a command with the streams of this process.
pub fn start(words: &[OsString], around: &ChildEnv<'_>) -> Result<Child, Failure> {
    let (program, args) =
        words.split_first().ok_or_else(|| Failure::usage("no command is given").hint("give it after --"))?;
    let mut command = Command::new(program);
    command.args(args).env("LETTA_BASE_URL", ready::text(around.base)).env("LETTA_AGENT_ID", around.agent.as_str());
    match around.key {
        Some(key) => command.env("LETTA_API_KEY", key.expose()),
        None => command.env_remove("LETTA_API_KEY"),
    };
    Child::spawn(command).map_err(|error| {
        let message = format!("cannot run the command `{}`", program.display());
        let hint = "write it word by word, as in `agentctl serve -- pytest tests/`; a shell's line needs `sh -c`";
        Failure::new(Exit::Local, "command", message).cause(error).hint(hint)
    })
}

/// A process that ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// Its exit code; 128 + N where signal N ended it.
    pub code: u8,
}
