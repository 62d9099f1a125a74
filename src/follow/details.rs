//! What is asked once a run has ended: figures, the reason of a failure, messages.

use std::time::Duration;

use futures_util::future::{OptionFuture, join, join3};
use tokio::time::timeout;

use super::Messages;
use crate::api::client::optional;
use crate::api::{ApiError, Client};
use crate::core::Outcome;
use crate::core::facts::{self, Details};
use crate::model::{Document, Message, Run, RunId};

/// What was asked at the end of a run.
pub struct AtEnd {
    /// Figures and the reason of a failure; what a small server does not have is missing.
    pub details: Details,
    /// The messages, or why they could not be had. None where they were not asked for or the server has none.
    pub messages: Result<Option<Vec<Message>>, ApiError>,
}

/// Pauses between looks at metrics that are not written yet.
const WRITING: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(300)];

/// Figures that take longer than this are done without.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is wanted at the end of a run.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Which messages.
    pub messages: Messages,
    /// Steps, tokens and the duration, where the run itself does not tell.
    pub figures: bool,
    /// The run was seen at work: its figures may still be being written.
    pub just_ended: bool,
}

/// Asks for everything at once. Figures are a courtesy: their loss changes nothing. Messages are the answer.
pub async fn at_end(api: &Client, run: &Run, outcome: Outcome, wanted: Wanted) -> AtEnd {
    let id = run.id();
    let messages: OptionFuture<_> = (wanted.messages != Messages::Never).then(|| api.messages(id, None)).into();
    let details = timeout(PATIENCE, details(api, run, outcome, wanted));
    let (details, messages) = join(details, messages).await;
    AtEnd { details: details.unwrap_or_default(), messages: messages.map_or(Ok(None), optional) }
}

async fn details(api: &Client, run: &Run, outcome: Outcome, wanted: Wanted) -> Details {
    let id = run.id();
    let metrics: OptionFuture<_> = wanted.figures.then(|| metrics(api, id, wanted.just_ended)).into();
    let usage: OptionFuture<_> = wanted.figures.then(|| api.usage(id)).into();
    let steps: OptionFuture<_> = needs_steps(run, outcome).then(|| api.steps(id)).into();
    let (metrics, usage, steps) = join3(metrics, usage, steps).await;
    Details {
        metrics: metrics.flatten(),
        usage: usage.and_then(Result::ok),
        steps: steps.and_then(Result::ok).unwrap_or_default(),
    }
}

/// The metrics; a server that has just ended the run is given a moment to write them.
async fn metrics(api: &Client, id: &RunId, just_ended: bool) -> Option<Document> {
    let mut metrics = api.metrics(id).await.ok()?;
    for pause in WRITING {
        if !just_ended || facts::are_written(&metrics) {
            break;
        }
        tokio::time::sleep(pause).await;
        metrics = api.metrics(id).await.ok()?;
    }
    Some(metrics)
}

/// The steps tell why a run failed, where the run itself does not.
fn needs_steps(run: &Run, outcome: Outcome) -> bool {
    outcome == Outcome::Failed && run.error().is_none()
}
