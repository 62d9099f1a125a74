//! Submits a message, and prints or follows its run. `send`, `approve` and `deny` share it.

use std::time::Duration;

use uuid::Uuid;

use super::command_end::End;
use super::ctx::Ctx;
use super::follow_args::FollowArgs;
use super::following::Following;
use super::run_args::ResolvedRuns;
use super::session::{Session, cannot_go_on, list_command};
use crate::api::{SendError, Submission};
use crate::core::Acceptance;
use crate::exit::Exit;
use crate::follow::{FollowTarget, Inputs};
use crate::global::Format;
use crate::listen::Receiver;
use crate::model::{AgentId, Run, RunId};
use crate::report::Failure;
use crate::text::page::Page;
use crate::ui::signals::{Signal, Signals, suspend};

/// How long the local engine may work on the run before a notice says why the command does not end.
const PATIENCE: Duration = Duration::from_secs(1);
/// The most candidates that are listed for a lost message.
const MOST_NAMED: usize = 5;

/// A request that is ready to be sent.
pub struct MessageRequest {
    /// The JSON text.
    pub body: String,
    /// The receiver of its callback, with `--listen`.
    pub receiver: Option<Receiver>,
}

/// Submits a request to an agent, and follows its run if the flags ask for it.
pub async fn submit(
    ctx: &Ctx,
    session: &Session,
    agent: &AgentId,
    request: MessageRequest,
    args: &FollowArgs,
) -> anyhow::Result<End> {
    // From here on, Ctrl-C has to report whether the message was sent.
    let mut signals = Signals::catch()?;
    let run = match post(session, agent, &request, &mut signals).await? {
        Ok(run) => run,
        Err(signal) => return Ok(nothing_sent(ctx, session, signal)),
    };
    session.remember(agent, &run);
    if args.follows() {
        return follow_run(ctx, session, args, run, request.receiver, &mut signals).await;
    }
    let printed = print_run(ctx, session, &run);
    // The local engine finishes the accepted run even if printing failed.
    let end = finish_locally(ctx, session, &run, &mut signals).await?;
    printed.map(|()| end)
}

/// Submits the message. After a signal the outcome is unknown, unless nothing was sent yet.
async fn post(
    session: &Session,
    agent: &AgentId,
    request: &MessageRequest,
    signals: &mut Signals,
) -> anyhow::Result<Result<Run, Signal>> {
    let key = Uuid::new_v4().to_string();
    let body = request.body.clone();
    let own_callback = request.receiver.is_some();
    let submission =
        Submission { agent: agent.clone(), body, key, own_callback, acceptance: Acceptance::Impossible.into() };
    match signals.during(session.api.send(&submission, || session.own_runs()), suspend).await {
        Ok(run) => run.map(Ok).map_err(|error| lost(session, error, agent).into()),
        Err(signal) if session.api.acceptance(&submission) == Acceptance::Impossible => Ok(Err(signal)),
        Err(_) => Err(unknown(session, interrupted(session), agent).into()),
    }
}

fn nothing_sent(ctx: &Ctx, session: &Session, signal: Signal) -> End {
    let page = Page::new().say("nothing was sent: ").show(session.api.server());
    ctx.io.notice(&page.say(" had not taken the message yet").end());
    signal.into()
}

fn interrupted(session: &Session) -> Failure {
    let message = format!("it is unknown whether {} accepted the message", session.api.server());
    let exit = Acceptance::Possible.exit(Exit::Interrupted);
    Failure::new(exit, "outcome_unknown", message).cause("interrupted while waiting for the answer")
}

fn lost(session: &Session, lost: SendError, agent: &AgentId) -> Failure {
    let failure = lost.error.failure();
    if failure.exit != Exit::Unknown {
        return failure;
    }
    let ids: Vec<&str> = lost.candidates.iter().map(RunId::as_str).collect();
    let failure = match ids[..] {
        [] => failure.cause("no run of this message was found, which does not prove that there is none"),
        _ if ids.len() > MOST_NAMED => {
            failure.cause(format!("it may have become one of {} runs, which nothing proves", ids.len()))
        }
        _ => failure.cause(format!("it may have become {}, which nothing proves", ids.join(" or "))),
    };
    unknown(session, failure, agent)
}

/// Adds the command that lists the agent's runs.
fn unknown(session: &Session, failure: Failure, agent: &AgentId) -> Failure {
    let list = list_command(agent, &session.command_suffix());
    failure.hint(format!("do not send it again blindly: `{list}` shows the agent's runs"))
}

async fn follow_run(
    ctx: &Ctx,
    session: &Session,
    args: &FollowArgs,
    run: Run,
    receiver: Option<Receiver>,
    signals: &mut Signals,
) -> anyhow::Result<End> {
    let target = FollowTarget { id: run.id().clone(), run: Some(run), sent_here: true };
    let following = Following::new(ctx, session, args);
    let id = target.id.clone();
    following.announce(&id);
    let (hints, _accepting) = receiver.map(Receiver::split).unzip();
    let end = following.follow(Inputs { targets: ResolvedRuns::of([target]).targets, hints }, signals).await?;
    if ctx.io.quiet && end != End::Exit(Exit::Done) {
        // `-q` hid the id, which the user now needs to inspect the run.
        ctx.io.say(&Page::new().say("run: ").show(id.as_str()).end());
    }
    Ok(end)
}

/// Prints the accepted run. A failure to print names the run, so that its id is not lost.
fn print_run(ctx: &Ctx, session: &Session, run: &Run) -> anyhow::Result<()> {
    let printed = match ctx.format {
        Format::Human => ctx.io.page(&session.card(ctx, run, None)),
        Format::Json => ctx.io.document(run.document().line()),
        Format::Id => ctx.io.id(run.id().as_str()),
        Format::None => {
            ctx.io.notice(&Page::new().say("run: ").show(run.id().as_str()).end());
            Ok(())
        }
    };
    printed.map_err(|failure| failure.run(run.id()).into())
}

/// Waits until the engine of this process has finished the run, since the engine ends with the process.
async fn finish_locally(ctx: &Ctx, session: &Session, run: &Run, signals: &mut Signals) -> anyhow::Result<End> {
    let Some(engine) = &session.engine else { return Ok(Exit::Done.into()) };
    let settling = async {
        let settled = engine.settle(run.id());
        tokio::pin!(settled);
        if let Ok(done) = tokio::time::timeout(PATIENCE, &mut settled).await {
            return done;
        }
        let page = Page::new().say("finishing the run here; Ctrl-C leaves it to the next ");
        ctx.io.notice(&page.say("`agentctl watch ").show(run.id().as_str()).say(" --local`").end());
        settled.await
    };
    match signals.during(settling, suspend).await {
        Ok(settled) => settled.map(|()| Exit::Done.into()).map_err(|error| cannot_go_on(&error, Some(run.id())).into()),
        Err(signal) => Ok(signal.into()),
    }
}
