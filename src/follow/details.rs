//! The details of a run that ended: metrics, the reason of a failure, messages.

use std::time::Duration;

use futures_util::future::{OptionFuture, join, join3};
use tokio::time::timeout;

use super::Messages;
use crate::api::endpoints::optional;
use crate::api::{ApiError, Client};
use crate::core::Outcome;
use crate::core::facts::{self, Details};
use crate::model::{Document, Message, Run, RunId};

/// The details of a run that ended.
pub struct EndDetails {
    /// Metrics, tokens and steps; empty if the server has none or answers too late.
    pub details: Details,
    /// The messages; `None` if they were not asked for, or the server has no messages endpoint.
    pub messages: Result<Option<Vec<Message>>, ApiError>,
}

/// The pauses between requests for metrics that the server has not written yet.
const METRICS_PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(300)];

/// The most time for metrics, usage and steps together. The end of a run is reported without them then.
const DETAILS_TIMEOUT: Duration = Duration::from_secs(2);

/// The details to fetch.
#[derive(Clone, Copy, Debug)]
pub struct DetailOptions {
    /// The messages to fetch.
    pub messages: Messages,
    /// Whether to fetch steps, tokens and the duration.
    pub figures: bool,
    /// Whether the run ended while it was followed. If so, the server may still be writing its metrics.
    pub just_ended: bool,
}

/// Fetches all details at once. An error of messages is returned; other details are left out if they fail.
pub async fn fetch(api: &Client, run: &Run, outcome: Outcome, options: DetailOptions) -> EndDetails {
    let id = run.id();
    let messages: OptionFuture<_> = (options.messages != Messages::Never).then(|| api.messages(id, None)).into();
    let details = timeout(DETAILS_TIMEOUT, details(api, run, outcome, options));
    let (details, messages) = join(details, messages).await;
    EndDetails { details: details.unwrap_or_default(), messages: messages.map_or(Ok(None), optional) }
}

async fn details(api: &Client, run: &Run, outcome: Outcome, options: DetailOptions) -> Details {
    let id = run.id();
    let metrics: OptionFuture<_> = options.figures.then(|| metrics(api, id, options.just_ended)).into();
    let usage: OptionFuture<_> = options.figures.then(|| api.usage(id)).into();
    let steps: OptionFuture<_> = needs_steps(run, outcome).then(|| api.steps(id)).into();
    let (metrics, usage, steps) = join3(metrics, usage, steps).await;
    Details {
        metrics: metrics.flatten(),
        usage: usage.and_then(Result::ok),
        steps: steps.and_then(Result::ok).unwrap_or_default(),
    }
}

/// Fetches the metrics. A server writes them shortly after it ends the run, so they are asked for up to three times.
async fn metrics(api: &Client, id: &RunId, just_ended: bool) -> Option<Document> {
    let mut metrics = api.metrics(id).await.ok()?;
    for pause in METRICS_PAUSES {
        if !just_ended || facts::are_complete(&metrics) {
            break;
        }
        tokio::time::sleep(pause).await;
        metrics = api.metrics(id).await.ok()?;
    }
    Some(metrics)
}

/// Returns whether the steps are needed to tell why a run failed.
fn needs_steps(run: &Run, outcome: Outcome) -> bool {
    outcome == Outcome::Failed && run.error().is_none()
}
