//! Approvals: the tool calls that wait for a decision, and sending the decision. `approve` and `deny` share it; `status` shows the calls that wait.

use serde_json::{Value, json};
use uuid::Uuid;

use super::command_end::End;
use super::ctx::Ctx;
use super::follow_args::FollowArgs;
use super::run_args::{self, RunArg};
use super::runtime::on_runtime;
use super::session::Session;
use super::submit::{self, MessageRequest};
use crate::api::ApiError;
use crate::api::endpoints::optional;
use crate::core::outcome::outcome;
use crate::exit::Exit;
use crate::model::message::ToolCall;
use crate::model::{AgentId, Message, Run, approval};
use crate::report::Failure;

/// An `approve` or `deny` command: the decision about tool calls that wait for approval.
pub struct ApprovalCommand<'a> {
    /// The command's name.
    pub verb: &'static str,
    /// Whether the calls may be made.
    pub approve: bool,
    /// The reason of a denial, for the agent.
    pub reason: Option<&'a str>,
    /// The ids of the calls that it is about; empty for all calls that wait.
    pub calls: &'a [String],
}

/// Sends the decision about a run, and prints or follows the new run that continues it.
pub fn answer(ctx: &Ctx, run: &str, decision: &ApprovalCommand<'_>, follow: &FollowArgs) -> anyhow::Result<End> {
    follow.check(ctx)?;
    let named = RunArg::parse(run)?;
    let settings = ctx.settings()?;
    on_runtime(async {
        let session = Session::open_to_execute(ctx, settings).await?;
        let end = submit_answer(ctx, &session, named, decision, follow).await;
        session.close().await;
        end
    })
}

async fn submit_answer(
    ctx: &Ctx,
    session: &Session,
    named: RunArg,
    decision: &ApprovalCommand<'_>,
    follow: &FollowArgs,
) -> anyhow::Result<End> {
    let target = run_args::one(ctx, session, named, decision.verb).await?;
    let (agent, run) = run_args::with_agent(session, &target.id).await?;
    let calls = chosen(&run, waiting(session, &agent, &run).await?, decision)?;
    submit::submit(ctx, session, &agent, MessageRequest { body: body(&calls, decision), receiver: None }, follow).await
}

/// The tool calls of a run that wait for a decision.
pub struct Waiting {
    /// The calls that wait; empty if the server shows no messages.
    pub pending: Vec<ToolCall>,
    /// How many calls the run asked approval for, answered or not.
    pub asked: usize,
    /// Whether the server shows messages at all.
    pub is_known: bool,
}

/// Finds the tool calls of a run that wait for a decision.
///
/// An earlier decision is a message of a later run, so the agent's messages are read, too.
pub async fn waiting(session: &Session, agent: &AgentId, run: &Run) -> Result<Waiting, Failure> {
    let failed = |error: ApiError| error.failure().run(run.id());
    let own = optional(session.api.messages(run.id(), None).await).map_err(failed)?;
    let is_known = own.is_some();
    let mut messages = own.unwrap_or_default();
    let request = messages.iter().rfind(|message| approval::asks(message));
    let request = request.and_then(|message| message.document().text("id")).map(str::to_owned);
    let of_agent = optional(session.api.agent_messages(agent, request.as_deref()).await).map_err(failed)?;
    // A run may keep only some types of messages: then its approval request is found among the agent's messages.
    let id = Some(run.id().as_str());
    let is_ours = |message: &Message| request.is_none() && message.document().text("run_id") == id;
    messages.extend(
        of_agent.unwrap_or_default().into_iter().filter(|message| !approval::asks(message) || is_ours(message)),
    );
    let pending = approval::pending(&messages);
    let asked = approval::asked(&messages).len();
    Ok(Waiting { pending, asked, is_known })
}

/// Returns the ids of the calls that the decision is sent for.
fn chosen(run: &Run, waiting: Waiting, decision: &ApprovalCommand<'_>) -> Result<Vec<String>, Failure> {
    let pending: Vec<String> = waiting.pending.into_iter().map(|call| call.id).collect();
    match decision.calls {
        // The ids cannot be checked, so they are sent as given.
        calls if !calls.is_empty() && !waiting.is_known => Ok(calls.to_vec()),
        [] if !pending.is_empty() => Ok(pending),
        [] => Err(nothing_waits(run, waiting.asked, waiting.is_known)),
        calls => match calls.iter().find(|call| !pending.contains(call)) {
            None => Ok(calls.to_vec()),
            Some(_) if pending.is_empty() => Err(nothing_waits(run, waiting.asked, waiting.is_known)),
            Some(call) => {
                let failure = refused(run, format!("no tool call `{call}` of {} waits for a decision", run.id()));
                Err(failure.hint(format!("these wait: {}", pending.join(", "))))
            }
        },
    }
}

/// Explains why no call waits. Nothing is sent then: an answer without a request would cost the agent a turn.
fn nothing_waits(run: &Run, asked: usize, is_known: bool) -> Failure {
    if !is_known {
        let failure = refused(run, format!("the server does not show the messages of {}", run.id()));
        return failure.hint("name the call with --tool-call");
    }
    let words = outcome(run, std::time::Duration::ZERO).words();
    match asked {
        0 => refused(run, format!("{} does not wait for approval ({words})", run.id()))
            .hint("only a run that stopped with `requires_approval` can be answered"),
        _ => refused(run, format!("the approval requests of {} are answered already", run.id()))
            .hint("a later run of the agent continues it"),
    }
}

fn refused(run: &Run, message: String) -> Failure {
    Failure::new(Exit::Usage, "nothing_waits", message).run(run.id())
}

/// Returns the body of the request with the decision.
fn body(calls: &[String], decision: &ApprovalCommand<'_>) -> String {
    let answer = |call: &String| {
        let mut answer = json!({"type": "approval", "tool_call_id": call, "approve": decision.approve});
        if let Some(reason) = decision.reason {
            answer["reason"] = json!(reason);
        }
        answer
    };
    let approvals: Vec<Value> = calls.iter().map(answer).collect();
    let message = json!({"type": "approval", "approvals": approvals, "otid": Uuid::new_v4().to_string()});
    json!({"messages": [message]}).to_string()
}
