//! Renders the steps, usage, messages and callback of a run.

use serde::Serialize;
use serde_json::value::RawValue;

use super::fields::CardBuilder;
use super::grid::{Column, grid};
use super::json::raw;
use super::{Context, transcript};
use crate::model::{Document, Message, Run, time};
use crate::text::page::{Page, Tone};

/// The most columns of a cell.
const CELL_MAX: usize = 24;

/// Data about a run from other endpoints. A field is `None` if the server does not have the endpoint; `usage` also if it could
/// not be read.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    /// Its steps, oldest first.
    pub steps: Option<Vec<Document>>,
    /// Its tokens.
    pub usage: Option<Document>,
    /// Its messages, oldest first.
    pub messages: Option<Vec<Message>>,
}

/// Returns the run as the server sent it, with the detail under `_agentctl`.
pub fn json(run: &Run, detail: &Detail) -> String {
    let list = |documents: &mut dyn Iterator<Item = &Document>| documents.map(|one| raw(one.line())).collect();
    let keys = Keys {
        steps: detail.steps.as_ref().map(|steps| list(&mut steps.iter())),
        usage: detail.usage.as_ref().map(|usage| raw(usage.line())),
        messages: detail.messages.as_ref().map(|messages| list(&mut messages.iter().map(Message::document))),
    };
    run.document().line_with("_agentctl", &keys)
}

/// The keys of `_agentctl`, in the order in which they are printed.
#[derive(Serialize)]
struct Keys {
    steps: Option<Vec<Box<RawValue>>>,
    usage: Option<Box<RawValue>>,
    messages: Option<Vec<Box<RawValue>>>,
}

/// Renders the sections below a run's card. A section without data is left out.
pub fn sections(run: &Run, detail: &Detail, ctx: &Context) -> Page {
    let messages = detail.messages.as_deref().unwrap_or_default();
    [
        ("usage", detail.usage.as_ref().map(|usage| tokens(usage, ctx)).unwrap_or_default()),
        ("callback", callback(run, ctx)),
        ("steps", steps(detail.steps.as_deref().unwrap_or_default(), ctx)),
        ("messages", transcript::transcript(messages, ctx)),
    ]
    .into_iter()
    .filter(|(_, section)| !section.is_empty())
    .fold(Page::new(), |page, (title, section)| page.end().tone(Tone::Strong, title).end().page(section))
}

fn tokens(usage: &Document, ctx: &Context) -> Page {
    let count = |key| usage.count(key).map(|tokens| tokens.to_string());
    CardBuilder::new(ctx)
        .value("prompt", count("prompt_tokens").as_deref())
        .value("completion", count("completion_tokens").as_deref())
        .value("total", count("total_tokens").as_deref())
        .page()
}

fn callback(run: &Run, ctx: &Context) -> Page {
    let document = run.document();
    if document.text("callback_url").is_none() {
        return Page::new();
    }
    let sent = document.text("callback_sent_at").and_then(time::parse).map(|at| ctx.time(at));
    CardBuilder::new(ctx)
        .value("sent", Some(sent.as_deref().unwrap_or("not yet")))
        .value("answered", document.count("callback_status_code").map(|code| code.to_string()).as_deref())
        .value("error", document.text("callback_error"))
        .page()
}

fn steps(steps: &[Document], ctx: &Context) -> Page {
    let column = |title, rank, cell: &dyn Fn(&Document) -> String| {
        let cells = steps.iter().map(cell).collect();
        Column { title, rank, ids: title == "step", cells }
    };
    let text = |step: &Document, key| ctx.cell(step.text(key).unwrap_or_default(), CELL_MAX);
    let columns = [
        column("step", 0, &|step| ctx.line(step.text("id").unwrap_or("n/a"))),
        column("status", 1, &|step| text(step, "status")),
        column("stop reason", 2, &|step| text(step, "stop_reason")),
        column("tokens", 3, &|step| step.count("total_tokens").map(|count| count.to_string()).unwrap_or_default()),
        column("model", 4, &|step| text(step, "model")),
    ];
    steps.iter().filter_map(|step| failure(step, ctx)).fold(grid(&columns, ctx), Page::page)
}

/// Returns why a step failed, without the server's traceback, which only the JSON has.
fn failure(step: &Document, ctx: &Context) -> Option<Page> {
    let kind = step.text("error_type")?;
    let message = step.value().get("error_data").and_then(|data| data.get("message")?.as_str());
    let why = message.map_or_else(|| kind.to_owned(), |message| format!("{kind}: {message}"));
    Some(CardBuilder::new(ctx).toned("failed", Tone::Bad, &why).page())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples::{context, message, run};
    use serde_json::{Value, json};

    fn detail() -> Detail {
        let step = |id: &str, rest: Value| {
            let mut step =
                json!({"id": id, "status": "success", "stop_reason": null, "total_tokens": 812, "model": "gpt"});
            step.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
            Document::from_value(step)
        };
        let broken = json!({
            "status": "failed", "error_type": "LLMServerError", "error_data": {"message": "500\u{1b}[2J", "traceback": "secret"},
        });
        Detail {
            steps: Some(vec![
                step("step-33333333-3333-4333-8333-333333333333", json!({})),
                step("step-44444444-4444-4444-8444-444444444444", broken),
            ]),
            usage: Some(Document::from_value(
                json!({"prompt_tokens": 800, "completion_tokens": 12, "total_tokens": 812}),
            )),
            messages: Some(vec![message(json!({"message_type": "user_message", "content": "hi"}))]),
        }
    }

    fn called() -> Run {
        run(json!({
            "callback_url": "https://example.org/hook",
            "callback_sent_at": "2026-11-23T14:56:09",
            "callback_status_code": 204,
        }))
    }

    #[test]
    fn each_section_has_a_title_and_no_section_shows_a_traceback() {
        insta::assert_snapshot!(sections(&called(), &detail(), &context(Some(80))).text(false), @r"

        usage
        prompt       800
        completion   12
        total        812

        callback
        sent         2026-11-23 14:56:09, 3 m ago
        answered     204

        steps
        step                                       status   stop reason  tokens  model
        step-33333333-3333-4333-8333-333333333333  success               812     gpt
        step-44444444-4444-4444-8444-444444444444  failed                812     gpt
        failed       LLMServerError: 500\u{1b}[2J

        messages
        user
        hi
        ");
        insta::assert_snapshot!(sections(&called(), &detail(), &context(Some(40))).text(false), @r"

        usage
        prompt       800
        completion   12
        total        812

        callback
        sent         2026-11-23 14:56:09, 3 m
                     ago
        answered     204

        steps
        step-33333333-3333-4333-8333-333333333333
          status success · tokens 812
          model gpt
        step-44444444-4444-4444-8444-444444444444
          status failed · tokens 812 · model gpt
        failed       LLMServerError:
                     500\u{1b}[2J

        messages
        user
        hi
        ");
    }

    #[test]
    fn a_section_without_data_is_left_out() {
        assert!(sections(&run(json!({})), &Detail::default(), &context(None)).is_empty());
        let line = json(&run(json!({})), &Detail::default());
        assert!(line.ends_with(r#","_agentctl":{"steps":null,"usage":null,"messages":null}}"#), "{line}");
    }

    #[test]
    fn the_json_keeps_every_document_as_it_was_sent() {
        let steps = vec![Document::parse(r#"{"z":1.50,"a":12345678901234567890}"#).expect("an object")];
        let line = json(&run(json!({})), &Detail { steps: Some(steps), ..Detail::default() });
        assert!(line.contains(r#""_agentctl":{"steps":[{"z":1.50,"a":12345678901234567890}],"usage":null"#), "{line}");
    }
}
