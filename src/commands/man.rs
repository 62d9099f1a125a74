//! `man`: manual pages, from the definition of the command line.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};

use super::{Ctx, End};
use crate::cli::Cli;
use crate::exit::Exit;
use crate::report::Failure;

/// Print the manual page
///
/// With --out, a page for each command is written into a folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl man | man -l -
  agentctl man --out ~/.local/share/man/man1")]
pub struct Args {
    /// Write a page for each command into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Carries out `man`.
pub fn run(ctx: &Ctx, args: &Args) -> anyhow::Result<End> {
    let mut command = Cli::command();
    command.build();
    match &args.out {
        Some(dir) => write(dir, command)?,
        None => ctx.io.raw(&String::from_utf8_lossy(&page(command)?))?,
    }
    Ok(Exit::Done.into())
}

fn page(command: Command) -> anyhow::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).context("cannot make the manual page")?;
    Ok(page)
}

fn write(dir: &Path, command: Command) -> anyhow::Result<()> {
    let failed = |error: std::io::Error| {
        let message = format!("cannot write manual pages into {}", dir.display());
        Failure::new(Exit::Local, "cannot_write", message).cause(error)
    };
    std::fs::create_dir_all(dir).map_err(failed)?;
    clap_mangen::generate_to(command, dir).map_err(failed)?;
    Ok(())
}
