//! Looks: requests under way, as futures that bring their result with them.

use std::pin::Pin;

use futures_util::future::OptionFuture;
use tokio::time::Instant;

use super::details::{self, AtEnd, Wanted};
use crate::api::client::{Active, is_missing};
use crate::api::{ApiError, Client, RunFilter};
use crate::core::Outcome;
use crate::core::paging::Cursor;
use crate::model::{Message, Run, RunId};

/// How many runs a list request asks for: the most the API gives at once.
pub const LIST_LIMIT: usize = 1000;
/// How many pages of open runs are read before single looks are cheaper.
const MOST_PAGES: usize = 5;

/// A look under way.
pub type Looking<'a> = Pin<Box<dyn Future<Output = Look> + 'a>>;

/// What a look brought.
pub enum Look {
    /// One run, and its new messages where they are wanted live.
    Run { id: RunId, run: Result<Run, ApiError>, messages: Option<Vec<Message>> },
    /// The runs that have not ended. `asked_at`: what was accepted later may be missing from it.
    Open { asked_at: Instant, runs: Result<OpenRuns, ApiError> },
    /// What is known beyond the document of a run that ended.
    Ended { id: RunId, at_end: Box<AtEnd> },
}

/// A listing of runs that have not ended.
pub struct OpenRuns {
    /// The runs.
    pub runs: Vec<Run>,
    /// Whether it is known that there are no others.
    pub complete: bool,
}

/// How a single look is made.
#[derive(Clone, Copy)]
pub struct Manner {
    /// With the ordinary retries of a command's first request, instead of one try.
    pub patient: bool,
    /// Messages are wanted as they appear.
    pub live: bool,
}

/// Looks at one run, and at its messages behind `after` where they are wanted live.
pub fn at_run<'a>(api: &'a Client, id: RunId, after: Option<String>, manner: Manner) -> Looking<'a> {
    Box::pin(async move {
        let run = if manner.patient { api.run(&id).await } else { api.look(&id).await };
        let wanted = manner.live && run.is_ok();
        let messages: OptionFuture<_> = wanted.then(|| api.messages(&id, after.as_deref())).into();
        // A look at messages that fails is made good by the next one, or at the end.
        let messages = messages.await.and_then(Result::ok);
        Look::Run { id, run, messages }
    })
}

/// Lists the runs that have not ended.
pub fn at_open<'a>(api: &'a Client, filter: RunFilter, now: Instant) -> Looking<'a> {
    Box::pin(async move { Look::Open { asked_at: now, runs: open_runs(api, filter).await } })
}

/// Reads all pages. A server whose cursors go the wrong way brings nothing new, and counts as incomplete.
async fn open_runs(api: &Client, mut filter: RunFilter) -> Result<OpenRuns, ApiError> {
    let mut runs: Vec<Run> = Vec::new();
    for _ in 0..MOST_PAGES {
        let page = api.look_at_runs(&filter).await?;
        let full = page.len() >= LIST_LIMIT;
        let known: std::collections::HashSet<RunId> = runs.iter().map(|run| run.id().clone()).collect();
        let fresh: Vec<Run> = page.into_iter().filter(|run| !known.contains(run.id())).collect();
        if full && fresh.is_empty() {
            return Ok(OpenRuns { runs, complete: false });
        }
        runs.extend(fresh);
        if !full {
            return Ok(OpenRuns { runs, complete: true });
        }
        filter.cursor = runs.last().map(|run| Cursor::After(run.id().clone()));
    }
    Ok(OpenRuns { runs, complete: false })
}

/// Asks for what is wanted once a run has ended.
pub fn at_end<'a>(api: &'a Client, run: std::rc::Rc<Run>, outcome: Outcome, wanted: Wanted) -> Looking<'a> {
    Box::pin(async move {
        let at_end = details::at_end(api, &run, outcome, wanted).await;
        Look::Ended { id: run.id().clone(), at_end: Box::new(at_end) }
    })
}

/// How to list after a listing failed: without the filter that an older server refuses, or not at all.
pub fn lesser_filter(error: &ApiError, active: Active) -> Option<Active> {
    let refused = matches!(error.status, Some(400 | 422)) || is_missing(error);
    match active {
        Active::ByStatus if refused && error.status != Some(404) => Some(Active::ByFlag),
        _ if refused => Some(Active::Any),
        _ => None,
    }
}
