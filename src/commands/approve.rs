//! `approve`: allows an agent to make the tool call that it asked for.

use super::support::approval::{ApprovalCommand, answer};
use super::support::follow_args::FollowArgs;
use super::{Ctx, End};

/// Approve the tool call that a run waits for
///
/// A run that needs approval has ended; approving starts a new run, which continues where it stopped.
/// The new run is printed, or followed with --watch, --wait or --reply as in send.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl approve @last --watch
  agentctl approve RUN --tool-call call_9aB3

Exit codes: as in send; 2 nothing waits for a decision, and nothing was sent.")]
pub struct Args {
    /// The run that waits: an id, @last, a JSON document with an id, or - to read one from standard input
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Approve only this tool call, if several wait; may be given more than once
    #[arg(long, value_name = "ID")]
    pub tool_call: Vec<String>,
    /// Whether and how the new run is followed.
    #[command(flatten)]
    pub follow: FollowArgs,
}

/// Runs `approve`.
pub fn run(ctx: &Ctx, args: &Args) -> anyhow::Result<End> {
    let decision = ApprovalCommand { verb: "approve", approve: true, reason: None, calls: &args.tool_call };
    answer(ctx, &args.run, &decision, &args.follow)
}
