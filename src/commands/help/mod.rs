//! `help`: prints the help of a command, or a topic.

pub mod topic;
pub mod topics;

use std::ffi::OsString;

use clap::Command;

use self::topic::Block;
use super::support::usage_error;
use super::{Ctx, End};
use crate::exit::Exit;

/// Print the help of a command, or about a topic
///
/// Topics: exit-codes, environment, output.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl help send
  agentctl help exit-codes")]
pub struct Args {
    /// A command, or exit-codes, environment or output
    #[arg(value_name = "TOPIC")]
    pub words: Vec<OsString>,
}

/// The name of a topic and the function that returns its text.
pub type Topic = (&'static str, fn() -> Vec<Block>);

/// All topics.
pub const TOPICS: [Topic; 3] =
    [("exit-codes", topics::exit_codes), ("environment", topics::environment), ("output", topics::output)];

/// Runs `help`.
pub fn run(ctx: &Ctx, args: Args, root: &mut Command) -> anyhow::Result<End> {
    if let [word] = &args.words[..]
        && let Some((_, blocks)) = TOPICS.iter().find(|(name, _)| word == name)
    {
        ctx.io.page(&topic::page(&blocks(), ctx.io.style.width))?;
        return Ok(Exit::Done.into());
    }
    // The same as `agentctl COMMAND --help`, including its errors.
    let words = std::iter::once("agentctl".into()).chain(args.words).chain(["--help".into()]);
    match root.try_get_matches_from_mut(words) {
        Err(error) => Ok(usage_error::print(&ctx.io, &error, || root.clone(), &[]).into()),
        Ok(_) => Ok(Exit::Done.into()),
    }
}
