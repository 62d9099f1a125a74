//! `deny`: forbids an agent to make the tool call that it asked for.

use super::support::approval::{ApprovalCommand, answer};
use super::support::follow_args::FollowArgs;
use super::{Ctx, End};

/// Deny the tool call that a run waits for
///
/// The agent gets the denial, with the reason if there is one, and continues in a new run. The new run is
/// printed, or followed with --watch, --wait or --reply as in send. If several calls wait, all of
/// them are denied.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl deny @last --reason \"not on a Friday\" --watch

Exit codes: as in send; 2 nothing waits for a decision, and nothing was sent.")]
pub struct Args {
    /// The run that waits: an id, @last, a JSON document with an id, or - to read one from standard input
    #[arg(value_name = "RUN")]
    pub run: String,
    /// The reason, for the agent to read
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub reason: Option<String>,
    /// Whether and how the new run is followed.
    #[command(flatten)]
    pub follow: FollowArgs,
}

/// Runs `deny`.
pub fn run(ctx: &Ctx, args: &Args) -> anyhow::Result<End> {
    let decision = ApprovalCommand { verb: "deny", approve: false, reason: args.reason.as_deref(), calls: &[] };
    answer(ctx, &args.run, &decision, &args.follow)
}
