//! When a run is polled next.

use tokio::time::Instant;

/// The polling schedule of one run.
#[derive(Debug)]
pub struct Schedule {
    poll: NextPoll,
    /// Whether the run is polled by itself even while a list covers the other runs.
    single: bool,
    hint: Option<Hint>,
}

/// The next poll of a run.
#[derive(Clone, Copy, Debug)]
enum NextPoll {
    /// Due at this time.
    Due(Instant),
    /// Sent, and not answered yet.
    InFlight,
}

/// A hint from outside that the run may have ended.
#[derive(Clone, Copy, Debug)]
struct Hint {
    at: Instant,
    /// Whether no poll has begun since the hint came.
    pending: bool,
}

impl Schedule {
    /// Returns a schedule whose first poll is due now.
    pub fn new(now: Instant) -> Self {
        Self { poll: NextPoll::Due(now), single: false, hint: None }
    }

    /// Returns when a poll of the run by itself is due; `None` while one is in flight or a list covers the run.
    ///
    /// If a list is used, it makes the first poll of a run. `seen` is whether the server has answered about the run.
    pub fn due(&self, uses_list: bool, seen: bool) -> Option<Instant> {
        match self.poll {
            NextPoll::Due(at) if !uses_list || self.single || seen => Some(at),
            _ => None,
        }
    }

    /// Begins a poll.
    pub fn begin(&mut self) {
        self.poll = NextPoll::InFlight;
        if let Some(hint) = &mut self.hint {
            hint.pending = false;
        }
    }

    /// Ends the poll in flight, or moves the next one.
    pub fn set_due(&mut self, at: Instant) {
        self.poll = NextPoll::Due(at);
    }

    /// Makes a poll of the run by itself due now, unless one is in flight.
    pub fn poll_now(&mut self, now: Instant) {
        self.single = true;
        if let NextPoll::Due(at) = self.poll {
            self.poll = NextPoll::Due(at.min(now));
        }
    }

    /// Records a hint: the run is polled at once, or again at once if a poll is in flight.
    pub fn hint(&mut self, now: Instant) {
        self.hint = Some(Hint { at: now, pending: true });
        self.poll_now(now);
    }

    /// Returns whether a hint came after the last poll began.
    pub fn has_pending_hint(&self) -> bool {
        self.hint.is_some_and(|hint| hint.pending)
    }

    /// Returns when the last hint came.
    pub fn hinted_at(&self) -> Option<Instant> {
        self.hint.map(|hint| hint.at)
    }

    /// Returns whether a poll of the run by itself is in flight.
    pub fn is_in_flight(&self) -> bool {
        matches!(self.poll, NextPoll::InFlight)
    }
}
