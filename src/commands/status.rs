//! `status`: one look at runs.

use futures_util::future::join_all;

use super::runs::{self, Named};
use super::session::Session;
use super::{Ctx, End};
use crate::cli::Format;
use crate::core::facts::facts;
use crate::core::outcome::outcome;
use crate::exit::Exit;
use crate::follow::Messages;
use crate::follow::details::{self, Wanted};
use crate::model::Run;
use crate::render::table;
use crate::report::Failure;

/// Show runs as they are now
///
/// One look at each run; the exit code is 0 whatever they are. With --exit-status it answers as
/// watch does, and 8 says that a run is still open.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl status @last
  agentctl status \"$id\" -o json | jq -r .status
  agentctl status \"$id\" --exit-status || echo \"not done: $?\"")]
pub struct Args {
    /// Run ids, @last, JSON documents with an id, or - to read them from standard input
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<String>,
    /// Let the exit code tell how the runs are
    #[arg(long)]
    pub exit_status: bool,
}

/// Carries out `status`.
pub async fn run(ctx: &Ctx, args: Args) -> anyhow::Result<End> {
    let named = args.runs.iter().map(|text| Named::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let session = Session::open(ctx).await?;
    let exits = look(ctx, &session, &args, &named).await;
    session.close().await;
    Ok(Exit::worst(exits?).into())
}

async fn look(ctx: &Ctx, session: &Session, args: &Args, named: &[Named]) -> Result<Vec<Exit>, Failure> {
    let (targets, mut exits) = runs::collect(ctx, session, named).await?;
    let mut found = Vec::new();
    // A few at a time: a thousand ids are no reason for a thousand connections.
    for some in targets.chunks(8) {
        let looks = some.iter().map(|target| session.api.run(&target.id));
        for (target, run) in some.iter().zip(join_all(looks).await) {
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
    print(ctx, session, &found, targets.len() > 1).await?;
    if args.exit_status {
        exits.extend(found.iter().map(|run| outcome(run, std::time::Duration::ZERO).exit(false)));
    }
    Ok(exits)
}

async fn print(ctx: &Ctx, session: &Session, runs: &[Run], several: bool) -> Result<(), Failure> {
    match ctx.format {
        Format::Json => runs.iter().try_for_each(|run| ctx.io.document(run.document().line())),
        Format::Id => runs.iter().try_for_each(|run| ctx.io.id(run.id().as_str())),
        Format::None => Ok(()),
        Format::Human if several => ctx.io.page(&table::runs_table(runs, &session.context(ctx))),
        Format::Human => {
            for run in runs {
                print_card(ctx, session, run).await?;
            }
            Ok(())
        }
    }
}

/// A card shows the figures that the run itself may lack.
async fn print_card(ctx: &Ctx, session: &Session, run: &Run) -> Result<(), Failure> {
    let outcome = outcome(run, std::time::Duration::ZERO);
    let wanted = Wanted { messages: Messages::Never, figures: true, just_ended: false };
    let details = details::at_end(&session.api, run, outcome, wanted).await.details;
    ctx.io.page(&session.card(ctx, run, Some(&facts(run, outcome, &details))))
}
