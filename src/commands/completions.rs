//! `completions`: the completion script of a shell, from the definition of the command line.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Ctx, End};
use crate::cli::Cli;
use crate::exit::Exit;

/// Print the completion script of a shell
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

/// Carries out `completions`.
pub fn run(ctx: &Ctx, args: &Args) -> anyhow::Result<End> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "agentctl", &mut script);
    ctx.io.raw(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done.into())
}
