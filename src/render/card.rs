//! Renders a run or an agent as a card: one labelled value a line.

use std::time::Duration;

use super::Context;
use super::fields::CardBuilder;
use crate::core::Outcome;
use crate::core::facts::{self, Details, Facts};
use crate::core::outcome::outcome;
use crate::model::message::ToolCall;
use crate::model::{Document, Run, time};
use crate::text::duration::format_ns;
use crate::text::page::{Page, Tone};

/// Renders a run as a card. Without facts, it shows only the fields of the run's document.
///
/// The card of a run that is open or waits for approval ends with the next commands.
pub fn card(run: &Run, facts: Option<&Facts>, ctx: &Context) -> Page {
    let facts = facts.cloned().unwrap_or_else(|| own_facts(run));
    values(run, &facts, ctx).page(next_commands(run, facts.outcome, ctx))
}

/// Renders a run that stopped for approval, with its pending calls.
pub fn waiting_card(run: &Run, facts: &Facts, calls: &[ToolCall], ctx: &Context) -> Page {
    let one = |page: Page, call: &ToolCall| {
        let fields = CardBuilder::new(ctx)
            .toned("waits", Tone::Caution, &call.name)
            .value("arguments", Some(&call.arguments).filter(|arguments| !arguments.is_empty()).map(String::as_str))
            .id("tool call", &call.id);
        page.end().page(fields.page())
    };
    match calls {
        [] => values(run, facts, ctx).page(CardBuilder::new(ctx).value("approval", Some("answered before")).page()),
        calls => calls.iter().fold(values(run, facts, ctx), one).page(next_commands(run, facts.outcome, ctx)),
    }
}

fn values(run: &Run, facts: &Facts, ctx: &Context) -> Page {
    let document = run.document();
    CardBuilder::new(ctx)
        .id("run", run.id().as_str())
        .id("agent", run.agent_id().unwrap_or("n/a"))
        .value("model", run.model())
        .toned("status", tone(facts.outcome), &status_and_outcome(run, facts.outcome))
        .value("stop reason", run.stop_reason().as_ref().map(|reason| reason.as_str()))
        .value("reason", facts.reason.as_deref().filter(|reason| Some(*reason) != document.text("stop_reason")))
        .value("created", run.created_at().map(|at| ctx.time(at)).as_deref())
        .value("duration", Some(&format_ns(facts.duration_ns)))
        .value("ttft", Some(&format_ns(facts.ttft_ns)))
        .value("steps", facts.steps.map(|steps| steps.to_string()).as_deref())
        .value("tokens", facts.total_tokens.map(|tokens| tokens.to_string()).as_deref())
        .value("callback", document.text("callback_url"))
        .value("error", document.text("callback_error"))
        .page()
}

/// Renders an agent as a card.
pub fn agent_card(agent: &Document, ctx: &Context) -> Page {
    let created = agent.text("created_at").and_then(time::parse).map(|at| ctx.time(at));
    CardBuilder::new(ctx)
        .id("agent", agent.text("id").unwrap_or("n/a"))
        .value("name", agent.text("name"))
        .value("model", model(agent))
        .value("type", agent.text("agent_type"))
        .value("created", created.as_deref())
        .value("description", agent.text("description"))
        .page()
}

/// Returns the facts that can be computed from the run alone.
pub(super) fn own_facts(run: &Run) -> Facts {
    facts::facts(run, outcome(run, Duration::ZERO), &Details::default())
}

/// Returns the handle of an agent's model, which older servers have under `llm_config`.
pub(super) fn model(agent: &Document) -> Option<&str> {
    agent.text("model").or_else(|| agent.value().get("llm_config")?.get("handle")?.as_str())
}

/// Returns the tone of an outcome.
pub(super) fn tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Succeeded => Tone::Good,
        Outcome::Truncated | Outcome::NeedsApproval | Outcome::Cancelled => Tone::Caution,
        Outcome::Failed | Outcome::Unknown => Tone::Bad,
        Outcome::Open => Tone::Plain,
    }
}

/// Returns the server's status, followed by the outcome if it is a different word.
fn status_and_outcome(run: &Run, outcome: Outcome) -> String {
    let status = run.status();
    match (status.as_str(), outcome.words()) {
        ("", words) => words.to_owned(),
        (word, words) if word == words || outcome == Outcome::Open => word.to_owned(),
        (word, words) => format!("{word}, {words}"),
    }
}

/// Renders the next commands, ready to paste.
fn next_commands(run: &Run, outcome: Outcome, ctx: &Context) -> Page {
    let verbs = match outcome {
        Outcome::Open => ["watch", "messages", "cancel"],
        Outcome::NeedsApproval => ["approve", "deny", "cancel"],
        _ => return Page::new(),
    };
    let page = Page::new().end().tone(Tone::Faint, "next").end();
    verbs.iter().fold(page, |page, verb| page.say("  ").show_line(&ctx.command(verb, run.id())).end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples::{context, facts_of, run};
    use proptest::prelude::*;
    use serde_json::json;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn a_run_that_ended_shows_its_facts() {
        let run = run(json!({"callback_url": "https://example.org/hook"}));
        let text = card(&run, Some(&facts_of(&run)), &context(Some(80))).text(false);
        insta::assert_snapshot!(text, @"
        run          run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77
        agent        agent-11111111-1111-4111-8111-111111111111
        status       completed, succeeded
        stop reason  end_turn
        created      2026-11-23 14:56:08, 3 m ago
        duration     4.2 s
        ttft         310 ms
        steps        3
        tokens       812
        callback     https://example.org/hook
        ");
    }

    #[test]
    fn the_card_of_an_open_run_ends_with_commands_and_shows_no_zero_for_an_unknown_figure() {
        let run = run(json!({"status": "running", "stop_reason": null, "total_duration_ns": null, "ttft_ns": null}));
        insta::assert_snapshot!(card(&run, None, &context(Some(80))).text(false), @"
        run          run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77
        agent        agent-11111111-1111-4111-8111-111111111111
        status       running
        created      2026-11-23 14:56:08, 3 m ago
        duration     n/a
        ttft         n/a

        next
          agentctl watch run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77 --local
          agentctl messages run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77 --local
          agentctl cancel run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77 --local
        ");
    }

    #[test]
    fn a_run_that_waits_for_approval_shows_the_whole_call_and_the_commands_that_answer() {
        let run = run(json!({"stop_reason": "requires_approval"}));
        let arguments = r#"{"path": "/var/lib/thing", "recursive": true, "force": true}"#.to_owned();
        let call = ToolCall { name: "rm".to_owned(), arguments, id: "call_1".to_owned() };
        let card = |calls: &[ToolCall], width| waiting_card(&run, &own_facts(&run), calls, &context(width)).text(false);
        insta::assert_snapshot!(card(std::slice::from_ref(&call), Some(80)), @r#"
        run          run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77
        agent        agent-11111111-1111-4111-8111-111111111111
        status       completed, needs approval
        stop reason  requires_approval
        created      2026-11-23 14:56:08, 3 m ago
        duration     4.2 s
        ttft         310 ms

        waits        rm
        arguments    {"path": "/var/lib/thing", "recursive": true, "force": true}
        tool call    call_1

        next
          agentctl approve run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77 --local
          agentctl deny run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77 --local
          agentctl cancel run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77 --local
        "#);
        insta::assert_snapshot!(card(std::slice::from_ref(&call), Some(40)), @r#"
        run
        run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77
        agent
        agent-11111111-1111-4111-8111-111111111111
        status       completed, needs approval
        stop reason  requires_approval
        created      2026-11-23 14:56:08, 3 m
                     ago
        duration     4.2 s
        ttft         310 ms

        waits        rm
        arguments    {"path": "/var/lib/thing",
                     "recursive": true, "force":
                     true}
        tool call    call_1

        next
          agentctl approve run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77 --local
          agentctl deny run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77 --local
          agentctl cancel run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77 --local
        "#);
        assert!(card(&[], None).ends_with("approval     answered before\n"));
    }

    #[test]
    fn a_narrow_card_keeps_ids_whole_and_breaks_the_rest() {
        let run = run(
            json!({"status": "failed", "stop_reason": "error", "metadata": {"error": "the provider answered 500 to every one of three tries"}}),
        );
        insta::assert_snapshot!(card(&run, None, &context(Some(40))).text(false), @"
        run
        run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77
        agent
        agent-11111111-1111-4111-8111-111111111111
        status       failed
        stop reason  error
        reason       the provider answered 500
                     to every one of three tries
        created      2026-11-23 14:56:08, 3 m
                     ago
        duration     4.2 s
        ttft         310 ms
        ");
    }

    #[test]
    fn with_utc_a_time_is_shown_as_rfc_3339() {
        let mut ctx = context(None);
        ctx.style.utc = true;
        let text = card(&run(json!({})), None, &ctx).text(false);
        assert!(text.contains("created      2026-11-23T14:56:08.000Z\n"), "{text}");
    }

    #[test]
    fn an_agent_shows_the_model_of_older_servers_too() {
        let agent = json!({"id": "agent-1", "name": "default", "llm_config": {"handle": "openai/gpt-5"}});
        insta::assert_snapshot!(agent_card(&Document::from_value(agent), &context(Some(80))).text(false), @"
        agent        agent-1
        name         default
        model        openai/gpt-5
        ");
    }

    proptest! {
        #[test]
        fn no_line_except_an_id_is_wider_than_the_terminal(status: String, error: String, url: String, columns in 20usize..100, ascii: bool) {
            let run = run(json!({"status": status, "stop_reason": error, "callback_url": url, "metadata": {"error": error}}));
            let mut ctx = context(Some(columns));
            ctx.style.ascii = ascii;
            let text = card(&run, None, &ctx).text(false);
            let whole = |line: &str| line.starts_with("run") || line.starts_with("agent") || line.starts_with("  agentctl ");
            for line in text.lines().filter(|line| !whole(line)) {
                prop_assert!(line.width() <= columns, "{line:?}");
            }
            prop_assert!(!text.chars().any(crate::text::show::is_hidden));
            prop_assert!(!ascii || text.is_ascii());
        }
    }
}
