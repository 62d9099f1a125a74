//! The loop: takes runs up, looks when a look is due, says what it saw, ends when it is over.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until};

use super::look::{self, LIST_LIMIT, Looking, Manner};
use super::outage::Outage;
use super::tracked::Tracked;
use super::{Event, Inputs, Messages, Options, Target};
use crate::api::client::Active;
use crate::api::{Client, RunFilter};
use crate::core::facts::Details;
use crate::exit::Exit;
use crate::model::RunId;
use crate::report::Failure;

/// From this many open runs on, one list request stands for many looks.
const LIST_FROM: usize = 3;
/// The same where messages are wanted live, which only single looks bring.
const LIST_FROM_LIVE: usize = 17;
/// How many requests are under way at once.
const MOST_LOOKS: usize = 8;
/// A display is told the time this often.
const TICK: Duration = Duration::from_secs(1);

/// Follows runs until all that come in have ended, or the options say that it is enough.
///
/// Returns the exit of each run that was followed to an end or lost; an error of `emit` ends it.
pub async fn follow(
    api: &Client,
    inputs: impl Into<Inputs>,
    options: &Options,
    emit: &mut dyn FnMut(Event) -> Result<(), Failure>,
) -> Result<Vec<Exit>, Failure> {
    Follower::new(api, options, emit).run(inputs.into()).await
}

/// Everything that is known while runs are followed. What looks bring is taken in by [`super::intake`].
pub(super) struct Follower<'a> {
    pub(super) api: &'a Client,
    pub(super) options: &'a Options,
    pub(super) emit: &'a mut dyn FnMut(Event) -> Result<(), Failure>,
    pub(super) tracked: Vec<Tracked>,
    pub(super) looks: FuturesUnordered<Looking<'a>>,
    /// Runs that ended and whose details are being asked for.
    pub(super) ending: Vec<Tracked>,
    pub(super) outage: Outage,
    pub(super) list: Listing,
    pub(super) exits: Vec<Exit>,
    /// A request of this command was answered.
    pub(super) answered: bool,
    pub(super) enough: bool,
    deadline: Option<Instant>,
    next_tick: Instant,
}

/// How the list of open runs is used.
pub(super) struct Listing {
    pub(super) active: Active,
    pub(super) due: Instant,
    pub(super) looking: bool,
    used: bool,
}

impl<'a> Follower<'a> {
    fn new(api: &'a Client, options: &'a Options, emit: &'a mut dyn FnMut(Event) -> Result<(), Failure>) -> Self {
        let now = Instant::now();
        Self {
            api,
            options,
            emit,
            tracked: Vec::new(),
            looks: FuturesUnordered::new(),
            ending: Vec::new(),
            outage: Outage::default(),
            list: Listing { active: Active::ByStatus, due: now, looking: false, used: false },
            exits: Vec::new(),
            answered: false,
            enough: false,
            deadline: options.timeout.map(|timeout| now + timeout),
            next_tick: now + TICK,
        }
    }

    async fn run(mut self, inputs: Inputs) -> Result<Vec<Exit>, Failure> {
        let (mut targets, mut hints, mut more) = (inputs.targets, inputs.hints, true);
        while !self.is_over(more) {
            self.launch();
            let wake = self.wake();
            tokio::select! {
                biased;
                Some(look) = self.looks.next() => self.take(look)?,
                target = targets.recv(), if more => match target {
                    Some(target) => self.add(target)?,
                    None => more = false,
                },
                Some(id) = next_hint(&mut hints) => self.hint(&id),
                () = sleep_until(wake) => self.on_time()?,
            }
        }
        Ok(self.exits)
    }

    fn is_over(&self, more: bool) -> bool {
        self.enough || (!more && self.tracked.is_empty() && self.ending.is_empty())
    }

    fn add(&mut self, target: Target) -> Result<(), Failure> {
        let known = |tracked: &Tracked| tracked.id == target.id;
        if self.tracked.iter().chain(&self.ending).any(known) {
            return Ok(());
        }
        self.answered |= target.ours;
        let tracked = Tracked::new(target, Instant::now(), Timestamp::now());
        (self.emit)(Event::Added { id: tracked.id.clone(), run: tracked.run.clone() })?;
        self.tracked.push(tracked);
        Ok(())
    }

    fn hint(&mut self, id: &RunId) {
        let now = Instant::now();
        if let Some(tracked) = self.tracked.iter_mut().find(|tracked| tracked.id == *id) {
            tracked.hint(now);
        }
    }

    /// Whether one list request stands for many looks now. The first request of a command is a single look.
    pub(super) fn lists(&self) -> bool {
        let from = if self.options.messages == Messages::Live { LIST_FROM_LIVE } else { LIST_FROM };
        self.answered && self.list.active != Active::Any && self.tracked.len() >= from
    }

    /// Starts the looks that are due.
    fn launch(&mut self) {
        let now = Instant::now();
        self.leave_lists(now);
        if self.outage.hold_until().is_some_and(|until| until > now) {
            return;
        }
        // While the server is silent, or before it was ever heard, one look at a time finds out.
        let room = if self.outage.is_on() || !self.answered { 1 } else { MOST_LOOKS };
        if self.lists() && !self.list.looking && self.list.due <= now && self.looks.len() < room {
            self.list.looking = true;
            self.looks.push(look::at_open(self.api, self.filter(), now));
        }
        while self.looks.len() < room {
            let lists = self.lists();
            let next = self.tracked.iter_mut().filter(|tracked| tracked.is_ready(lists) && tracked.due <= now);
            let Some(tracked) = next.min_by_key(|tracked| tracked.due) else { break };
            (tracked.looking, tracked.hinted) = (true, false);
            let live = self.options.messages == Messages::Live;
            let manner = Manner { patient: !self.answered, live };
            self.looks.push(look::at_run(self.api, tracked.id.clone(), tracked.last_message(), manner));
        }
    }

    /// Once lists are no longer worth it, runs get looks of their own again, and soon.
    fn leave_lists(&mut self, now: Instant) {
        let lists = self.lists();
        if self.list.used && !lists {
            self.tracked.iter_mut().for_each(|tracked| tracked.look_now(now));
        }
        self.list.used = lists;
    }

    fn filter(&self) -> RunFilter {
        let agent = |tracked: &Tracked| tracked.run.as_ref().and_then(|run| run.agent_id().map(str::to_owned));
        let first = self.tracked.first().and_then(agent);
        let one_agent = self.tracked.iter().all(|tracked| agent(tracked) == first);
        let agent_id = first.filter(|_| one_agent);
        RunFilter { agent_id, active: self.list.active, limit: LIST_LIMIT, ..RunFilter::default() }
    }

    /// When something is to be done, if no look comes back before.
    fn wake(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(3600);
        let lists = self.lists();
        let due = self.tracked.iter().filter(|tracked| tracked.is_ready(lists)).map(|tracked| tracked.due).min();
        let list = (lists && !self.list.looking).then_some(self.list.due);
        let full =
            self.looks.len() >= MOST_LOOKS || (!self.looks.is_empty() && (self.outage.is_on() || !self.answered));
        let look = [due, list].into_iter().flatten().min().filter(|_| !full);
        let look = look.map(|look| self.outage.hold_until().map_or(look, |until| until.max(look)));
        let tick = self.options.ticks.then_some(self.next_tick);
        let patience = self.outage.over_at(self.options.max_outage);
        [look, tick, self.deadline, patience].into_iter().flatten().min().unwrap_or(far)
    }

    fn on_time(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        if self.options.ticks && self.next_tick <= now {
            self.next_tick = now + TICK;
            (self.emit)(Event::Tick)?;
        }
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            let waited = crate::text::duration::format(self.options.timeout.unwrap_or_default());
            return self.give_up("timeout", &format!("--timeout ran out after {waited}"));
        }
        if self.outage.over_at(self.options.max_outage).is_some_and(|over| over <= now) {
            let waited = crate::text::duration::format(self.options.max_outage);
            return self.give_up("outage", &format!("the server did not answer for {waited} (--max-outage)"));
        }
        Ok(())
    }

    /// Stops following all runs that are still open.
    fn give_up(&mut self, code: &'static str, why: &str) -> Result<(), Failure> {
        self.enough = true;
        let (open, ending) = (std::mem::take(&mut self.tracked), std::mem::take(&mut self.ending));
        let (known, unread): (Vec<_>, Vec<_>) =
            ending.into_iter().partition(|_| self.options.messages == Messages::Never);
        // How these went is known; only figures are missing.
        for tracked in known {
            self.end(tracked, &Details::default(), None)?;
        }
        for tracked in open.into_iter().chain(unread) {
            let message = format!("stopped following {}: {why}", tracked.id);
            let failure = Failure::new(Exit::TimedOut, code, message).run(&tracked.id);
            self.lose(tracked, failure)?;
        }
        Ok(())
    }

    pub(super) fn lose(&mut self, tracked: Tracked, failure: Failure) -> Result<(), Failure> {
        self.exits.push(failure.exit);
        self.enough |= self.options.fail_fast;
        (self.emit)(Event::Lost { id: tracked.id, run: tracked.run, failure })
    }
}

/// The next hint. Nobody who could give one is no reason to wake up.
async fn next_hint(hints: &mut Option<UnboundedReceiver<RunId>>) -> Option<RunId> {
    match hints {
        Some(hints) => hints.recv().await,
        None => std::future::pending().await,
    }
}
