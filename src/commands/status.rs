//! `status`: shows runs as they are now.

use std::time::Duration;

use futures_util::future::{join_all, join3};

use super::support::approval::{self, Waiting};
use super::support::run_args::{self, RunArg};
use super::support::session::Session;
use super::{Ctx, End};
use crate::api::ApiError;
use crate::api::endpoints::optional;
use crate::core::Outcome;
use crate::core::facts::facts;
use crate::core::outcome::outcome;
use crate::exit::Exit;
use crate::follow::Messages;
use crate::follow::details::{self, DetailOptions};
use crate::global::Format;
use crate::model::Run;
use crate::render::detail::{self, Detail};
use crate::render::{self, table};
use crate::report::Failure;
use crate::text::page::Page;

/// Show runs as they are now
///
/// Each run is read once; the exit code is 0 whatever their status. With --exit-status it is as in
/// watch, and 8 if a run is still open. A tool call that waits for approval is shown, with the
/// commands that approve or deny it.
///
/// With --detail a pipe gets the run as the server sent it and one key more, with null for each part
/// that the server does not have: "_agentctl": {"steps": […], "usage": {…}, "messages": […]}
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl status @last
  agentctl status \"$id\" -o json | jq -r .status
  agentctl status @last --detail
  agentctl status \"$id\" --exit-status || echo \"not done: $?\"")]
pub struct Args {
    /// Run ids, @last, JSON documents with an id, or - to read them from standard input
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<String>,
    /// Set the exit code by the status of the runs
    #[arg(long)]
    pub exit_status: bool,
    /// Show also steps, usage, messages and the result of the callback
    #[arg(long)]
    pub detail: bool,
}

/// Runs `status`.
pub async fn run(ctx: &Ctx, args: Args) -> anyhow::Result<End> {
    let named = args.runs.iter().map(|text| RunArg::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let session = Session::open(ctx).await?;
    let exits = fetch_and_print(ctx, &session, &args, &named).await;
    session.close().await;
    Ok(Exit::worst(exits?).into())
}

async fn fetch_and_print(ctx: &Ctx, session: &Session, args: &Args, named: &[RunArg]) -> Result<Vec<Exit>, Failure> {
    let (targets, mut exits) = run_args::collect(ctx, session, named).await?;
    let mut found = Vec::new();
    // A few at a time, so that a thousand ids do not open a thousand connections.
    for some in targets.chunks(8) {
        let fetches = some.iter().map(|target| session.api.run(&target.id));
        for (target, run) in some.iter().zip(join_all(fetches).await) {
            match run {
                Ok(run) => found.push(run),
                Err(error) => {
                    let failure = error.failure().run(&target.id);
                    ctx.report(&failure);
                    exits.push(failure.exit);
                }
            }
        }
    }
    print(ctx, session, args, &found).await?;
    if args.exit_status {
        exits.extend(found.iter().map(|run| outcome(run, Duration::ZERO).exit(false)));
    }
    Ok(exits)
}

async fn print(ctx: &Ctx, session: &Session, args: &Args, runs: &[Run]) -> Result<(), Failure> {
    match ctx.format {
        Format::Json if args.detail => {
            for run in runs {
                ctx.io.document(&detail::json(run, &detail_of(session, run).await?))?;
            }
            Ok(())
        }
        Format::Json => runs.iter().try_for_each(|run| ctx.io.document(run.document().line())),
        Format::Id => runs.iter().try_for_each(|run| ctx.io.id(run.id().as_str())),
        Format::None => Ok(()),
        Format::Human if runs.len() > 1 && !args.detail => ctx.io.page(&table::runs_table(runs, &session.context(ctx))),
        Format::Human => print_cards(ctx, session, args, runs).await,
    }
}

async fn print_cards(ctx: &Ctx, session: &Session, args: &Args, runs: &[Run]) -> Result<(), Failure> {
    for (at, run) in runs.iter().enumerate() {
        let page = if at == 0 { Page::new() } else { Page::new().end() };
        let page = page.page(card(ctx, session, run).await);
        ctx.io.page(&match args.detail {
            true => page.page(detail::sections(run, &detail_of(session, run).await?, &session.context(ctx))),
            false => page,
        })?;
    }
    Ok(())
}

/// Renders a run as a card, with the figures that its document may lack and the calls that wait for approval.
async fn card(ctx: &Ctx, session: &Session, run: &Run) -> Page {
    let outcome = outcome(run, Duration::ZERO);
    let options = DetailOptions { messages: Messages::Never, figures: true, just_ended: false };
    let details = details::fetch(&session.api, run, outcome, options).await.details;
    let facts = facts(run, outcome, &details);
    let agent = run.agent_id().and_then(|agent| agent.parse().ok());
    if let (Outcome::NeedsApproval, Some(agent)) = (outcome, agent)
        // If they cannot be read, the card is shown without them.
        && let Ok(Waiting { pending, is_known: true, .. }) = approval::waiting(session, &agent, run).await
    {
        return render::card::waiting_card(run, &facts, &pending, &session.context(ctx));
    }
    session.card(ctx, run, Some(&facts))
}

/// Fetches the steps, usage and messages of a run.
async fn detail_of(session: &Session, run: &Run) -> Result<Detail, Failure> {
    let api = &session.api;
    let id = run.id();
    let (steps, usage, messages) = join3(api.all_steps(id), api.usage(id), api.messages(id, None)).await;
    // Usage is optional: a failure to read it is ignored.
    let detail = || Ok(Detail { steps: optional(steps)?, usage: usage.ok(), messages: optional(messages)? });
    detail().map_err(|error: ApiError| error.failure().run(id))
}
