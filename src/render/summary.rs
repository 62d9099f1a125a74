//! Renders the summary of a followed run, and the counts of several runs by outcome.

use unicode_width::UnicodeWidthStr;

use super::Context;
use super::card::tone;
use crate::core::Outcome;
use crate::core::facts::Facts;
use crate::follow::event::EndedRun;
use crate::model::message::ToolCall;
use crate::model::{Run, StopReason, approval};
use crate::text::count::{plural, tally};
use crate::text::duration::format_ns;
use crate::text::page::Page;
use crate::text::show::show;
use crate::text::wrap::{fill, wrap};

/// The separator between the parts of a line.
const SEPARATOR: &str = " · ";

/// The most columns of a stop reason: enough for the longest known one.
const STOP_MAX: usize = 40;

/// Renders the end of a followed run: the reason, unless the run succeeded, then one line with the words `ttft` and
/// `duration`.
pub fn summary(ending: &EndedRun, ctx: &Context) -> Page {
    why(ending, ctx).page(last_line(&ending.run, &ending.facts, ctx))
}

/// Renders the counts by outcome: `4 runs: 2 succeeded, 1 failed, 1 lost`. Lost runs are those that could not be
/// followed.
pub fn counts(outcomes: &[Outcome], lost: usize) -> Page {
    let mut outcomes = outcomes.to_vec();
    // Outcomes are declared best first.
    outcomes.sort_by_key(|outcome| *outcome as u8);
    let words = outcomes.iter().map(|outcome| outcome.words());
    let words: Vec<&str> = words.chain(std::iter::repeat_n("lost", lost)).collect();
    Page::new().show(&tally("run", &words)).end()
}

fn why(ending: &EndedRun, ctx: &Context) -> Page {
    let reason = ending.facts.reason.as_deref();
    match ending.facts.outcome {
        Outcome::Succeeded | Outcome::Open => Page::new(),
        Outcome::Truncated => truncated(&ending.run, ctx),
        Outcome::NeedsApproval => waiting(ending, ctx),
        Outcome::Cancelled | Outcome::Failed | Outcome::Unknown => {
            let stop = ending.run.stop_reason();
            // The last line already says `cancelled`. A failure needs its reason on a line of its own, since the last line
            // may drop it.
            let said = ending.facts.outcome == Outcome::Cancelled;
            let new = reason.filter(|reason| !said || stop.as_ref().is_none_or(|stop| stop.as_str() != *reason));
            new.map(|reason| outcome_with_reason(ending.facts.outcome, reason, ctx)).unwrap_or_default()
        }
    }
}

/// Renders `failed: the reason`, wrapped.
fn outcome_with_reason(outcome: Outcome, why: &str, ctx: &Context) -> Page {
    let text = format!("{}: {}", outcome.words(), ctx.line(why));
    let lines = wrap(&text, ctx.columns());
    lines.iter().fold(Page::new(), |page, line| page.paint(tone(outcome), show(line)).end())
}

fn truncated(run: &Run, ctx: &Context) -> Page {
    match run.stop_reason() {
        Some(StopReason::MaxSteps) => outcome_with_reason(Outcome::Truncated, "the step budget was used up", ctx)
            .page(hint("give a higher --max-steps", ctx)),
        _ => outcome_with_reason(Outcome::Truncated, "the model's answer was cut at its token limit", ctx),
    }
}

fn waiting(ending: &EndedRun, ctx: &Context) -> Page {
    let calls: Vec<String> =
        approval::pending(ending.messages.as_deref().unwrap_or_default()).iter().map(named).collect();
    let calls = if calls.is_empty() { "a tool call".to_owned() } else { calls.join(", ") };
    outcome_with_reason(Outcome::NeedsApproval, &format!("{calls} waits for a decision"), ctx).page(commands(
        ["approve", "deny"],
        &ending.run,
        ctx,
    ))
}

fn named(call: &ToolCall) -> String {
    format!("{}({}) [{}]", call.name, call.arguments, call.id)
}

/// Renders the commands that answer the approval request, ready to paste.
fn commands(verbs: [&'static str; 2], run: &Run, ctx: &Context) -> Page {
    let line = |page: Page, verb| page.say("  ").show_line(&ctx.command(verb, run.id())).end();
    verbs.into_iter().fold(Page::new(), line)
}

fn hint(text: &str, ctx: &Context) -> Page {
    let lines = wrap(&format!("hint: {text}"), ctx.columns().saturating_sub(2));
    lines.iter().fold(Page::new(), |page, line| page.say("  ").show(line).end())
}

/// Renders outcome, id and figures: on one line if it fits without the least important figures, else on several.
fn last_line(run: &Run, facts: &Facts, ctx: &Context) -> Page {
    let head = [facts.outcome.words().to_owned(), run.id().to_string()];
    let stop: Vec<String> = run.stop_reason().iter().map(|reason| ctx.clip(reason.as_str(), STOP_MAX)).collect();
    let times = times(facts);
    let sizes = sizes(facts);
    let lines = match one_line(&head.join(" "), &stop, &times, &sizes, ctx.columns()) {
        Some(line) => vec![line],
        // Several lines have room for every figure. The times are always at the end.
        None => [fill(&head, " ", ctx.columns()), fill(&[stop, sizes, vec![times]].concat(), SEPARATOR, ctx.columns())]
            .concat(),
    };
    painted(&lines, facts.outcome)
}

/// Returns the longest line that fits. It drops the sizes first, from the last one on, then the stop reason.
fn one_line(head: &str, stop: &[String], times: &str, sizes: &[String], columns: usize) -> Option<String> {
    let line = |stop: &[String], sizes: &[String]| {
        format!("{head} {}", [stop, &[times.to_owned()], sizes].concat().join(SEPARATOR))
    };
    let mut shorter = (0..=sizes.len()).rev().map(|kept| line(stop, &sizes[..kept])).chain([line(&[], &[])]);
    shorter.find(|line| line.width() <= columns)
}

fn times(facts: &Facts) -> String {
    format!("ttft {}{SEPARATOR}duration {}", format_ns(facts.ttft_ns), format_ns(facts.duration_ns))
}

fn sizes(facts: &Facts) -> Vec<String> {
    let steps = facts.steps.map(|steps| plural(steps, "step"));
    let tokens = facts.total_tokens.map(|tokens| plural(tokens, "token"));
    steps.into_iter().chain(tokens).collect()
}

/// Renders the lines, with the outcome at the start of the first line in its colour.
fn painted(lines: &[String], outcome: Outcome) -> Page {
    let Some((first, rest)) = lines.split_first() else { return Page::new() };
    let after_outcome = first.strip_prefix(outcome.words()).unwrap_or(first);
    let page = Page::new().paint(tone(outcome), show(outcome.words())).show(after_outcome).end();
    rest.iter().fold(page, |page, line| page.show(line).end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Message;
    use crate::render::samples::{context, facts_of, message, run};
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::rc::Rc;

    fn ended(changes: Value, messages: Option<Vec<Message>>) -> EndedRun {
        let run = run(changes);
        EndedRun { facts: facts_of(&run), run: Rc::new(run), messages }
    }

    fn text(changes: Value, width: Option<usize>) -> String {
        summary(&ended(changes, None), &context(width)).text(false)
    }

    #[test]
    fn the_last_line_drops_parts_before_it_wraps() {
        insta::assert_snapshot!(text(json!({}), None), @"succeeded run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77 end_turn · ttft 310 ms · duration 4.2 s · 3 steps · 812 tokens");
        insta::assert_snapshot!(text(json!({}), Some(90)), @"succeeded run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77 end_turn · ttft 310 ms · duration 4.2 s");
        insta::assert_snapshot!(text(json!({}), Some(80)), @"succeeded run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77 ttft 310 ms · duration 4.2 s");
        insta::assert_snapshot!(text(json!({}), Some(40)), @"
        succeeded
        run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77
        end_turn · 3 steps · 812 tokens
        ttft 310 ms · duration 4.2 s
        ");
        insta::assert_snapshot!(text(json!({"ttft_ns": null, "total_duration_ns": 192_000_000_000_u64}), Some(70)), @"
        succeeded run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77
        end_turn · 3 steps · 812 tokens · ttft n/a · duration 3 m 12 s
        ");
    }

    #[test]
    fn a_failure_shows_its_reason_first() {
        let failed =
            json!({"status": "failed", "stop_reason": "error", "metadata": {"error": "the provider answered\n500"}});
        insta::assert_snapshot!(text(failed, Some(80)), @"
        failed: the provider answered 500
        failed run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77 ttft 310 ms · duration 4.2 s
        ");
    }

    #[test]
    fn a_truncated_run_shows_a_warning() {
        insta::assert_snapshot!(text(json!({"stop_reason": "max_steps"}), Some(80)), @"
        truncated: the step budget was used up
          hint: give a higher --max-steps
        truncated run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77 ttft 310 ms · duration 4.2 s
        ");
        insta::assert_snapshot!(text(json!({"stop_reason": "max_tokens_exceeded"}), Some(40)), @"
        truncated: the model's answer was cut at
        its token limit
        truncated
        run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77
        max_tokens_exceeded · 3 steps
        812 tokens
        ttft 310 ms · duration 4.2 s
        ");
    }

    #[test]
    fn a_pending_call_is_shown_with_its_name() {
        let call = json!({"name": "rm", "arguments": "{\"path\": \"x\"}", "tool_call_id": "call_1"});
        let messages = vec![message(json!({"message_type": "approval_request_message", "tool_call": call}))];
        let ending = ended(json!({"stop_reason": "requires_approval"}), Some(messages));
        insta::assert_snapshot!(summary(&ending, &context(Some(80))).text(false), @r#"
        needs approval: rm({"path": "x"}) [call_1] waits for a decision
          agentctl approve run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77 --local
          agentctl deny run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77 --local
        needs approval run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77
        requires_approval · 3 steps · 812 tokens · ttft 310 ms · duration 4.2 s
        "#);
    }

    #[test]
    fn a_failure_without_a_reason_shows_its_stop_reason() {
        let failed = json!({"status": "failed", "stop_reason": "llm_api_error"});
        assert!(text(failed, Some(80)).starts_with("failed: llm_api_error\n"));
        let cancelled = json!({"status": "cancelled", "stop_reason": "cancelled"});
        assert!(text(cancelled, Some(80)).starts_with("cancelled run-"));
    }

    #[test]
    fn several_runs_are_counted_best_first() {
        let outcomes = [Outcome::Failed, Outcome::Succeeded, Outcome::NeedsApproval, Outcome::Succeeded];
        assert_eq!(counts(&outcomes, 0).text(false), "4 runs: 2 succeeded, 1 needs approval, 1 failed\n");
        assert_eq!(counts(&outcomes[..1], 2).text(false), "3 runs: 1 failed, 2 lost\n");
    }

    proptest! {
        #[test]
        fn the_last_line_has_both_times_and_no_line_is_too_wide(
            reason: String, stop: String, duration: u64, columns in 50usize..120, ascii: bool
        ) {
            let ending = ended(
                json!({"status": "failed", "stop_reason": stop, "metadata": {"error": reason}, "total_duration_ns": duration}),
                None,
            );
            let mut ctx = context(Some(columns));
            ctx.style.ascii = ascii;
            let page = summary(&ending, &ctx).text(false);
            let last = page.lines().last().unwrap_or_default();
            prop_assert!(last.contains("ttft") && last.contains("duration"), "{page}");
            for line in page.lines() {
                prop_assert!(line.width() <= columns, "{line:?}");
            }
            prop_assert!(!page.chars().any(crate::text::show::is_hidden));
        }
    }
}
