//! One run, from claim to end: a step at a time, each stored before the next begins.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use rusqlite::Transaction;
use tokio::time::{Instant, sleep};

use super::Engine;
use super::approvals::{self, Next};
use super::worker::{Look, Taken};
use crate::model::{RunStatus, StopReason};
use crate::server::Manners;
use crate::server::models::{self, Act, Call, Failure, Model, Step, Turn, Used, tokens};
use crate::server::store::approvals::{Pending, Resume};
use crate::server::store::claims::{self, Claim};
use crate::server::store::messages::{self, NewMessage};
use crate::server::store::runs;
use crate::server::store::steps::{self, Ending, NewStep};
use crate::server::store::{self, Result, StoreError};
use crate::server::types::clock;
use crate::server::types::request::Returned;

/// How often a run at work looks whether it still is this process's, and shows a sign of life.
const RENEW: Duration = Duration::from_secs(2);

/// Carries out a run, and looks with its end for what there is to do next. It stops early, without a word, when the run
/// is cancelled or taken over.
pub async fn execute(engine: &Engine, claim: &Claim, look: Look) -> Result<Option<Taken>> {
    #[cfg(sabotage)]
    crate::sabotage::may_die("after-claim");
    let halted = engine.begin(&claim.run);
    let result = tokio::select! {
        result = Execution::new(engine, claim, look).run() => result,
        () = halted.notified() => Ok(None),
        () = keep(engine, claim) => Ok(None),
    };
    engine.finish(&claim.run);
    match result {
        Err(StoreError::Lost) => Ok(None),
        other => other,
    }
}

/// Renews the lease; returns when it was lost.
async fn keep(engine: &Engine, claim: &Claim) {
    loop {
        sleep(RENEW).await;
        let mine = claim.clone();
        if let Err(StoreError::Lost) = engine.db.work(move |tx| claims::renew(tx, &mine)).await {
            return;
        }
    }
}

struct Execution<'a> {
    engine: &'a Engine,
    claim: &'a Claim,
    began: Instant,
    /// How long ago the run was accepted when this began.
    before: Duration,
    look: Look,
}

/// What the run is to do, once that is known.
struct Task {
    model: Box<dyn Model>,
    handle: String,
    turn: Turn,
    /// Where in the turn this run begins.
    from: i64,
    /// Tokens that the next step is sent.
    prompt: i64,
}

impl<'a> Execution<'a> {
    fn new(engine: &'a Engine, claim: &'a Claim, look: Look) -> Self {
        let began = Instant::now();
        // The wall clock serves only where another process accepted the run.
        let wall = || Duration::from_micros(u64::try_from(clock::now() - claim.created).unwrap_or(0));
        let before = engine.accepted_at(&claim.run).map_or_else(wall, |at| began.saturating_duration_since(at));
        Self { engine, claim, began, before, look }
    }

    async fn run(self) -> Result<Option<Taken>> {
        let mut task = match self.open().await? {
            Ok(Some(task)) => task,
            Ok(None) => return self.end(None, None, self.ending(StopReason::EndTurn)).await,
            Err(failure) => return self.end(None, None, self.failed(&failure)).await,
        };
        let mut done = self.claim.steps;
        while done < self.claim.request.max_steps {
            if self.was_cancelled().await? {
                return Ok(None);
            }
            self.remember(&mut task).await?;
            match ask(&task, done).await {
                Err(failure) => return self.fail(failure, &task).await,
                Ok(step) => {
                    let visible = !step.acts.is_empty() || !step.thoughts.is_empty();
                    let (new, ttft) = (visible.then(|| self.messages(&step, &mut task, done)), self.ttft(&task.turn));
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

    /// Whether the run was cancelled while its last step went on. Where a cancel halts the step this never comes up.
    async fn was_cancelled(&self) -> Result<bool> {
        if !self.manners().cancels_between_steps() {
            return Ok(false);
        }
        let run = self.claim.run.clone();
        let run = self.engine.db.read(move |tx| runs::get(tx, &run)).await?;
        Ok(run.is_none_or(|run| run.status.is_terminal()))
    }

    /// Brings the conversation up to date, for a model that reads it.
    async fn remember(&self, task: &mut Task) -> Result<()> {
        if task.model.remembers() {
            let (claim, of_steps) = (self.claim.clone(), self.manners().hides_input_until_a_step());
            task.turn.history = self.engine.db.read(move |tx| messages::history(tx, &claim, of_steps)).await?;
        }
        Ok(())
    }

    fn manners(&self) -> Manners {
        self.engine.manners
    }

    fn out_of_steps(&self) -> StopReason {
        let none = self.claim.request.max_steps <= 0;
        if none && self.manners().no_step_is_a_turn() { StopReason::EndTurn } else { StopReason::MaxSteps }
    }

    /// Finds out what is to be done. A decision that the run brings is carried out here.
    async fn open(&self) -> Result<std::result::Result<Option<Task>, Failure>> {
        // Between the claim and this process's taking note of it, a cancel could have come.
        self.engine.db.glance(|connection| claims::check(connection, self.claim))?;
        let next = approvals::decide(&self.engine.db, self.claim).await?;
        Ok(next.and_then(|next| match next {
            Next::Answer => self.task(None).map(Some),
            Next::GoOn(resume) => self.task(Some(resume)).map(Some),
            Next::Nothing => Ok(None),
        }))
    }

    fn task(&self, resume: Option<Resume>) -> std::result::Result<Task, Failure> {
        let claim = self.claim;
        claim.request.check()?;
        let resumed = resume.as_ref().map(|resume| &resume.model);
        let handle = claim.request.override_model.as_ref().or(resumed).unwrap_or(&claim.model).clone();
        let from = resume.as_ref().map_or(0, |resume| resume.at);
        let text = resume.map_or_else(|| claim.request.text(), |resume| resume.text);
        let prompt = tokens(&claim.system) + tokens(&text);
        let (system, thinking) = (claim.system.clone(), claim.request.thinking);
        let turn = Turn { text, system, thinking, ..Turn::default() };
        Ok(Task { model: models::model(&handle, &self.engine.providers)?, handle, turn, from, prompt })
    }

    /// A step as it is stored: its thoughts, then its act.
    fn messages(&self, step: &Step, task: &mut Task, done: i64) -> NewStep {
        let mut new = NewStep { model: task.handle.clone(), ..NewStep::default() };
        new.messages.extend(step.thoughts.iter().map(|thought| NewMessage::thought(thought)));
        for act in &step.acts {
            match act {
                Act::Reply(text) => new.messages.push(NewMessage::reply(text)),
                Act::Tool(call) => new.messages.extend(self.called(call)),
                Act::Unknown(call) => new.messages.extend(called(call, true, models::no_such_tool(call))),
                Act::Ask(call) => {
                    let at = task.from + done + 1;
                    let resume = Resume { model: task.handle.clone(), text: task.turn.text.clone(), at };
                    ask_for(call, resume, &mut new);
                }
            }
        }
        count(step, task, &mut new);
        new
    }

    /// A tool call and its answer; or, where the tool is the agent's way to speak, what it says.
    fn called(&self, call: &Call) -> Vec<NewMessage> {
        if let Some(text) = self.claim.request.spoken(&call.name, &call.arguments, self.manners()) {
            return vec![NewMessage::reply(&text)];
        }
        called(call, false, models::tool_return(call)).into()
    }

    async fn fail(&self, failure: Failure, task: &Task) -> Result<Option<Taken>> {
        let ending = self.failed(&failure);
        let model = task.handle.clone();
        // Of a call that failed, nobody knows what it used.
        let prompt_tokens = if task.model.remembers() { 0 } else { task.prompt };
        let mut step = NewStep { model, prompt_tokens, failure: Some(failure), ..NewStep::default() };
        step.loses_input = self.manners().hides_input_until_a_step();
        self.end(Some(step), self.ttft(&task.turn), ending).await
    }

    fn failed(&self, failure: &Failure) -> Ending {
        let reason = self.manners().raised(&failure.reason, self.claim.request.kind);
        let error = Some(failure.message.clone());
        Ending { status: RunStatus::Failed, error, ..self.ending(reason) }
    }

    /// How a run ends for a reason; one that nobody knows is a success.
    fn ending(&self, reason: StopReason) -> Ending {
        let status = self.manners().ends_as(&reason);
        let error = (status == RunStatus::Failed).then(|| format!("the run was stopped with `{reason}`"));
        Ending { status, reason, error, duration_ns: self.nanos(Instant::now()) }
    }

    /// Stores a step, behind which the run goes on.
    async fn commit(&self, step: Option<NewStep>, ttft: Option<i64>) -> Result<()> {
        let claim = self.claim.clone();
        #[cfg(sabotage)]
        crate::sabotage::may_die("mid-step");
        self.engine.db.work(move |tx| steps::commit(tx, &claim, step.as_ref(), ttft, None)).await?;
        self.engine.announce(&self.claim.run);
        Ok(())
    }

    /// Stores the last step, if there is one, and the end of the run; and takes what comes next in the same breath.
    async fn end(&self, step: Option<NewStep>, ttft: Option<i64>, ending: Ending) -> Result<Option<Taken>> {
        let (claim, look) = (self.claim.clone(), self.look.clone());
        #[cfg(sabotage)]
        crate::sabotage::may_die("before-end");
        let work = move |tx: &Transaction<'_>| {
            steps::commit(tx, &claim, step.as_ref(), ttft, Some(&ending))?;
            store::beside(tx, |tx| look.take(tx))
        };
        let taken = self.engine.db.work(work).await?;
        #[cfg(sabotage)]
        {
            crate::sabotage::may_die("after-end");
            let claim = self.claim.clone();
            self.engine.db.work(move |tx| steps::call_back_late(tx, &claim)).await?;
        }
        self.engine.announce(&self.claim.run);
        Ok(taken)
    }

    fn ttft(&self, turn: &Turn) -> Option<i64> {
        turn.first_output.at().map(|at| self.nanos(at))
    }

    /// Nanoseconds from acceptance to a moment.
    fn nanos(&self, at: Instant) -> i64 {
        i64::try_from((self.before + at.duration_since(self.began)).as_nanos()).unwrap_or(i64::MAX)
    }
}

/// Asks the model for the step behind those that are done; one that panics has failed.
async fn ask(task: &Task, done: i64) -> std::result::Result<Step, Failure> {
    let position = usize::try_from(task.from + done).unwrap_or(usize::MAX);
    let panicked = |_| Err(Failure::new("PanicError", "the model panicked"));
    AssertUnwindSafe(task.model.step(&task.turn, position)).catch_unwind().await.unwrap_or_else(panicked)
}

/// Fills in what a step used: what was counted, or an estimate.
fn count(step: &Step, task: &mut Task, new: &mut NewStep) {
    let estimate = new.messages.iter().map(|message| tokens(message.text())).sum();
    let used = step.used.unwrap_or(Used { prompt: task.prompt, completion: estimate });
    (new.prompt_tokens, new.completion_tokens) = (used.prompt, used.completion);
    task.prompt += estimate;
}

/// A tool call and its answer.
fn called(call: &Call, error: bool, answer: String) -> [NewMessage; 2] {
    let id = call_id();
    [NewMessage::call(call, &id), NewMessage::tool_return(&call.name, &id, &Returned::new(error, answer))]
}

/// Lets a call wait for a decision.
fn ask_for(call: &Call, resume: Resume, new: &mut NewStep) {
    let tool_call_id = call_id();
    let message = NewMessage::request(call, &tool_call_id);
    new.waits = Some(Pending { message_id: message.id(), tool_call_id, call: call.clone(), resume });
    new.messages.push(message);
}

fn call_id() -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    format!("call_{}", &id[..24])
}

#[cfg(test)]
mod tests {
    use futures_util::future::BoxFuture;

    use super::*;

    struct Faulty;

    impl Model for Faulty {
        fn step<'a>(&'a self, _: &'a Turn, _: usize) -> BoxFuture<'a, Result<Step, Failure>> {
            async { panic!("on purpose") }.boxed()
        }
    }

    #[tokio::test]
    async fn a_model_that_panics_has_failed() {
        let task = Task { model: Box::new(Faulty), handle: String::new(), turn: Turn::default(), from: 0, prompt: 0 };
        assert_eq!(ask(&task, 0).await.expect_err("failed").kind, "PanicError");
    }
}
