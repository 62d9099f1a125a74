//! Polls: requests in flight, as futures that return a [`PollResult`].

use std::pin::Pin;
use std::rc::Rc;

use futures_util::future::OptionFuture;
use tokio::time::Instant;

use super::details::{self, DetailOptions, EndDetails};
use crate::api::endpoints::{Active, is_missing};
use crate::api::{ApiError, Client, RunFilter};
use crate::core::Outcome;
use crate::core::pages::{Order, PageReader};
use crate::model::{Message, Run, RunId};

/// The runs that a list request asks for: the most that the API allows.
pub const LIST_LIMIT: usize = 1000;
/// The most pages of open runs that are read. Beyond them it is cheaper to poll each run.
const MAX_PAGES: usize = 5;

/// A poll in flight.
pub type Poll<'a> = Pin<Box<dyn Future<Output = PollResult> + 'a>>;

/// The result of a poll.
pub enum PollResult {
    /// One run, and its new messages if they are followed live.
    Run { id: RunId, run: Result<Run, ApiError>, messages: Option<Vec<Message>> },
    /// The runs that have not ended. Runs that were accepted after `asked_at` may be missing.
    List { asked_at: Instant, runs: Result<OpenRuns, ApiError> },
    /// The details of a run that ended.
    Details { id: RunId, details: Box<EndDetails> },
}

/// Runs that have not ended.
pub struct OpenRuns {
    /// The runs.
    pub runs: Vec<Run>,
    /// Whether these are all.
    pub complete: bool,
}

/// How a run is polled.
#[derive(Clone, Copy)]
pub struct PollOptions {
    /// Retry as a command's first request does, instead of trying once.
    pub retry: bool,
    /// Ask for new messages too.
    pub messages: bool,
}

/// Polls one run, and its messages after the message `after` if the options ask for them.
pub fn run<'a>(api: &'a Client, id: RunId, after: Option<String>, options: PollOptions) -> Poll<'a> {
    Box::pin(async move {
        let run = if options.retry { api.run(&id).await } else { api.run_once(&id).await };
        let wanted = options.messages && run.is_ok();
        let messages: OptionFuture<_> = wanted.then(|| api.messages(&id, after.as_deref())).into();
        // Messages that cannot be fetched now come with the next poll, or with the details at the end.
        let messages = messages.await.and_then(Result::ok);
        PollResult::Run { id, run, messages }
    })
}

/// Lists the runs that have not ended.
pub fn list<'a>(api: &'a Client, filter: RunFilter, now: Instant) -> Poll<'a> {
    Box::pin(async move { PollResult::List { asked_at: now, runs: open_runs(api, filter).await } })
}

/// Reads all pages. If the server's cursors lead nowhere, the list counts as incomplete. Only ids tell whether a page
/// leads back, since servers may sort open runs in any order.
async fn open_runs(api: &Client, mut filter: RunFilter) -> Result<OpenRuns, ApiError> {
    let mut pages = PageReader::new(Order::Other).with_exact_pages();
    let mut runs: Vec<Run> = Vec::new();
    for _ in 0..MAX_PAGES {
        filter.cursor = pages.cursor();
        let page = api.runs_once(&filter).await?;
        runs.extend(pages.take(page, LIST_LIMIT));
        if pages.is_over() {
            return Ok(OpenRuns { runs, complete: !pages.is_cut_short() });
        }
    }
    Ok(OpenRuns { runs, complete: false })
}

/// Fetches the details of a run that ended.
pub fn details<'a>(api: &'a Client, run: Rc<Run>, outcome: Outcome, options: DetailOptions) -> Poll<'a> {
    Box::pin(async move {
        let details = details::fetch(api, &run, outcome, options).await;
        PollResult::Details { id: run.id().clone(), details: Box::new(details) }
    })
}

/// Returns the filter to list with after a list failed; `Active::Any` means not to list any more.
///
/// Older servers refuse the filter by status, and the oldest ones any filter.
pub fn fallback_filter(error: &ApiError, active: Active) -> Option<Active> {
    let refused = matches!(error.status, Some(400 | 422)) || is_missing(error);
    match active {
        Active::ByStatus if refused && error.status != Some(404) => Some(Active::ByFlag),
        _ if refused => Some(Active::Any),
        _ => None,
    }
}
