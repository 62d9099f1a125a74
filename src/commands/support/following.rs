//! Follows runs for a command: progress display, output, signals and the exit code.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::cancelling;
use super::command_end::End;
use super::ctx::Ctx;
use super::follow_args::{FollowArgs, FollowFlags, OnStall};
use super::printer::Printer;
use super::run_args::{self, ResolvedRuns};
use super::session::{Session, cannot_go_on};
use crate::core::Outcome;
use crate::exit::Exit;
use crate::follow::{self, Event, FollowOptions, FollowTarget, Inputs, Messages, Stall};
use crate::global::Format;
use crate::model::{AgentId, Run, RunId};
use crate::render;
use crate::report::Failure;
use crate::text::count::plural;
use crate::text::page::Page;
use crate::ui::progress::{Choice, Clock, Progress};
use crate::ui::signals::{Signal, Signals, suspend};

/// Follows runs for a command.
pub struct Following<'a> {
    ctx: &'a Ctx,
    session: &'a Session,
    options: FollowFlags,
    any: bool,
    fail_fast: bool,
    printer: Printer<'a>,
    state: RefCell<FollowState<'a>>,
}

/// The state of the followed runs.
struct FollowState<'a> {
    progress: Progress<'a>,
    /// Runs that have not ended.
    open: BTreeSet<RunId>,
    outcomes: Vec<Outcome>,
    /// The number of runs that could not be followed to their end.
    lost: usize,
    ended: Vec<RunId>,
    /// Whether the notice that the local server answers was printed.
    said_local: bool,
    /// Runs whose agents this process's engine has adopted.
    adopted: HashSet<RunId>,
}

impl<'a> Following<'a> {
    /// Follows a run that the command has just sent, as `send` does.
    pub fn new(ctx: &'a Ctx, session: &'a Session, args: &FollowArgs) -> Self {
        let display = if args.watch { ctx.global.progress } else { Choice::None };
        Self {
            printer: Printer::new(ctx, session, args.options.clone(), true),
            ..Self::of_runs(ctx, session, &args.options, display)
        }
    }

    /// Follows runs that exist already, as `watch` does.
    pub fn of_runs(ctx: &'a Ctx, session: &'a Session, options: &FollowFlags, display: Choice) -> Self {
        let clock = Clock::new(Timestamp::now, if ctx.global.utc { TimeZone::UTC } else { TimeZone::system() });
        let state = FollowState {
            progress: Progress::new(display, &ctx.io, clock),
            open: BTreeSet::new(),
            outcomes: Vec::new(),
            lost: 0,
            ended: Vec::new(),
            said_local: false,
            adopted: HashSet::new(),
        };
        let printer = Printer::new(ctx, session, options.clone(), false);
        Self {
            ctx,
            session,
            options: options.clone(),
            any: false,
            fail_fast: false,
            printer,
            state: RefCell::new(state),
        }
    }

    /// Stops at the first run that ends (`any`), or at the first that does not succeed (`fail_fast`).
    pub fn ending_early(self, any: bool, fail_fast: bool) -> Self {
        Self { any, fail_fast, ..self }
    }

    /// Prints the run's id on stderr, since stdout gets the run only when it has ended.
    pub fn announce(&self, id: &RunId) {
        self.ctx.io.notice(&Page::new().say("run: ").show(id.as_str()).end());
    }

    /// Follows the runs until they end or a signal arrives.
    pub async fn follow(&self, inputs: impl Into<Inputs>, signals: &mut Signals) -> anyhow::Result<End> {
        let inputs = inputs.into();
        let options = FollowOptions { relaxed: inputs.hints.is_some(), ..self.options() };
        let mut emit = |event: Event| self.see(&event);
        let following = follow::follow(&self.session.api, inputs, &options, &mut emit);
        let exits = match signals.during(self.session.with_engine(following), || self.suspend()).await {
            Ok(exits) => exits,
            Err(signal) if self.options.cancel_on_interrupt => return self.cancel(signal, signals).await,
            Err(signal) => return Ok(self.detach(signal)),
        };
        self.state.borrow_mut().progress.finish();
        let exits = exits.map_err(|error| cannot_go_on(&error, self.state.borrow().open.first()))?;
        let exit = Exit::worst(exits.map_err(|failure| self.name_open_run(failure))?);
        match signals.during(self.finish_callbacks(), suspend).await {
            Ok(done) => done?,
            Err(signal) => return Ok(signal.into()),
        }
        self.say_counts();
        self.ring();
        Ok(exit.into())
    }

    /// Cancels the open runs and shows how they ended. Another signal detaches from them.
    async fn cancel(&self, signal: Signal, signals: &mut Signals) -> anyhow::Result<End> {
        let open = self.state.borrow().open.clone();
        self.state.borrow_mut().progress.finish();
        self.ctx.io.fresh_line();
        let count = plural(open.len() as u64, "run");
        self.ctx.io.notice(&Page::new().say("cancelling ").show(&count).say("; press again to stop waiting").end());
        let cancelling = self.session.with_engine(self.cancel_open(&open));
        match signals.during(cancelling, suspend).await {
            Ok(done) => drop(done.map_err(|error| cannot_go_on(&error, open.first()))??),
            Err(again) => return Ok(self.detach(again)),
        }
        if let Ok(done) = signals.during(self.finish_callbacks(), suspend).await {
            done?;
        }
        self.say_counts();
        Ok(signal.into())
    }

    async fn cancel_open(&self, open: &BTreeSet<RunId>) -> Result<Vec<Exit>, Failure> {
        let mut found = Vec::new();
        for id in open {
            match run_args::with_agent(self.session, id).await {
                Ok(run) => found.push(run),
                Err(failure) => self.ctx.report(&failure),
            }
        }
        let (asked, failures) = cancelling::request(self.session, found).await;
        failures.iter().for_each(|failure| self.ctx.report(failure));
        let options = FollowOptions {
            interval: Some(cancelling::POLL_INTERVAL),
            timeout: Some(cancelling::PATIENCE),
            confirm_end_for: cancelling::SETTLE_TIME,
            any: false,
            fail_fast: false,
            stall: None,
            wait_callback: false,
            ..self.options()
        };
        let targets = ResolvedRuns::of(asked.into_iter().map(FollowTarget::from)).targets;
        follow::follow(&self.session.api, targets, &options, &mut |event| self.see(&event)).await
    }

    fn ring(&self) {
        if self.options.bell {
            self.ctx.io.ring();
        }
    }

    fn options(&self) -> FollowOptions {
        let given = &self.options;
        FollowOptions {
            interval: given.interval,
            timeout: given.timeout,
            max_outage: given.max_outage.unwrap_or(FollowOptions::default().max_outage),
            any: self.any,
            fail_fast: self.fail_fast,
            strict: given.strict,
            confirm_end_for: Duration::ZERO,
            messages: self.messages(),
            // Figures are not printed with `-o id` and `-o none`, so they are not fetched.
            figures: self.options.events
                || self.options.reply
                || matches!(self.ctx.format, Format::Human | Format::Json),
            ticks: self.state.borrow().progress.is_on(),
            stall: given.stall_after.map(|after| Stall { after, ends: given.on_stall == OnStall::Exit }),
            wait_callback: given.wait_callback,
            relaxed: false,
        }
    }

    fn messages(&self) -> Messages {
        let live_display = self.state.borrow().progress.is_live();
        match self.ctx.format {
            _ if self.options.follow || self.options.events || live_display => Messages::Live,
            // On some servers only new messages show that a run makes progress.
            _ if self.options.stall_after.is_some() => Messages::Live,
            _ if self.options.reply => Messages::AtEnd,
            Format::Human => Messages::AtEnd,
            _ => Messages::Never,
        }
    }

    /// Handles an event: updates the state, the display and the output.
    fn see(&self, event: &Event) -> Result<(), Failure> {
        let mut state = self.state.borrow_mut();
        self.adopt(&mut state, event);
        state.progress.event(event);
        state.keep(event);
        if self.options.reply && state.outcomes.len() + state.lost + state.open.len() > 1 {
            return Err(Failure::usage("--reply prints the text of one run").hint("watch one run at a time"));
        }
        // The display is suspended only for events that print: each suspension costs a frame.
        let print = || self.printer.print(event);
        let printed = if self.printer.prints(event) { state.progress.suspend(print) } else { Ok(()) };
        // A failure to print ends the command, so it has to name the run.
        printed.map_err(|failure| match event.run_id() {
            Some(id) => failure.run(id),
            None => failure,
        })
    }

    /// Lets this process's engine adopt the agent of a followed run. Prints once that the local server answers.
    fn adopt(&self, state: &mut FollowState<'_>, event: &Event) {
        let Event::Status { run } = event else { return };
        let is_news = self.session.is_local() && !std::mem::replace(&mut state.said_local, true);
        if is_news && self.ctx.format == Format::Human {
            state.progress.suspend(|| say_local(self.ctx, self.session, run));
        }
        let Some(engine) = &self.session.engine else { return };
        if run.status().is_terminal() || !state.adopted.insert(run.id().clone()) {
            return;
        }
        if let Some(agent) = run.agent_id().and_then(|agent| agent.parse().ok()) {
            engine.adopt(&agent);
        }
    }

    /// Stops following, and prints how to resume.
    fn detach(&self, signal: Signal) -> End {
        let mut state = self.state.borrow_mut();
        state.progress.finish();
        self.ctx.io.fresh_line();
        let mut open = state.open.iter();
        if let Some(first) = open.next() {
            let page = open.fold(self.farewell(first), |page, id| page.say("  and:    ").show(id.as_str()).end());
            self.ctx.io.say(&page);
        }
        signal.into()
    }

    fn farewell(&self, run: &RunId) -> Page {
        let remote = "detached; the run goes on";
        let local = "detached; the next `watch` goes on with the run";
        let command = |verb| self.printer.command(verb, run.as_str());
        let page = Page::new().say(if self.session.engine.is_some() { local } else { remote }).end();
        let page = page.say("  resume: ").show(&command("watch")).end();
        page.say("  cancel: ").show(&command("cancel")).end()
    }

    /// Adds an open run to a failure that ends the command.
    fn name_open_run(&self, failure: Failure) -> Failure {
        match self.state.borrow().open.first() {
            Some(run) => failure.run(run),
            None => failure,
        }
    }

    fn suspend(&self) {
        self.state.borrow_mut().progress.pause();
        suspend();
        self.state.borrow_mut().progress.resume();
    }

    /// Waits until this process's engine has sent the callbacks of the ended runs.
    async fn finish_callbacks(&self) -> Result<(), Failure> {
        let Some(engine) = &self.session.engine else { return Ok(()) };
        let ended = std::mem::take(&mut self.state.borrow_mut().ended);
        for id in &ended {
            engine.settle(id).await.map_err(|error| cannot_go_on(&error, Some(id)))?;
        }
        Ok(())
    }

    /// Reports a failure that is not about a followed run. Returns its exit.
    pub fn tell(&self, failure: &Failure) -> Exit {
        self.state.borrow_mut().progress.suspend(|| self.ctx.report(failure));
        failure.exit
    }

    fn say_counts(&self) {
        let state = self.state.borrow();
        if state.outcomes.len() + state.lost > 1 {
            self.ctx.io.notice(&render::summary::counts(&state.outcomes, state.lost));
        }
    }
}

impl FollowState<'_> {
    fn keep(&mut self, event: &Event) {
        match event {
            Event::Added { id, .. } => drop(self.open.insert(id.clone())),
            Event::Ended(ending) => {
                self.open.remove(ending.run.id());
                self.ended.push(ending.run.id().clone());
                self.outcomes.push(ending.facts.outcome);
            }
            Event::Lost { id, failure, .. } => {
                self.open.remove(id);
                match failure.exit {
                    Exit::TimedOut => self.outcomes.push(Outcome::Open),
                    _ => self.lost += 1,
                }
            }
            _ => {}
        }
    }
}

/// Prints that the local server answers, and with which model.
fn say_local(ctx: &Ctx, session: &Session, run: &Run) {
    let page = match &session.engine {
        Some(_) => Page::new().say("the local engine"),
        None => Page::new().say("the local server at ").show_line(session.api.server()),
    };
    let page = page.say(" answers, with the model ").show_line(run.model().unwrap_or("n/a"));
    ctx.io.notice(&page.end());
}

/// Waits until runs have ended, without printing anything. Fails at the first run that cannot be followed.
pub async fn wait_silently(session: &Session, targets: Vec<FollowTarget>) -> Result<(), Failure> {
    let agents = targets.iter().filter_map(|target| target.run.as_ref()?.agent_id()?.parse().ok());
    let agents: HashSet<AgentId> = agents.collect();
    if let Some(engine) = &session.engine {
        agents.iter().for_each(|agent| engine.adopt(agent));
    }
    let mut emit = |event: Event| match event {
        Event::Lost { failure, .. } => Err(failure),
        _ => Ok(()),
    };
    let first = targets.first().map(|target| target.id.clone());
    let options = FollowOptions::default();
    let following = follow::follow(&session.api, ResolvedRuns::of(targets).targets, &options, &mut emit);
    session.with_engine(following).await.map_err(|error| cannot_go_on(&error, first.as_ref()))?.map(drop)
}
