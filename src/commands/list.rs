//! `list`: lists runs, newest first.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::support::session::Session;
use super::{Ctx, End};
use crate::api::endpoints::Active;
use crate::api::{RunFilter, RunPages};
use crate::core::facts::{Details, facts};
use crate::core::outcome::outcome;
use crate::core::stats::Stats;
use crate::exit::Exit;
use crate::global::Format;
use crate::model::{AgentRef, Run};
use crate::render::{json, table};
use crate::report::Failure;
use crate::text::count::{self, plural};
use crate::text::page::Page;
use crate::text::since::Since;

/// List runs, newest first
///
/// Each run is printed as the server sent it. Statuses and stop reasons that agentctl does not know
/// are passed on to the server.
///
/// With --stats the runs are counted instead, by stop reason: how many, and the median, the 95th
/// percentile and the largest of time to first token and duration (by nearest rank). In a pipe that
/// is one document per stop reason, null for runs that have not stopped:
/// {"stop_reason", "runs", "ttft_ns": {"count", "p50", "p95", "max"}, "duration_ns": {…}}
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl list --agent AGENT --active
  agentctl list --since 2h --status failed,cancelled --all
  agentctl list --all --stats
  agentctl list --active -o id | agentctl watch -")]
pub struct Args {
    /// Only runs of this agent, by id or by name
    #[arg(short, long, value_name = "AGENT")]
    pub agent: Option<AgentRef>,
    /// Only runs with one of these statuses, such as completed
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    pub status: Vec<String>,
    /// Only runs that stopped for this reason, such as max_steps
    #[arg(long, value_name = "REASON")]
    pub stop_reason: Option<String>,
    /// Only runs that have not ended
    #[arg(long, conflicts_with = "status")]
    pub active: bool,
    /// Only runs created since a time: an age such as 2h, a date, or a time as in RFC 3339
    #[arg(long, value_name = "DURATION|TIME")]
    pub since: Option<Since>,
    /// List at most this many runs
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = count::parse::<usize>)]
    pub limit: usize,
    /// List all runs
    #[arg(long, conflicts_with = "limit")]
    pub all: bool,
    /// Print how long the runs took, by stop reason, instead of the runs
    #[arg(long)]
    pub stats: bool,
}

/// Runs `list`.
pub async fn run(ctx: &Ctx, args: Args) -> anyhow::Result<End> {
    if args.stats && ctx.format == Format::Id {
        let failure = Failure::usage("--stats prints counts, and counts have no ids");
        return Err(failure.hint("leave out --stats or -o id").into());
    }
    let session = Session::open(ctx).await?;
    let listed = list(ctx, &session, &args).await;
    session.close().await;
    listed.map(|()| Exit::Done.into()).map_err(Into::into)
}

async fn list(ctx: &Ctx, session: &Session, args: &Args) -> Result<(), Failure> {
    let listing = RunPages::new(&session.api, filter(session, args).await?);
    let mut wanted = Wanted { listing, since: since(ctx, args)?, left: if args.all { usize::MAX } else { args.limit } };
    let mut stats = Stats::default();
    let mut count = 0;
    while let Some(runs) = wanted.next().await? {
        count += runs.len();
        if args.stats {
            runs.iter().for_each(|run| stats.add(run, duration(run)));
        } else {
            print(ctx, session, &runs)?;
        }
    }
    if args.stats {
        print_stats(ctx, session, stats)?;
    }
    say_what_is_missing(ctx, args, &wanted.listing, count);
    Ok(())
}

/// Reads the selected runs page by page.
struct Wanted<'a> {
    listing: RunPages<'a>,
    since: Option<Timestamp>,
    left: usize,
}

impl Wanted<'_> {
    async fn next(&mut self) -> Result<Option<Vec<Run>>, Failure> {
        if self.left == 0 {
            return Ok(None);
        }
        let Some(mut page) = self.listing.next(self.left).await? else { return Ok(None) };
        let wanted = page.iter().take(self.left).take_while(|run| !self.is_too_old(run)).count();
        // After the first run that is too old there are only older ones.
        self.left = if wanted < page.len() { 0 } else { self.left - wanted };
        page.truncate(wanted);
        Ok(Some(page))
    }

    fn is_too_old(&self, run: &Run) -> bool {
        self.since.zip(run.created_at()).is_some_and(|(since, created)| created < since)
    }
}

async fn filter(session: &Session, args: &Args) -> Result<RunFilter, Failure> {
    let agent = match &args.agent {
        Some(agent) => Some(session.agent(Some(agent)).await?.to_string()),
        None => None,
    };
    Ok(RunFilter {
        agent_id: agent,
        active: if args.active { Active::ByStatus } else { Active::Any },
        statuses: args.status.clone(),
        stop_reason: args.stop_reason.clone(),
        ..RunFilter::default()
    })
}

fn since(ctx: &Ctx, args: &Args) -> Result<Option<Timestamp>, Failure> {
    let zone = if ctx.global.utc { TimeZone::UTC } else { TimeZone::system() };
    let since = args.since.map(|since| since.resolve(Timestamp::now(), &zone)).transpose();
    since.map_err(|why| {
        Failure::usage(format!("--since: {why}")).hint("give a time such as 2h, today or 2026-11-23T15:00:00Z")
    })
}

fn duration(run: &Run) -> Option<u64> {
    facts(run, outcome(run, std::time::Duration::ZERO), &Details::default()).duration_ns
}

fn print(ctx: &Ctx, session: &Session, runs: &[Run]) -> Result<(), Failure> {
    match ctx.format {
        Format::Human => ctx.io.page(&table::runs_table(runs, &session.context(ctx))),
        Format::Json => runs.iter().try_for_each(|run| ctx.io.document(run.document().line())),
        Format::Id => runs.iter().try_for_each(|run| ctx.io.id(run.id().as_str())),
        Format::None => Ok(()),
    }
}

fn print_stats(ctx: &Ctx, session: &Session, stats: Stats) -> Result<(), Failure> {
    let groups = stats.groups();
    match ctx.format {
        Format::Human => ctx.io.page(&table::stats_table(&groups, &session.context(ctx))),
        Format::Json => groups.iter().try_for_each(|group| ctx.io.document(&json::stats(group))),
        Format::Id | Format::None => Ok(()),
    }
}

/// Prints a notice if the list is empty or incomplete.
fn say_what_is_missing(ctx: &Ctx, args: &Args, listing: &RunPages<'_>, count: usize) {
    if listing.is_cut_short() {
        let page = Page::new().say("the server's list cannot be read further than ");
        ctx.io.notice(&page.show(&plural(count as u64, "run")).say(": its cursors lead nowhere").end());
    } else if ctx.format != Format::Human {
    } else if count == 0 {
        ctx.io.notice(&Page::new().say("no runs").end());
    } else if !args.all && count == args.limit {
        let page = Page::new().say("the newest ").show(&plural(count as u64, "run"));
        ctx.io.notice(&page.say("; --all or a higher --limit shows more").end());
    }
}
