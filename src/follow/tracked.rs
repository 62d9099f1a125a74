//! What is known of one run while it is followed.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Target;
use crate::core::outcome::{self, Outcome};
use crate::core::poll;
use crate::model::{Message, Run, RunId};

/// A replica may not know a run for this long after it was accepted.
const REPLICA_LAG: Duration = Duration::from_secs(10);

/// A message that was not seen before, and the step that it reveals: its id, and which one it is.
pub struct Fresh {
    /// The message.
    pub message: Message,
    /// The step, where it is a new one.
    pub step: Option<(String, usize)>,
}

/// A run that is followed.
pub struct Tracked {
    /// Its id.
    pub id: RunId,
    /// Its document as it was last seen.
    pub run: Option<Rc<Run>>,
    /// This command sent it.
    pub ours: bool,
    /// When it was taken up.
    pub since: Instant,
    /// When the next look at it is due.
    pub due: Instant,
    /// A look at it is under way.
    pub looking: bool,
    /// The server answered a look at it.
    pub seen: bool,
    /// Since when every look showed it ended.
    pub ended_since: Option<Instant>,
    /// It was known to be at work.
    pub was_open: bool,
    /// It gets a look of its own, though others are looked at by a list.
    pub alone: bool,
    /// Somebody said that it may have ended, when last.
    pub hinted_at: Option<Instant>,
    /// The next look is due at once, since the hint came after the last one began.
    pub hinted: bool,
    /// It was said that it stalls.
    pub stalled: bool,
    /// It was said that its end waits for its callback.
    pub callback_noted: bool,
    news_at: Instant,
    called_back: bool,
    born: Duration,
    end_fails_since: Option<Instant>,
    reason_since: Option<Instant>,
    reason_noted: bool,
    messages: HashSet<(String, String, String)>,
    last_message: Option<String>,
    steps: HashSet<String>,
}

impl Tracked {
    /// Takes a run up. `wall` is the time of day, from which the age of an older run is told.
    pub fn new(target: Target, now: Instant, wall: Timestamp) -> Self {
        let run = target.run.map(Rc::new);
        let created = run.as_ref().and_then(|run| run.created_at());
        let born = created.and_then(|at| crate::model::time::nanos_between(at, wall));
        Self {
            id: target.id,
            run,
            ours: target.ours,
            since: now,
            due: now,
            looking: false,
            seen: false,
            ended_since: None,
            was_open: target.ours,
            alone: false,
            hinted_at: None,
            hinted: false,
            stalled: false,
            callback_noted: false,
            news_at: now,
            called_back: false,
            born: if target.ours { Duration::ZERO } else { Duration::from_nanos(born.unwrap_or_default()) },
            end_fails_since: None,
            reason_since: None,
            reason_noted: false,
            messages: HashSet::new(),
            last_message: None,
            steps: HashSet::new(),
        }
    }

    /// Whether a look of its own may be made when it is due. Where lists are asked for, the first look is a list's.
    pub fn is_ready(&self, lists: bool) -> bool {
        !self.looking && (!lists || self.alone || self.seen)
    }

    /// Asks for a look of its own, at once.
    pub fn look_now(&mut self, now: Instant) {
        self.due = self.due.min(now);
        self.alone = true;
    }

    /// Takes in that it may have ended: it is looked at at once, or once more if a look is under way.
    pub fn hint(&mut self, now: Instant) {
        (self.hinted, self.hinted_at) = (true, Some(now));
        self.look_now(now);
    }

    /// Takes in that something new was seen of it.
    pub fn news(&mut self, now: Instant) {
        (self.news_at, self.stalled) = (now, false);
    }

    /// For how long nothing new was seen of it.
    pub fn silent_for(&self, now: Instant) -> Duration {
        now - self.news_at
    }

    /// Whether its callback is still to be attempted.
    pub fn awaits_callback(&self) -> bool {
        let has = |key| self.run.as_ref().is_some_and(|run| run.document().present(key).is_some());
        has("callback_url") && !has("callback_sent_at")
    }

    /// Whether its callback was attempted, told once.
    pub fn newly_called_back(&mut self) -> bool {
        let sent = self.run.as_ref().is_some_and(|run| run.document().present("callback_sent_at").is_some());
        sent && !std::mem::replace(&mut self.called_back, true)
    }

    /// Its age, as far as is known.
    pub fn age(&self, now: Instant) -> Duration {
        self.born + (now - self.since)
    }

    /// Whether the server's not knowing it is believed.
    pub fn missing_is_final(&self, now: Instant) -> bool {
        if self.seen {
            return true;
        }
        let just_made = self.ours || self.run.is_some();
        !just_made || self.age(now) >= REPLICA_LAG
    }

    /// Takes in a fresh document. Returns whether status or stop reason changed, the first look included.
    pub fn update(&mut self, run: Run, now: Instant, wall: Timestamp) -> bool {
        let words = |run: &Run| (run.status(), run.stop_reason());
        let changed = !self.seen || self.run.as_deref().map(words) != Some(words(&run));
        if self.run.is_none()
            && let Some(created) = run.created_at()
        {
            let nanos = crate::model::time::nanos_between(created, wall).unwrap_or_default();
            self.born = Duration::from_nanos(nanos).saturating_sub(now - self.since);
        }
        self.reason_since = run.stop_reason().and(self.reason_since.or(Some(now)));
        self.seen = true;
        self.was_open |= !run.status().is_terminal();
        // Back at work, or ended otherwise: the time counts anew.
        self.ended_since = self.ended_since.filter(|_| !changed);
        self.run = Some(Rc::new(run));
        changed
    }

    /// How it stands.
    pub fn outcome(&self, now: Instant) -> Outcome {
        let stood = self.reason_since.map_or(Duration::ZERO, |since| now - since);
        self.run.as_deref().map_or(Outcome::Open, |run| outcome::outcome(run, stood))
    }

    /// Whether it shows a stop reason under a status that goes on, for the first time.
    pub fn note_odd_reason(&mut self) -> bool {
        let odd = self.run.as_deref().is_some_and(|run| run.stop_reason().is_some() && !run.status().is_terminal());
        odd && !std::mem::replace(&mut self.reason_noted, true)
    }

    /// What was wanted at its end could not be had. Returns for how long that has been so.
    pub fn end_fails(&mut self, now: Instant) -> Duration {
        now - *self.end_fails_since.get_or_insert(now)
    }

    /// Whether another process works on it, whose news reach a look at the run, but not the list.
    pub fn is_relayed(&self) -> bool {
        let metadata = self.run.as_deref().and_then(|run| run.document().present("metadata"));
        metadata.and_then(|metadata| metadata.get("lettuce")?.as_bool()).unwrap_or(false)
    }

    /// The delay before the next look, while it is looked at by itself.
    pub fn delay(&self, now: Instant, interval: Option<Duration>, dice: f64) -> Duration {
        let delay = interval.unwrap_or_else(|| poll::single(self.age(now), dice));
        // The end of the grace period of a stop reason is not overslept.
        if self.ended_since.is_some() {
            return Duration::from_millis(250);
        }
        let grace = self.reason_since.map(|since| outcome::STOP_REASON_GRACE.saturating_sub(now - since));
        grace.map_or(delay, |grace| delay.min(grace.max(Duration::from_millis(100))))
    }

    /// Sorts out which messages were not seen before, and the steps that they reveal.
    pub fn fresh(&mut self, messages: Vec<Message>) -> Vec<Fresh> {
        let mut fresh = Vec::new();
        for message in messages {
            self.last_message = message.document().text("id").map(str::to_owned).or(self.last_message.take());
            if self.messages.insert(message.key()) {
                let step = self.new_step(&message);
                fresh.push(Fresh { message, step });
            }
        }
        fresh
    }

    fn new_step(&mut self, message: &Message) -> Option<(String, usize)> {
        let step = message.step_id()?.to_owned();
        let is_new = self.steps.insert(step.clone());
        is_new.then_some((step, self.steps.len()))
    }

    /// The last message that was seen: what follows it is new.
    pub fn last_message(&self) -> Option<String> {
        self.last_message.clone()
    }
}
