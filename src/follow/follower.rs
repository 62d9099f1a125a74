//! The loop that polls runs when they are due, and ends when all have ended.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until};

use super::outage::Outage;
use super::poll::{self, LIST_LIMIT, Poll, PollOptions};
use super::tracked::Tracked;
use super::{Event, FollowOptions, FollowTarget, Inputs, Messages};
use crate::api::endpoints::Active;
use crate::api::{Client, RunFilter};
use crate::core::facts::Details;
use crate::exit::Exit;
use crate::model::RunId;
use crate::report::Failure;

/// From this many open runs on, one list request replaces the polls of single runs.
const LIST_FROM: usize = 3;
/// From this many open runs on, the list replaces the polls even if messages are followed live. It is larger than
/// `LIST_FROM`, since only the poll of a single run fetches messages.
const LIST_FROM_LIVE: usize = 17;
/// The most requests in flight at once.
const MAX_POLLS: usize = 8;
/// The interval of [`Event::Tick`].
const TICK: Duration = Duration::from_secs(1);

/// Follows runs until all have ended, or an option ends it earlier.
///
/// Returns the exit of each run that ended or was lost. An error of `emit` ends following and is returned.
pub async fn follow(
    api: &Client,
    inputs: impl Into<Inputs>,
    options: &FollowOptions,
    emit: &mut dyn FnMut(Event) -> Result<(), Failure>,
) -> Result<Vec<Exit>, Failure> {
    Follower::new(api, options, emit).run(inputs.into()).await
}

/// The state of following. [`super::results`] applies the results of polls to it.
pub(super) struct Follower<'a> {
    pub(super) api: &'a Client,
    pub(super) options: &'a FollowOptions,
    pub(super) emit: &'a mut dyn FnMut(Event) -> Result<(), Failure>,
    pub(super) tracked: Vec<Tracked>,
    pub(super) polls: FuturesUnordered<Poll<'a>>,
    /// Runs that ended and whose details are being fetched.
    pub(super) ending: Vec<Tracked>,
    pub(super) outage: Outage,
    pub(super) list: ListPolls,
    pub(super) exits: Vec<Exit>,
    /// The server answered a request of this command.
    pub(super) answered: bool,
    /// Following ends now, whatever runs are open.
    pub(super) stopping: bool,
    deadline: Option<Instant>,
    next_tick: Instant,
}

/// The polls of the list of open runs.
pub(super) struct ListPolls {
    /// The filter that the server accepts; `Active::Any` if it cannot list open runs.
    pub(super) active: Active,
    pub(super) due: Instant,
    pub(super) in_flight: bool,
    /// The list was used when polls were last started.
    used: bool,
}

impl<'a> Follower<'a> {
    fn new(api: &'a Client, options: &'a FollowOptions, emit: &'a mut dyn FnMut(Event) -> Result<(), Failure>) -> Self {
        let now = Instant::now();
        Self {
            api,
            options,
            emit,
            tracked: Vec::new(),
            polls: FuturesUnordered::new(),
            ending: Vec::new(),
            outage: Outage::default(),
            list: ListPolls { active: Active::ByStatus, due: now, in_flight: false, used: false },
            exits: Vec::new(),
            answered: false,
            stopping: false,
            deadline: options.timeout.map(|timeout| now + timeout),
            next_tick: now + TICK,
        }
    }

    async fn run(mut self, inputs: Inputs) -> Result<Vec<Exit>, Failure> {
        let Inputs { mut targets, mut hints } = inputs;
        let mut more = true;
        while !self.is_over(more) {
            self.start_polls();
            let wake = self.next_wake();
            tokio::select! {
                biased;
                Some(result) = self.polls.next() => self.apply(result)?,
                target = targets.recv(), if more => match target {
                    Some(target) => self.add(target)?,
                    None => more = false,
                },
                Some(id) = next_hint(&mut hints) => self.hint(&id),
                () = sleep_until(wake) => self.on_timer()?,
            }
        }
        Ok(self.exits)
    }

    fn is_over(&self, more: bool) -> bool {
        self.stopping || (!more && self.tracked.is_empty() && self.ending.is_empty())
    }

    fn add(&mut self, target: FollowTarget) -> Result<(), Failure> {
        let known = |tracked: &Tracked| tracked.id == target.id;
        if self.tracked.iter().chain(&self.ending).any(known) {
            return Ok(());
        }
        self.answered |= target.sent_here;
        let tracked = Tracked::new(target, Instant::now(), Timestamp::now());
        (self.emit)(Event::Added { id: tracked.id.clone(), run: tracked.run.clone() })?;
        self.tracked.push(tracked);
        Ok(())
    }

    fn hint(&mut self, id: &RunId) {
        let now = Instant::now();
        if let Some(tracked) = self.tracked.iter_mut().find(|tracked| tracked.id == *id) {
            tracked.schedule.hint(now);
        }
    }

    /// Returns whether a list request replaces the polls of single runs now. The first request of a command polls one run.
    pub(super) fn uses_list(&self) -> bool {
        let from = if self.options.messages == Messages::Live { LIST_FROM_LIVE } else { LIST_FROM };
        self.answered && self.list.active != Active::Any && self.tracked.len() >= from
    }

    /// Starts the polls that are due.
    fn start_polls(&mut self) {
        let now = Instant::now();
        self.leave_list(now);
        if self.outage.hold_until().is_some_and(|until| until > now) {
            return;
        }
        // One request at a time is enough to find out whether the server answers.
        let room = if self.outage.is_on() || !self.answered { 1 } else { MAX_POLLS };
        if self.uses_list() && !self.list.in_flight && self.list.due <= now && self.polls.len() < room {
            self.list.in_flight = true;
            self.polls.push(poll::list(self.api, self.filter(), now));
        }
        while self.polls.len() < room {
            let uses_list = self.uses_list();
            let due = self.tracked.iter_mut().filter_map(|tracked| Some((tracked.due(uses_list)?, tracked)));
            let next = due.filter(|(due, _)| *due <= now).min_by_key(|(due, _)| *due);
            let Some((_, tracked)) = next else { break };
            tracked.schedule.begin();
            let options = PollOptions { retry: !self.answered, messages: self.options.messages == Messages::Live };
            self.polls.push(poll::run(self.api, tracked.id.clone(), tracked.transcript.last(), options));
        }
    }

    /// Polls every run by itself as soon as the list is no longer used.
    fn leave_list(&mut self, now: Instant) {
        let uses_list = self.uses_list();
        if self.list.used && !uses_list {
            self.tracked.iter_mut().for_each(|tracked| tracked.schedule.poll_now(now));
        }
        self.list.used = uses_list;
    }

    /// Returns the filter for the list: by agent if all runs have the same one.
    fn filter(&self) -> RunFilter {
        let agent = |tracked: &Tracked| tracked.run.as_ref().and_then(|run| run.agent_id().map(str::to_owned));
        let first = self.tracked.first().and_then(agent);
        let one_agent = self.tracked.iter().all(|tracked| agent(tracked) == first);
        let agent_id = first.filter(|_| one_agent);
        RunFilter { agent_id, active: self.list.active, limit: LIST_LIMIT, ..RunFilter::default() }
    }

    /// Returns when the next poll, tick, time limit or end of an outage is due.
    fn next_wake(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(3600);
        let uses_list = self.uses_list();
        let due = self.tracked.iter().filter_map(|tracked| tracked.due(uses_list)).min();
        let list = (uses_list && !self.list.in_flight).then_some(self.list.due);
        let full = self.polls.len() >= MAX_POLLS || (!self.polls.is_empty() && (self.outage.is_on() || !self.answered));
        let poll = [due, list].into_iter().flatten().min().filter(|_| !full);
        let poll = poll.map(|poll| self.outage.hold_until().map_or(poll, |until| until.max(poll)));
        let tick = self.options.ticks.then_some(self.next_tick);
        let outage_over = self.outage.over_at(self.options.max_outage);
        [poll, tick, self.deadline, outage_over].into_iter().flatten().min().unwrap_or(far)
    }

    fn on_timer(&mut self) -> Result<(), Failure> {
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
        self.stopping = true;
        let mut lost = std::mem::take(&mut self.tracked);
        let ending = std::mem::take(&mut self.ending);
        if self.options.messages == Messages::Never {
            // The outcome of these is known; only metrics are missing.
            for tracked in ending {
                self.end(tracked, &Details::default(), None)?;
            }
        } else {
            lost.extend(ending);
        }
        for tracked in lost {
            let message = format!("stopped following {}: {why}", tracked.id);
            let failure = Failure::new(Exit::TimedOut, code, message).run(&tracked.id);
            self.lose(tracked, failure)?;
        }
        Ok(())
    }

    /// Stops following one run with an error.
    pub(super) fn lose(&mut self, tracked: Tracked, failure: Failure) -> Result<(), Failure> {
        self.exits.push(failure.exit);
        self.stopping |= self.options.fail_fast;
        (self.emit)(Event::Lost { id: tracked.id, run: tracked.run, failure })
    }
}

/// Returns the next hint; without a channel, never.
async fn next_hint(hints: &mut Option<UnboundedReceiver<RunId>>) -> Option<RunId> {
    match hints {
        Some(hints) => hints.recv().await,
        None => std::future::pending().await,
    }
}
