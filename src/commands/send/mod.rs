//! `send`: builds the request, submits it, and follows the run if asked to.

mod args;
mod body;
mod preview;
mod source;
mod texts;

pub use args::Args;

use std::fmt::Display;

use super::support::runtime::on_runtime;
use super::support::session::{Session, not_an_agent};
use super::support::submit::{self, MessageRequest};
use super::support::{following, receiver};
use super::{Ctx, End};
use crate::follow::FollowTarget;
use crate::listen::Bound;
use crate::model::{AgentId, AgentRef};
use crate::report::Failure;
use crate::text::page::Page;

/// A request that is ready to be sent.
struct Ready {
    agent: Option<AgentRef>,
    body: String,
    /// The port of the callback receiver, with `--listen`.
    receiver: Option<Bound>,
}

/// Runs `send`.
pub fn run(ctx: &Ctx, args: Args) -> anyhow::Result<End> {
    args.follow.check(ctx)?;
    check_listen(&args)?;
    let settings = ctx.settings()?;
    let sources = source::read(ctx, &args)?;
    let receiver = args.listen.then(|| args.receiver.bind(ctx)).transpose()?;
    let request = body::build(&args, &sources, receiver.as_ref().map(Bound::url))?;
    let named = args.agent.clone().map(Ok).or_else(|| request.agent_id.as_deref().map(|id| agent_in("agent_id", id)));
    let fallback = || settings.agent.as_ref().map(|agent| agent_in(&agent.provenance, &agent.value));
    let named = named.or_else(fallback).transpose()?;
    if request.callback_has_user {
        let said = "the callback URL has a user name: the server will send it and its password as Basic auth";
        ctx.io.notice(&Page::new().say(said).end());
    }
    let ready = Ready { agent: named, body: request.body, receiver };
    if args.dry_run || args.curl {
        return preview::print(ctx, &args, &settings, &ready);
    }
    on_runtime(async {
        let session = Session::open_to_execute(ctx, settings).await?;
        let end = send(ctx, &session, &args, ready).await;
        session.close().await;
        end
    })
}

/// Refuses `--listen` unless the run is followed: the receiver ends with the command.
fn check_listen(args: &Args) -> Result<(), Failure> {
    if args.listen && !args.follow.follows() {
        let failure = Failure::usage("--listen only works when the run is followed");
        return Err(failure.hint("add --watch, --wait or --reply; `agentctl listen` receives callbacks of other runs"));
    }
    if args.receiver.is_given() && !args.listen {
        return Err(Failure::usage("--bind and --public-url only work with --listen").hint("add --listen"));
    }
    Ok(())
}

fn agent_in(provenance: impl Display, value: &str) -> Result<AgentRef, Failure> {
    value.parse().map_err(|error| not_an_agent(provenance, error))
}

async fn send(ctx: &Ctx, session: &Session, args: &Args, ready: Ready) -> anyhow::Result<End> {
    let agent = session.agent(ready.agent.as_ref()).await?;
    if args.when_idle {
        wait_until_idle(ctx, session, &agent).await?;
    }
    let receiver = ready.receiver.map(receiver::start).transpose()?;
    submit::submit(ctx, session, &agent, MessageRequest { body: ready.body, receiver }, &args.follow).await
}

/// Waits until the agent has no active run.
async fn wait_until_idle(ctx: &Ctx, session: &Session, agent: &AgentId) -> anyhow::Result<()> {
    loop {
        let active = session.active_runs(agent).await?;
        if active.is_empty() {
            return Ok(());
        }
        let count = active.len().to_string();
        ctx.io.notice(&Page::new().say("waiting until the agent is idle: ").show(&count).say(" at work").end());
        following::wait_silently(session, active.into_iter().map(FollowTarget::from).collect()).await?;
    }
}
