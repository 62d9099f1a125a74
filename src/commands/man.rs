//! `man`: prints manual pages, made from the definition of the command line.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::Roff;

use super::help::{TOPICS, topic};
use super::{Ctx, End};
use crate::exit::Exit;
use crate::report::Failure;
use crate::text::show;

/// Print a manual page
///
/// Without COMMAND it is the page of the whole program, with exit codes, environment and output.
/// With --out, a page for each command is written into a folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl man | man -l -
  agentctl man agents list | man -l -
  agentctl man --out ~/.local/share/man/man1")]
pub struct Args {
    /// The command that the page is about
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
    /// Write a page for each command into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub out: Option<PathBuf>,
}

/// Runs `man`.
pub fn run(ctx: &Ctx, args: &Args, root: &mut Command) -> anyhow::Result<End> {
    root.build();
    match &args.out {
        Some(dir) => write(dir, root)?,
        None => ctx.io.raw(&page(find(root, &args.command)?)?)?,
    }
    Ok(Exit::Done.into())
}

/// Finds a command by the words of its name.
fn find<'a>(root: &'a Command, words: &[String]) -> Result<&'a Command, Failure> {
    words.iter().try_fold(root, |command, word| {
        command.find_subcommand(word).ok_or_else(|| {
            let message = format!("`{}` has no command `{}`", name(command), show::clip(word, 40));
            let names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
            let hint =
                if names.is_empty() { "leave it out".to_owned() } else { format!("there are {}", names.join(", ")) };
            Failure::usage(message).hint(hint)
        })
    })
}

/// Returns the name of a command's page, such as agentctl-agents-list.
fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

/// Renders the page of a command. The page of the whole program includes the help topics.
fn page(command: &Command) -> anyhow::Result<String> {
    let mut page = Vec::new();
    let rendered = Man::new(command.clone()).render(&mut page);
    rendered.context("cannot make the manual page")?;
    let mut page = String::from_utf8_lossy(&page).into_owned();
    if name(command) == "agentctl" {
        let mut roff = Roff::new();
        for (name, blocks) in TOPICS {
            topic::section(&mut roff, &name.to_uppercase().replace('-', " "), &blocks());
        }
        page += &roff.to_roff();
    }
    Ok(page)
}

fn write(dir: &Path, root: &Command) -> anyhow::Result<()> {
    let failed = |error: std::io::Error| {
        let message = format!("cannot write manual pages into {}", dir.display());
        Failure::new(Exit::Local, "cannot_write", message).cause(error).hint("name a folder that can be written")
    };
    std::fs::create_dir_all(dir).map_err(failed)?;
    for command in all(root) {
        std::fs::write(dir.join(format!("{}.1", name(command))), page(command)?).map_err(failed)?;
    }
    Ok(())
}

/// Returns a command and all its subcommands.
fn all(command: &Command) -> Vec<&Command> {
    let below = command.get_subcommands().filter(|sub| !sub.is_hide_set()).flat_map(all);
    std::iter::once(command).chain(below).collect()
}
