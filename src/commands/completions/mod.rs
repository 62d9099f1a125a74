//! `completions`: prints the script by which a shell asks for completions, and answers when it asks.

mod answer;

pub use answer::answer;

use clap_complete::Shell;

use super::{Ctx, End};
use crate::exit::Exit;

/// Print the completion script of a shell
///
/// The script asks this program for candidates: commands, flags and files, and also recent runs,
/// agents that were listed, profiles, statuses and stop reasons. No server is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl completions bash > ~/.local/share/bash-completion/completions/agentctl
  agentctl completions zsh > \"${fpath[1]}/_agentctl\"
  agentctl completions fish > ~/.config/fish/completions/agentctl.fish")]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Runs `completions`.
pub fn run(ctx: &Ctx, args: &Args) -> anyhow::Result<End> {
    ctx.io.raw(&answer::script(&args.shell.to_string()).unwrap_or_default())?;
    Ok(Exit::Done.into())
}
