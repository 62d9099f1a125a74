//! The environment of a test: its own home, and no variable of the person who runs it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::Process;
use super::signals;

/// The binary under test.
pub const AGENTCTL: &str = env!("CARGO_BIN_EXE_agentctl");

/// A fresh home, removed with the value.
pub struct TestEnv {
    home: TempDir,
}

impl TestEnv {
    pub fn new() -> Self {
        signals::reset_in_children();
        let home = TempDir::with_prefix("agentctl-test-").expect("a folder for temporary files");
        for folder in ["config", "data", "cache", "state", "tmp", "agentctl-data"] {
            std::fs::create_dir(home.path().join(folder)).expect("a folder in the new home");
        }
        Self { home }
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file into the home.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.home().join(name);
        std::fs::write(&path, content).expect("a file in the home");
        path
    }

    /// The program with these arguments.
    pub fn agentctl(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Process {
        let mut command = self.command(AGENTCTL);
        command.args(args);
        Process::new(command)
    }

    /// A bash script that finds the program as `agentctl`.
    pub fn bash(&self, script: &str) -> Process {
        let mut command = self.command("bash");
        command.args(["--norc", "-euo", "pipefail", "-c", script]);
        Process::new(command)
    }

    /// The variables that a process of this environment gets, and no others.
    pub fn vars(&self) -> Vec<(&'static str, OsString)> {
        let home = |folder: &str| self.home().join(folder).into_os_string();
        vec![
            ("PATH", path_with_agentctl()),
            ("HOME", self.home().into()),
            ("XDG_CONFIG_HOME", home("config")),
            ("XDG_DATA_HOME", home("data")),
            ("XDG_CACHE_HOME", home("cache")),
            ("XDG_STATE_HOME", home("state")),
            ("TMPDIR", home("tmp")),
            ("AGENTCTL_DATA_DIR", home("agentctl-data")),
            ("COLUMNS", "100".into()),
            ("LANG", "C.UTF-8".into()),
            ("TZ", "UTC".into()),
            // Errors must read well with this set, too.
            ("RUST_BACKTRACE", "1".into()),
        ]
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.vars()).current_dir(self.home());
        command
    }
}

fn path_with_agentctl() -> OsString {
    let bin = Path::new(AGENTCTL).parent().expect("the binary lies in a folder");
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(bin.to_owned()).chain(std::env::split_paths(&rest));
    std::env::join_paths(folders).expect("folders without a colon")
}
