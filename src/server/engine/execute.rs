//! Executes one run, from its claim to its end: step by step, each stored before the next begins.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use rusqlite::Transaction;
use tokio::time::{Instant, sleep};

use super::approvals::{self, NextStep};
use super::next_work::{NextWork, NextWorkQuery};
use super::state::Engine;
use crate::model::{RunStatus, StopReason};
use crate::server::models::turn::{Act, Model, Step, TokenCount, Turn};
use crate::server::models::{self, estimate_tokens};
use crate::server::store::fence::{self, Claim};
use crate::server::store::new_message::NewMessage;
use crate::server::store::steps::{self, Ending, NewStep};
use crate::server::store::{self, Result, StoreError, claims, messages, runs};
use crate::server::types::approval::{PendingApproval, Resume};
use crate::server::types::behaviour::Behaviour;
use crate::server::types::clock;
use crate::server::types::request::ToolReturn;
use crate::server::types::run_error::{RunError, RunErrorKind};
use crate::server::types::tool_call::ToolCall;

/// The interval at which the lease of a run in progress is renewed and checked.
const RENEW: Duration = Duration::from_secs(2);

/// Executes a run. The transaction that ends it also queries the agent's next work, which is returned. Returns `None`
/// early if the run is cancelled or another process takes it over.
pub async fn execute(engine: &Engine, claim: &Claim, query: NextWorkQuery) -> Result<Option<NextWork>> {
    #[cfg(sabotage)]
    crate::sabotage::may_die("after-claim");
    let aborted = engine.record_started(&claim.run);
    let result = tokio::select! {
        result = Execution::new(engine, claim, query).run() => result,
        () = aborted.notified() => Ok(None),
        () = renew_lease(engine, claim) => Ok(None),
    };
    engine.record_ended(&claim.run);
    match result {
        Err(StoreError::Lost) => Ok(None),
        other => other,
    }
}

/// Renews the lease. Returns once it was lost.
async fn renew_lease(engine: &Engine, claim: &Claim) {
    loop {
        sleep(RENEW).await;
        let claim = claim.clone();
        if let Err(StoreError::Lost) = engine.db.work(move |tx| claims::renew(tx, &claim)).await {
            return;
        }
    }
}

struct Execution<'a> {
    engine: &'a Engine,
    claim: &'a Claim,
    began: Instant,
    /// The time from acceptance to the begin of this execution.
    waited: Duration,
    query: NextWorkQuery,
}

/// The turn of a run, once it is known.
struct Task {
    model: Box<dyn Model>,
    handle: String,
    turn: Turn,
    /// The position in the turn at which this run begins.
    from: i64,
    /// The estimated prompt of the next step, in tokens.
    prompt: i64,
}

impl<'a> Execution<'a> {
    fn new(engine: &'a Engine, claim: &'a Claim, query: NextWorkQuery) -> Self {
        let began = Instant::now();
        // Only for a run that another process accepted: the wall clock may have been changed since.
        let wall = || Duration::from_micros(u64::try_from(clock::now() - claim.created).unwrap_or(0));
        let waited = engine.accepted_at(&claim.run).map_or_else(wall, |at| began.saturating_duration_since(at));
        Self { engine, claim, began, waited, query }
    }

    async fn run(self) -> Result<Option<NextWork>> {
        let mut task = match self.open().await? {
            Ok(Some(task)) => task,
            Ok(None) => return self.end(None, None, self.ending(StopReason::EndTurn)).await,
            Err(error) => return self.end(None, None, self.failed(error)).await,
        };
        let mut done = self.claim.steps;
        while done < self.claim.request.max_steps {
            if self.was_cancelled().await? {
                return Ok(None);
            }
            self.load_history(&mut task).await?;
            match take_step(&task, done).await {
                Err(error) => return self.fail(error, &task).await,
                Ok(step) => {
                    let visible = !step.acts.is_empty() || !step.thoughts.is_empty();
                    let new = visible.then(|| self.new_step(&step, &mut task, done));
                    let ttft = self.ttft(&task.turn);
                    match step.stop {
                        Some(reason) => return self.end(new, ttft, self.ending(reason)).await,
                        None => self.commit(new, ttft).await?,
                    }
                    done += 1;
                }
            }
        }
        self.end(None, self.ttft(&task.turn), self.ending(self.out_of_steps())).await
    }

    /// Whether the run was cancelled during its last step. Unless cancels wait for the end of a step, they abort the
    /// execution instead.
    async fn was_cancelled(&self) -> Result<bool> {
        if !self.behaviour().cancels_between_steps() {
            return Ok(false);
        }
        let run = self.claim.run.clone();
        let run = self.engine.db.read(move |tx| runs::get(tx, &run)).await?;
        Ok(run.is_none_or(|run| run.status.is_terminal()))
    }

    /// Loads the conversation, for a model that reads it.
    async fn load_history(&self, task: &mut Task) -> Result<()> {
        if task.model.reads_history() {
            let claim = self.claim.clone();
            let of_steps = self.behaviour().hides_input_until_a_step();
            task.turn.history = self.engine.db.read(move |tx| messages::history(tx, &claim, of_steps)).await?;
        }
        Ok(())
    }

    fn behaviour(&self) -> Behaviour {
        self.engine.behaviour
    }

    fn out_of_steps(&self) -> StopReason {
        let none = self.claim.request.max_steps <= 0;
        if none && self.behaviour().zero_steps_end_the_turn() { StopReason::EndTurn } else { StopReason::MaxSteps }
    }

    /// Finds the turn of the run, and carries out the decision of its request. `None` if there is nothing to answer.
    async fn open(&self) -> Result<std::result::Result<Option<Task>, RunError>> {
        // A cancel between the claim and `record_started` had no signal to abort this execution with.
        self.engine.db.glance(|connection| fence::check(connection, self.claim))?;
        let next = approvals::decide(&self.engine.db, self.claim).await?;
        Ok(next.and_then(|next| match next {
            NextStep::Answer => self.task(None).map(Some),
            NextStep::Resume(resume) => self.task(Some(resume)).map(Some),
            NextStep::Nothing => Ok(None),
        }))
    }

    fn task(&self, resume: Option<Resume>) -> std::result::Result<Task, RunError> {
        let claim = self.claim;
        claim.request.check()?;
        let resumed = resume.as_ref().map(|resume| &resume.model);
        let handle = claim.request.override_model.as_ref().or(resumed).unwrap_or(&claim.model).clone();
        let from = resume.as_ref().map_or(0, |resume| resume.position);
        let text = resume.map_or_else(|| claim.request.text(), |resume| resume.text);
        let prompt = estimate_tokens(&claim.system) + estimate_tokens(&text);
        let turn = Turn { text, system: claim.system.clone(), thinking: claim.request.thinking, ..Turn::default() };
        Ok(Task { model: models::model(&handle, &self.engine.providers)?, handle, turn, from, prompt })
    }

    /// Builds the row of a step: its reasoning, then its acts.
    fn new_step(&self, step: &Step, task: &mut Task, done: i64) -> NewStep {
        let mut new = NewStep { model: task.handle.clone(), ..NewStep::default() };
        new.messages.extend(step.thoughts.iter().map(|thought| NewMessage::thought(thought)));
        for act in &step.acts {
            match act {
                Act::Reply(text) => new.messages.push(NewMessage::reply(text)),
                Act::Tool(call) => new.messages.extend(self.tool_messages(call)),
                Act::Unknown(call) => new.messages.extend(call_and_return(call, true, models::no_such_tool(call))),
                Act::Ask(call) => {
                    let position = task.from + done + 1;
                    let resume = Resume { model: task.handle.clone(), text: task.turn.text.clone(), position };
                    request_approval(call, resume, &mut new);
                }
            }
        }
        count_tokens(step, task, &mut new);
        new
    }

    /// Returns a tool call and its result, or the reply that the call carries.
    fn tool_messages(&self, call: &ToolCall) -> Vec<NewMessage> {
        if let Some(text) = self.claim.request.reply_of(&call.name, &call.arguments, self.behaviour()) {
            return vec![NewMessage::reply(&text)];
        }
        call_and_return(call, false, models::tool_return(call)).into()
    }

    async fn fail(&self, error: RunError, task: &Task) -> Result<Option<NextWork>> {
        let ending = self.failed(error.clone());
        // The tokens of a failed call to a provider are unknown.
        let prompt_tokens = if task.model.reads_history() { 0 } else { task.prompt };
        let step = NewStep {
            model: task.handle.clone(),
            prompt_tokens,
            error: Some(error),
            drops_input: self.behaviour().hides_input_until_a_step(),
            ..NewStep::default()
        };
        self.end(Some(step), self.ttft(&task.turn), ending).await
    }

    fn failed(&self, error: RunError) -> Ending {
        let reason = self.behaviour().failure_stop_reason(&error.kind.stop_reason(), self.claim.request.kind);
        Ending { status: RunStatus::Failed, error: Some(error), ..self.ending(reason) }
    }

    /// Returns the ending for a stop reason. An unknown reason is a success.
    fn ending(&self, reason: StopReason) -> Ending {
        let status = self.behaviour().ends_as(&reason);
        let stopped = || RunError::new(RunErrorKind::Stopped, format!("the run was stopped with `{reason}`"));
        let error = (status == RunStatus::Failed).then(stopped);
        Ending { status, reason, error, duration_ns: self.nanos(Instant::now()) }
    }

    /// Stores a step that does not end the run.
    async fn commit(&self, step: Option<NewStep>, ttft: Option<i64>) -> Result<()> {
        let claim = self.claim.clone();
        #[cfg(sabotage)]
        crate::sabotage::may_die("mid-step");
        self.engine.db.work(move |tx| steps::commit(tx, &claim, step.as_ref(), ttft, None)).await?;
        self.engine.notify(&self.claim.run);
        Ok(())
    }

    /// Stores the last step, if there is one, and the end of the run; in the same transaction, queries the next work.
    async fn end(&self, step: Option<NewStep>, ttft: Option<i64>, ending: Ending) -> Result<Option<NextWork>> {
        let claim = self.claim.clone();
        let query = self.query.clone();
        #[cfg(sabotage)]
        crate::sabotage::may_die("before-end");
        let work = move |tx: &Transaction<'_>| {
            steps::commit(tx, &claim, step.as_ref(), ttft, Some(&ending))?;
            store::try_in_savepoint(tx, |tx| query.run(tx))
        };
        let next = self.engine.db.work(work).await?;
        #[cfg(sabotage)]
        {
            crate::sabotage::may_die("after-end");
            let claim = self.claim.clone();
            self.engine.db.work(move |tx| steps::add_callback_late(tx, &claim)).await?;
        }
        self.engine.notify(&self.claim.run);
        Ok(next)
    }

    fn ttft(&self, turn: &Turn) -> Option<i64> {
        turn.first_output.at().map(|at| self.nanos(at))
    }

    /// Returns the nanoseconds from acceptance to a time.
    fn nanos(&self, at: Instant) -> i64 {
        i64::try_from((self.waited + at.duration_since(self.began)).as_nanos()).unwrap_or(i64::MAX)
    }
}

/// Takes the step after the `done` first ones of the run. A panic of the model is an error.
async fn take_step(task: &Task, done: i64) -> std::result::Result<Step, RunError> {
    let position = usize::try_from(task.from + done).unwrap_or(usize::MAX);
    let panicked = |_| Err(RunError::new(RunErrorKind::ModelPanicked, "the model panicked"));
    AssertUnwindSafe(task.model.step(&task.turn, position)).catch_unwind().await.unwrap_or_else(panicked)
}

/// Sets the tokens of a step: those that the provider counted, or else an estimate.
fn count_tokens(step: &Step, task: &mut Task, new: &mut NewStep) {
    let estimate = new.messages.iter().map(|message| estimate_tokens(message.text())).sum();
    let tokens = step.tokens.unwrap_or(TokenCount { prompt: task.prompt, completion: estimate });
    new.prompt_tokens = tokens.prompt;
    new.completion_tokens = tokens.completion;
    task.prompt += estimate;
}

fn call_and_return(call: &ToolCall, error: bool, answer: String) -> [NewMessage; 2] {
    let id = new_call_id();
    [NewMessage::call(call, &id), NewMessage::tool_return(&call.name, &id, &ToolReturn::new(error, answer))]
}

/// Adds a request for approval to a step.
fn request_approval(call: &ToolCall, resume: Resume, new: &mut NewStep) {
    let tool_call_id = new_call_id();
    let message = NewMessage::request(call, &tool_call_id);
    new.pending = Some(PendingApproval { message_id: message.id(), tool_call_id, call: call.clone(), resume });
    new.messages.push(message);
}

fn new_call_id() -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    format!("call_{}", &id[..24])
}

#[cfg(test)]
mod tests {
    use futures_util::future::BoxFuture;

    use super::*;

    struct Panicking;

    impl Model for Panicking {
        fn step<'a>(&'a self, _: &'a Turn, _: usize) -> BoxFuture<'a, Result<Step, RunError>> {
            async { panic!("on purpose") }.boxed()
        }
    }

    #[tokio::test]
    async fn a_panic_of_a_model_is_an_error_of_the_run() {
        let task =
            Task { model: Box::new(Panicking), handle: String::new(), turn: Turn::default(), from: 0, prompt: 0 };
        assert_eq!(take_step(&task, 0).await.expect_err("failed").kind, RunErrorKind::ModelPanicked);
    }
}
