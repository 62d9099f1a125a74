//! The command of `listen --exec`, which gets a run's document on its standard input.

use std::process::Stdio;
use std::str::FromStr;

use futures_util::future::join;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use crate::exit::Exit;
use crate::model::Run;
use crate::report::Failure;

/// A command with its arguments. It is run without a shell, and no data of a run becomes an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    program: String,
    args: Vec<String>,
}

impl FromStr for Hook {
    type Err = String;

    /// Splits a line into words as a shell does, without expanding anything.
    fn from_str(line: &str) -> Result<Self, String> {
        let mut words = shell_words::split(line).map_err(|error| error.to_string())?.into_iter();
        let program = words.next().ok_or("the command is empty")?;
        Ok(Self { program, args: words.collect() })
    }
}

impl Hook {
    /// Runs the command with a document on its standard input. Returns a message if it did not succeed.
    pub async fn run(&self, run: &Run, document: &str) -> Result<Option<String>, Failure> {
        let mut child = self.start(run).map_err(|error| self.cannot_start(&error))?;
        let stdin = child.stdin.take();
        let document = format!("{document}\n");
        let write = async {
            if let Some(mut stdin) = stdin {
                // A command may end without reading its whole input.
                let _ = stdin.write_all(document.as_bytes()).await;
            }
        };
        let ((), ended) = join(write, child.wait()).await;
        let status = ended.map_err(|error| self.cannot_start(&error))?;
        Ok((!status.success()).then(|| format!("{}: {status}", self.program)))
    }

    fn start(&self, run: &Run) -> std::io::Result<Child> {
        Command::new(&self.program)
            .args(&self.args)
            .env("AGENTCTL_RUN_ID", run.id().as_str())
            // Environment variables cannot contain NUL.
            .env("AGENTCTL_STATUS", run.status().as_str().replace('\0', ""))
            .stdin(Stdio::piped())
            // Our standard output is reserved for runs.
            .stdout(Stdio::from(std::io::stderr()))
            .kill_on_drop(true)
            .spawn()
    }

    fn cannot_start(&self, error: &std::io::Error) -> Failure {
        let failure = Failure::new(Exit::Local, "hook", format!("cannot run `{}`", self.program)).cause(error);
        failure.hint("--exec takes a program and its arguments; for more, give it a script, or sh -c '…'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_into_words_and_nothing_in_it_is_expanded() {
        let hook: Hook = r#"notify --title "it is done" '$(date)' a\ b"#.parse().expect("a command");
        assert_eq!((hook.program.as_str(), hook.args.len()), ("notify", 4));
        assert_eq!(hook.args[1..], ["it is done", "$(date)", "a b"]);
        for bad in ["", "  ", "'open"] {
            assert!(bad.parse::<Hook>().is_err(), "{bad:?}");
        }
    }
}
