//! The model that executes the message as a script, line by line.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending};
use tokio::time::sleep;

use super::directive::{self, Part, PartEnd, Prelude};
use super::turn::{Act, Model, Step, Turn};
use crate::model::StopReason;
use crate::server::types::run_error::{RunError, RunErrorKind};

/// `agentctl/script`.
pub struct Script;

impl Model for Script {
    fn step<'a>(&'a self, turn: &'a Turn, position: usize) -> BoxFuture<'a, Result<Step, RunError>> {
        perform(turn, position).boxed()
    }
}

async fn perform(turn: &Turn, position: usize) -> Result<Step, RunError> {
    let invalid = |message| RunError::new(RunErrorKind::InvalidScript, message);
    let parts = match directive::script(&turn.text).map_err(invalid)? {
        Some(parts) => parts,
        None => vec![echo(&turn.text)],
    };
    // The last part has no act, so a position after it follows a step that held only its thoughts.
    let Some(part) = parts.get(position) else { return Ok(stop(Vec::new(), StopReason::EndTurn)) };
    let thoughts = prelude(turn, &part.before).await;
    match &part.end {
        PartEnd::Act(act) => {
            turn.first_output.mark();
            let stop = stop_after(act, parts.get(position + 1));
            Ok(Step { thoughts, acts: vec![act.clone()], stop, tokens: None })
        }
        PartEnd::Stop(reason) => Ok(stop(thoughts, reason.clone())),
        PartEnd::Fail(message) => Err(RunError::new(RunErrorKind::ScriptFailed, message)),
        PartEnd::Hang => pending().await,
    }
}

fn echo(text: &str) -> Part {
    Part { before: Vec::new(), end: PartEnd::Act(Act::Reply(text.to_owned())) }
}

fn stop(thoughts: Vec<String>, reason: StopReason) -> Step {
    Step { thoughts, stop: Some(reason), ..Step::default() }
}

/// Sleeps as the script says, and returns its thoughts if the turn asks for them.
async fn prelude(turn: &Turn, before: &[Prelude]) -> Vec<String> {
    let mut thoughts = Vec::new();
    for prelude in before {
        match prelude {
            Prelude::Sleep(time) => sleep(*time).await,
            Prelude::FirstOutput(time) => {
                sleep(*time).await;
                turn.first_output.mark();
            }
            Prelude::Think(thought) => {
                turn.first_output.mark();
                thoughts.extend(turn.thinking.then(|| thought.clone()));
            }
        }
    }
    thoughts
}

/// Returns the stop reason of an act that ends its turn: it needs an approval, or only a stop follows it.
fn stop_after(act: &Act, next: Option<&Part>) -> Option<StopReason> {
    match (act, next) {
        (Act::Ask(_), _) => Some(StopReason::RequiresApproval),
        (_, None) => Some(StopReason::EndTurn),
        (_, Some(Part { before, end: PartEnd::Stop(reason) })) if before.is_empty() => Some(reason.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;

    fn turn(text: &str, thinking: bool) -> Turn {
        Turn { text: text.to_owned(), thinking, ..Turn::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_output_comes_at_the_time_in_the_script() {
        let begun = Instant::now();
        let turn = turn("@sleep 1s\n@ttft 500ms\n@sleep 2s\n@reply hi", false);
        let step = perform(&turn, 0).await.expect("a step");
        assert_eq!(step.acts, [Act::Reply("hi".to_owned())]);
        assert_eq!(turn.first_output.at(), Some(begun + Duration::from_millis(1500)));
        assert_eq!(begun.elapsed(), Duration::from_millis(3500));
    }

    #[tokio::test]
    async fn thoughts_are_returned_only_if_the_turn_asks_for_them() {
        let text = "@think hm\n@reply hi";
        assert_eq!(perform(&turn(text, true), 0).await.expect("a step").thoughts, ["hm"]);
        assert_eq!(perform(&turn(text, false), 0).await.expect("a step").thoughts, [""; 0]);
    }

    #[tokio::test]
    async fn a_stop_directly_after_an_act_belongs_to_its_step() {
        let turn = turn("@reply a\n@reply b\n@stop max_tokens_exceeded\n@reply never", false);
        assert_eq!(perform(&turn, 0).await.expect("a step").stop, None);
        assert_eq!(perform(&turn, 1).await.expect("a step").stop, Some(StopReason::MaxTokensExceeded));
    }
}
