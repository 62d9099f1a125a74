//! `watch`: follows runs until they end.

use super::support::follow_args::FollowFlags;
use super::support::following::Following;
use super::support::run_args::{self, ResolvedRuns, RunArg};
use super::support::session::Session;
use super::{Ctx, End};
use crate::follow::FollowTarget;
use crate::model::AgentRef;
use crate::report::Failure;
use crate::text::page::Page;
use crate::ui::signals::Signals;

/// Follow runs until they end
///
/// Each run is printed when it has ended, with its outcome, time to first token and duration. If the
/// server becomes unreachable, watch retries. Ctrl-C stops watching; the runs go on.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl watch run-11111111-1111-4111-8111-111111111111
  agentctl watch @last --reply
  agentctl send --agent AGENT -m \"hi\" | agentctl watch -
  agentctl watch --agent AGENT --timeout 10m

Exit codes: 0 succeeded or truncated, 1 failed, 3 cancelled, 6 waits for
approval, 124 still open after --timeout. All of them: `agentctl help
exit-codes`.")]
pub struct Args {
    /// Run ids, @last, JSON documents with an id, or - to read them from standard input
    #[arg(value_name = "RUN", required_unless_present = "agent")]
    pub runs: Vec<String>,
    /// Follow all active runs of this agent
    #[arg(short, long, value_name = "AGENT", conflicts_with = "runs")]
    pub agent: Option<AgentRef>,
    /// Stop when the first run has ended
    #[arg(long, help_heading = "Waiting")]
    pub any: bool,
    /// Stop when the first run has not succeeded
    #[arg(long, help_heading = "Waiting")]
    pub fail_fast: bool,
    /// How runs are followed.
    #[command(flatten)]
    pub options: FollowFlags,
    /// Accepted for compatibility; the exit code always reports the outcome
    #[arg(long, hide = true)]
    pub exit_status: bool,
}

/// Runs `watch`.
pub async fn run(ctx: &Ctx, args: Args) -> anyhow::Result<End> {
    args.options.check(ctx)?;
    let named = args.runs.iter().map(|text| RunArg::parse(text)).collect::<Result<Vec<_>, _>>()?;
    if args.options.reply && named.len() > 1 {
        return Err(Failure::usage("--reply prints the text of one run").hint("watch one run at a time").into());
    }
    let session = Session::open_to_execute(ctx, ctx.settings()?).await?;
    let end = watch(ctx, &session, &args, &named).await;
    session.close().await;
    end
}

async fn watch(ctx: &Ctx, session: &Session, args: &Args, named: &[RunArg]) -> anyhow::Result<End> {
    let ResolvedRuns { targets, mut failures } = match &args.agent {
        Some(agent) => active_runs(ctx, session, agent).await?,
        None => run_args::stream(ctx, session, named)?,
    };
    // From here on, Ctrl-C prints how to resume.
    let mut signals = Signals::catch()?;
    let following = Following::of_runs(ctx, session, &args.options, ctx.global.progress);
    let following = following.ending_early(args.any, args.fail_fast);
    let mut exits = Vec::new();
    let end = {
        let work = following.follow(targets, &mut signals);
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                Some(failure) = failures.recv() => exits.push(following.tell(&failure)),
                end = &mut work => break end?,
            }
        }
    };
    exits.extend(std::iter::from_fn(|| failures.try_recv().ok()).map(|failure| following.tell(&failure)));
    Ok(exits.into_iter().fold(end, End::or))
}

/// Returns the runs of an agent that have not ended. It is not an error if there are none.
async fn active_runs(ctx: &Ctx, session: &Session, agent: &AgentRef) -> anyhow::Result<ResolvedRuns> {
    let id = session.agent(Some(agent)).await?;
    let active = session.active_runs(&id).await?;
    if active.is_empty() {
        ctx.io.notice(&Page::new().say("the agent ").show(id.as_str()).say(" has no active run").end());
    }
    Ok(ResolvedRuns::of(active.into_iter().map(FollowTarget::from)))
}
