//! The model that does what the message tells it to, line by line.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending};
use tokio::time::sleep;

use super::directive::{self, Beat, End, Prelude};
use super::{Act, Failure, Model, Step, Turn};
use crate::model::StopReason;

/// `agentctl/script`.
pub struct Script;

impl Model for Script {
    fn step<'a>(&'a self, turn: &'a Turn, position: usize) -> BoxFuture<'a, Result<Step, Failure>> {
        perform(turn, position).boxed()
    }
}

async fn perform(turn: &Turn, position: usize) -> Result<Step, Failure> {
    let wrong = |message| Failure::new("InvalidScriptError", message);
    let beats = match directive::script(&turn.text).map_err(wrong)? {
        Some(beats) => beats,
        None => vec![echo(&turn.text)],
    };
    // The last beat has no act, so a position behind it can only be a step that was its thoughts.
    let Some(beat) = beats.get(position) else { return Ok(stop(Vec::new(), StopReason::EndTurn)) };
    let thoughts = prelude(turn, &beat.before).await;
    match &beat.end {
        End::Act(act) => {
            turn.first_output.mark();
            let stop = stop_behind(act, beats.get(position + 1));
            Ok(Step { thoughts, acts: vec![act.clone()], stop, used: None })
        }
        End::Stop(reason) => Ok(stop(thoughts, reason.clone())),
        End::Fail(why) => Err(Failure::new("ScriptedError", why)),
        End::Hang => pending().await,
    }
}

fn echo(text: &str) -> Beat {
    Beat { before: Vec::new(), end: End::Act(Act::Reply(text.to_owned())) }
}

fn stop(thoughts: Vec<String>, reason: StopReason) -> Step {
    Step { thoughts, stop: Some(reason), ..Step::default() }
}

/// Lets the time pass and gathers the thoughts, if they are to be shown.
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

/// Why the turn ends with this act: a decision is awaited, or nothing but a stop stands behind it.
fn stop_behind(act: &Act, next: Option<&Beat>) -> Option<StopReason> {
    match (act, next) {
        (Act::Ask(_), _) => Some(StopReason::RequiresApproval),
        (_, None) => Some(StopReason::EndTurn),
        (_, Some(Beat { before, end: End::Stop(reason) })) if before.is_empty() => Some(reason.clone()),
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
    async fn time_to_the_first_output_is_what_the_script_says() {
        let begun = Instant::now();
        let turn = turn("@sleep 1s\n@ttft 500ms\n@sleep 2s\n@reply hi", false);
        let step = perform(&turn, 0).await.expect("a step");
        assert_eq!(step.acts, [Act::Reply("hi".to_owned())]);
        assert_eq!(turn.first_output.at(), Some(begun + Duration::from_millis(1500)));
        assert_eq!(begun.elapsed(), Duration::from_millis(3500));
    }

    #[tokio::test]
    async fn thoughts_are_given_only_when_they_are_asked_for() {
        let text = "@think hm\n@reply hi";
        assert_eq!(perform(&turn(text, true), 0).await.expect("a step").thoughts, ["hm"]);
        assert_eq!(perform(&turn(text, false), 0).await.expect("a step").thoughts, [""; 0]);
    }

    #[tokio::test]
    async fn a_stop_right_behind_an_act_belongs_to_its_step() {
        let turn = turn("@reply a\n@reply b\n@stop max_tokens_exceeded\n@reply never", false);
        assert_eq!(perform(&turn, 0).await.expect("a step").stop, None);
        assert_eq!(perform(&turn, 1).await.expect("a step").stop, Some(StopReason::MaxTokensExceeded));
    }
}
