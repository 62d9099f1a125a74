//! `cancel`: cancels runs, and reads back how they ended.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use super::support::cancelling::{self, POLL_INTERVAL, SETTLE_TIME};
use super::support::run_args::{self, ResolvedRuns, RunArg};
use super::support::session::Session;
use super::{Ctx, End};
use crate::core::Outcome;
use crate::core::outcome::outcome;
use crate::exit::Exit;
use crate::follow::{self, Event, FollowOptions, FollowTarget};
use crate::global::Format;
use crate::model::{AgentId, AgentRef, Run, RunId, StopReason};
use crate::report::Failure;
use crate::text::count::plural;
use crate::text::duration;
use crate::text::page::Page;
use crate::ui::prompt;

/// Cancel runs, then show how they really ended
///
/// A server cancels between steps: a run in the middle of a step may still complete. Each run is
/// printed when it has stayed ended for two seconds.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl cancel @last
  agentctl cancel \"$id\" --timeout 1m
  agentctl cancel --agent AGENT --active --yes

Exit codes: 0 every run has ended, cancelled or otherwise; 8 some still run;
5 no such run. All of them: `agentctl help exit-codes`.")]
pub struct Args {
    /// Run ids, @last, JSON documents with an id, or - to read them from standard input
    #[arg(value_name = "RUN", required_unless_present_any = ["agent", "active"])]
    pub runs: Vec<String>,
    /// Cancel the active runs of this agent, by id or by name; needs --active
    #[arg(short, long, value_name = "AGENT", conflicts_with = "runs", requires = "active")]
    pub agent: Option<AgentRef>,
    /// Cancel all runs of the agent that have not ended; asks first on a terminal
    #[arg(long, requires = "agent")]
    pub active: bool,
    /// Do not ask (needed with --active without a terminal)
    #[arg(short, long)]
    pub yes: bool,
    /// How long to wait for the runs to end
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration::parse)]
    pub timeout: Duration,
}

/// Runs `cancel`.
pub async fn run(ctx: &Ctx, args: Args) -> anyhow::Result<End> {
    let named = args.runs.iter().map(|text| RunArg::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let can_ask = ctx.io.terminals.stdin && ctx.io.terminals.stderr;
    if args.active && !args.yes && !can_ask {
        let failure = Failure::usage("--active cancels runs that are not named, and there is no terminal to ask on");
        return Err(failure.hint("add --yes").into());
    }
    let session = Session::open(ctx).await?;
    let exits = match &args.agent {
        Some(agent) => cancel_active(ctx, &session, &args, agent).await,
        None => cancel_named(ctx, &session, &args, &named).await,
    };
    session.close().await;
    Ok(Exit::worst(exits?).into())
}

async fn cancel_named(ctx: &Ctx, session: &Session, args: &Args, named: &[RunArg]) -> Result<Vec<Exit>, Failure> {
    let (targets, mut exits) = run_args::collect(ctx, session, named).await?;
    let ids: BTreeSet<RunId> = targets.into_iter().map(|target| target.id).collect();
    let mut open = Vec::new();
    for id in &ids {
        match run_args::with_agent(session, id).await {
            Ok((_, run)) if is_over(&run) => exits.push(had_ended(ctx, session, &run)?),
            Ok(run) => open.push(run),
            Err(failure) => exits.push(tell(ctx, &failure)),
        }
    }
    exits.extend(cancel_open(ctx, session, args, open).await?);
    Ok(exits)
}

/// Cancels the active runs by their ids. A request without ids could cancel a run that started since.
async fn cancel_active(ctx: &Ctx, session: &Session, args: &Args, agent: &AgentRef) -> Result<Vec<Exit>, Failure> {
    let agent = session.agent(Some(agent)).await?;
    let active = session.active_runs(&agent).await?;
    let count = plural(active.len() as u64, "active run");
    if active.is_empty() {
        ctx.io.notice(&Page::new().say("the agent ").show(agent.as_str()).say(" has no active run").end());
        return Ok(Vec::new());
    }
    if !args.yes {
        ctx.io.say(&Page::new().say("cancel ").show(&count).say(" of ").show(agent.as_str()).say("? [y/N] "));
        let unreadable = |error| {
            Failure::new(Exit::Local, "stdin", "cannot read standard input")
                .cause(error)
                .hint("-y cancels without asking")
        };
        if !prompt::is_yes().await.map_err(unreadable)? {
            ctx.io.notice(&Page::new().say("nothing was cancelled").end());
            return Ok(Vec::new());
        }
    }
    cancel_open(ctx, session, args, active.into_iter().map(|run| (agent.clone(), run)).collect()).await
}

async fn cancel_open(
    ctx: &Ctx,
    session: &Session,
    args: &Args,
    open: Vec<(AgentId, Run)>,
) -> Result<Vec<Exit>, Failure> {
    let (asked, failures) = cancelling::request(session, open).await;
    let mut exits: Vec<Exit> = failures.iter().map(|failure| tell(ctx, failure)).collect();
    exits.extend(read_back(ctx, session, args.timeout, asked).await?);
    Ok(exits)
}

/// Whether a run cannot be cancelled any more. A run that waits for approval has ended, but can be cancelled.
fn is_over(run: &Run) -> bool {
    run.status().is_terminal() && run.stop_reason() != Some(StopReason::RequiresApproval)
}

fn had_ended(ctx: &Ctx, session: &Session, run: &Run) -> Result<Exit, Failure> {
    print(ctx, session, run)?;
    let outcome = outcome(run, Duration::ZERO).words();
    ctx.io.notice(&Page::new().show(run.id().as_str()).say(" had ended before: ").say(outcome).end());
    Ok(Exit::Done)
}

fn tell(ctx: &Ctx, failure: &Failure) -> Exit {
    ctx.report(failure);
    failure.exit
}

async fn read_back(ctx: &Ctx, session: &Session, timeout: Duration, asked: Vec<Run>) -> Result<Vec<Exit>, Failure> {
    let options = FollowOptions {
        timeout: Some(timeout),
        interval: Some(POLL_INTERVAL),
        confirm_end_for: SETTLE_TIME,
        ..FollowOptions::default()
    };
    let exits = RefCell::new(Vec::new());
    let mut emit = |event: Event| {
        match &event {
            Event::Ended(ending) => {
                print(ctx, session, &ending.run)?;
                say_how(ctx, &ending.run, ending.facts.outcome);
                exits.borrow_mut().push(Exit::Done);
            }
            Event::Lost { run, failure, .. } => exits.borrow_mut().push(lost(ctx, session, run.as_deref(), failure)?),
            _ => {}
        }
        Ok(())
    };
    let targets = ResolvedRuns::of(asked.into_iter().map(FollowTarget::from)).targets;
    follow::follow(&session.api, targets, &options, &mut emit).await?;
    Ok(exits.into_inner())
}

/// Reports a run that did not end in time, or could not be read.
fn lost(ctx: &Ctx, session: &Session, run: Option<&Run>, failure: &Failure) -> Result<Exit, Failure> {
    if failure.exit != Exit::TimedOut {
        return Ok(tell(ctx, failure));
    }
    if let Some(run) = run {
        print(ctx, session, run)?;
        ctx.io.notice(&Page::new().show(run.id().as_str()).say(" is still at work").end());
    }
    Ok(Exit::StillOpen)
}

/// Prints a notice if a run ended in another way than by the cancellation.
fn say_how(ctx: &Ctx, run: &Run, outcome: Outcome) {
    if outcome != Outcome::Cancelled {
        let page = Page::new().show(run.id().as_str()).say(" was not stopped in time: ").say(outcome.words());
        ctx.io.notice(&page.end());
    }
}

fn print(ctx: &Ctx, session: &Session, run: &Run) -> Result<(), Failure> {
    match ctx.format {
        Format::Human => ctx.io.page(&session.card(ctx, run, None)),
        Format::Json => ctx.io.document(run.document().line()),
        Format::Id => ctx.io.id(run.id().as_str()),
        Format::None => Ok(()),
    }
}
