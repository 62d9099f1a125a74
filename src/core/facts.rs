//! The `_agentctl` key, which this program adds to a run that it followed.

use schemars::JsonSchema;
use serde::Serialize;

use super::Outcome;
use crate::model::{Document, Run, time};

/// The source of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FigureSource {
    /// The run itself.
    Run,
    /// `GET /v1/runs/{run_id}/metrics`.
    Metrics,
    /// The run's times of creation and completion.
    Timestamps,
}

/// The value of `_agentctl`, in the order in which it is printed. An unknown value is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Facts {
    /// The outcome of the run.
    pub outcome: Outcome,
    /// The cause of the outcome: an error message, a stop reason or an unknown status. Null if the run succeeded or is
    /// open.
    pub reason: Option<String>,
    /// Duration in nanoseconds.
    pub duration_ns: Option<u64>,
    /// The source of the duration.
    pub duration_from: Option<FigureSource>,
    /// Time to first token in nanoseconds.
    pub ttft_ns: Option<u64>,
    /// The source of the time to first token.
    pub ttft_from: Option<FigureSource>,
    /// The number of the agent's steps.
    pub steps: Option<u64>,
    /// The number of input and output tokens of all steps.
    pub total_tokens: Option<u64>,
}

/// Answers with details of a run. A small server may not have these endpoints.
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// `GET /v1/runs/{run_id}/metrics`.
    pub metrics: Option<Document>,
    /// `GET /v1/runs/{run_id}/usage`.
    pub usage: Option<Document>,
    /// `GET /v1/runs/{run_id}/steps`, for a run that failed.
    pub steps: Vec<Document>,
}

/// Combines a run and its details.
pub fn facts(run: &Run, outcome: Outcome, details: &Details) -> Facts {
    let (duration_ns, duration_from) = duration(run, details.metrics.as_ref()).unzip();
    let ttft_ns = run.ttft_ns();
    Facts {
        outcome,
        reason: reason(run, outcome, &details.steps),
        duration_ns,
        duration_from,
        ttft_ns,
        ttft_from: ttft_ns.map(|_| FigureSource::Run),
        steps: details.metrics.as_ref().and_then(steps),
        total_tokens: details.usage.as_ref().and_then(|usage| usage.count("total_tokens")),
    }
}

/// Returns whether the metrics of a run are complete. A server ends the run first, and writes its metrics afterwards.
pub fn are_complete(metrics: &Document) -> bool {
    metrics.count("run_ns").is_some()
}

/// Returns the number of steps. 0 counts only in complete metrics.
fn steps(metrics: &Document) -> Option<u64> {
    metrics.count("num_steps").filter(|steps| *steps > 0 || are_complete(metrics))
}

/// Returns the duration in the run, else in its metrics, else the time between creation and completion.
fn duration(run: &Run, metrics: Option<&Document>) -> Option<(u64, FigureSource)> {
    let own = || Some((run.total_duration_ns()?, FigureSource::Run));
    let metrics = || Some((metrics?.count("run_ns")?, FigureSource::Metrics));
    let times = || Some((time::nanos_between(run.created_at()?, run.completed_at()?)?, FigureSource::Timestamps));
    own().or_else(metrics).or_else(times)
}

/// Returns the run's error, else the failed step's, else the stop reason; for an unknown outcome, the status.
fn reason(run: &Run, outcome: Outcome, steps: &[Document]) -> Option<String> {
    let failed = || steps.iter().find_map(step_error);
    let stop = || run.stop_reason().map(|reason| reason.as_str().to_owned());
    match outcome {
        Outcome::Succeeded | Outcome::Open => None,
        Outcome::Unknown => Some(run.status().as_str().to_owned()),
        Outcome::Failed => run.error().or_else(failed).or_else(stop),
        _ => run.error().or_else(stop),
    }
}

fn step_error(step: &Document) -> Option<String> {
    let kind = step.text("error_type");
    let message = step.value().get("error_data").and_then(|data| data.get("message")?.as_str());
    match (kind, message) {
        (Some(kind), Some(message)) => Some(format!("{kind}: {message}")),
        (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(rest: serde_json::Value) -> Run {
        let mut object = json!({"id": "run-12345678"});
        object.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        Run::from_document(Document::from_value(object)).expect("a run")
    }

    fn document(value: serde_json::Value) -> Option<Document> {
        Some(Document::from_value(value))
    }

    #[test]
    fn the_duration_falls_back_from_the_run_to_the_metrics_to_the_times() {
        let times = json!({"created_at": "2026-11-23T14:56:08Z", "completed_at": "2026-11-23T14:56:09.5"});
        let with_metrics = Details { metrics: document(json!({"run_ns": 7, "num_steps": 2})), ..Details::default() };
        let facts = |run: &Run, details: &Details| {
            let facts = super::facts(run, Outcome::Succeeded, details);
            (facts.duration_ns, facts.duration_from)
        };
        assert_eq!(facts(&run(json!({"total_duration_ns": 5})), &with_metrics), (Some(5), Some(FigureSource::Run)));
        assert_eq!(facts(&run(times.clone()), &with_metrics), (Some(7), Some(FigureSource::Metrics)));
        assert_eq!(facts(&run(times), &Details::default()), (Some(1_500_000_000), Some(FigureSource::Timestamps)));
        assert_eq!(facts(&run(json!({})), &Details::default()), (None, None));
    }

    #[test]
    fn zero_steps_count_only_in_complete_metrics() {
        let steps = |metrics| {
            let details = Details { metrics: document(metrics), ..Details::default() };
            super::facts(&run(json!({})), Outcome::Succeeded, &details).steps
        };
        assert_eq!(steps(json!({"run_ns": null, "num_steps": 0})), None);
        assert_eq!(steps(json!({"run_ns": 5, "num_steps": 0})), Some(0));
        assert_eq!(steps(json!({"num_steps": 2})), Some(2));
    }

    #[test]
    fn the_reason_is_the_most_specific_text() {
        let details = Details {
            steps: vec![Document::from_value(
                json!({"error_type": "LLMServerError", "error_data": {"message": "500"}}),
            )],
            ..Details::default()
        };
        let reason = |run: &Run, outcome| super::facts(run, outcome, &details).reason;
        let failed = run(json!({"status": "failed", "stop_reason": "error"}));
        assert_eq!(reason(&failed, Outcome::Failed).as_deref(), Some("LLMServerError: 500"));
        let said = run(json!({"status": "failed", "metadata": {"error": "boom"}}));
        assert_eq!(reason(&said, Outcome::Failed).as_deref(), Some("boom"));
        let cut = run(json!({"status": "completed", "stop_reason": "max_steps"}));
        assert_eq!(reason(&cut, Outcome::Truncated).as_deref(), Some("max_steps"));
        assert_eq!(reason(&cut, Outcome::Succeeded), None);
    }

    #[test]
    fn unknown_figures_are_null_and_the_keys_keep_their_order() {
        let json = serde_json::to_string(&facts(&run(json!({})), Outcome::Open, &Details::default())).expect("JSON");
        let expected = r#"{"outcome":"open","reason":null,"duration_ns":null,"duration_from":null,"ttft_ns":null,"ttft_from":null,"steps":null,"total_tokens":null}"#;
        assert_eq!(json, expected);
    }
}
