//! The text of an outage: the time in which the server does not answer.

use std::time::Duration;

use jiff::Timestamp;

use super::clock::since;
use crate::text::duration::format_whole_seconds;
use crate::text::show::clip;

/// A current outage.
pub(super) struct CurrentOutage {
    error: String,
    began: Timestamp,
    next_try: Timestamp,
}

/// The most columns of the error that are kept.
const ERROR_MAX: usize = 160;

impl CurrentOutage {
    pub(super) fn new(error: &str, down_for: Duration, retry_in: Duration, now: Timestamp) -> Self {
        Self {
            error: clip(error, ERROR_MAX),
            began: now.checked_sub(down_for).unwrap_or(now),
            next_try: now.checked_add(retry_in).unwrap_or(now),
        }
    }

    /// Returns `no answer from the server for 12 s: connection refused; next try in 5 s`. The error is cut so that
    /// the line fits `columns`; the rest is never cut.
    pub(super) fn text(&self, now: Timestamp, columns: usize) -> String {
        let down = since(self.began, now);
        let down = if down.as_secs() == 0 { String::new() } else { format!(" for {}", format_whole_seconds(down)) };
        let head = format!("no answer from the server{down}: ");
        let wait = since(now, self.next_try);
        let tail = if wait.as_secs() == 0 {
            "; trying again".to_owned()
        } else {
            format!("; next try in {}", format_whole_seconds(wait))
        };
        let room = columns.saturating_sub(head.len() + tail.len());
        format!("{head}{}{tail}", clip(&self.error, room))
    }
}

/// Returns the line that reports the end of an outage.
pub(super) fn recovered(down_for: Duration) -> String {
    format!("the server answers again after {}", format_whole_seconds(down_for))
}
