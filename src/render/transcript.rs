//! Renders messages for people. Their text is escaped and otherwise unchanged.

use serde_json::Value;

use super::Context;
use crate::model::Message;
use crate::model::message::ToolCall;
use crate::text::page::{Page, Tone};
use crate::text::show::show;

/// Renders messages with an empty line between them.
pub fn transcript(messages: &[Message], ctx: &Context) -> Page {
    let pages = messages.iter().enumerate().map(|(at, one)| match at {
        0 => message(one, ctx),
        _ => Page::new().end().page(message(one, ctx)),
    });
    pages.fold(Page::new(), Page::page)
}

/// Renders one message: its author, then its text.
pub fn message(message: &Message, ctx: &Context) -> Page {
    let page = match message.kind() {
        "user_message" => authored("user", Tone::Strong, Tone::Plain, message),
        "assistant_message" => authored("assistant", Tone::Good, Tone::Plain, message),
        "system_message" => authored("system", Tone::Faint, Tone::Plain, message),
        "summary_message" => authored("summary", Tone::Faint, Tone::Plain, message),
        "reasoning_message" => authored("reasoning", Tone::Faint, Tone::Faint, message),
        "hidden_reasoning_message" => authored("hidden reasoning", Tone::Faint, Tone::Faint, message),
        "tool_call_message" => called(message, ctx),
        "tool_return_message" => returned(message),
        "approval_request_message" => asked(message, ctx),
        "approval_response_message" => decided(message),
        _ => None,
    };
    page.unwrap_or_else(|| other(message, ctx))
}

fn authored(who: &'static str, head: Tone, body: Tone, message: &Message) -> Option<Page> {
    let words = message.text()?;
    Some(Page::new().tone(head, who).end().paint(body, show(words.trim_end())).end())
}

fn called(message: &Message, ctx: &Context) -> Option<Page> {
    let calls = message.tool_calls();
    let line = |call| Page::new().tone(Tone::Strong, "tool call").end().show(&signature(call, ctx)).end();
    (!calls.is_empty()).then(|| calls.iter().map(line).fold(Page::new(), Page::page))
}

/// Renders a tool call on one line, cut to the width.
fn signature(call: &ToolCall, ctx: &Context) -> String {
    ctx.clip(&format!("{}({})", call.name, call.arguments), ctx.columns())
}

fn returned(message: &Message) -> Option<Page> {
    let returns = message.tool_returns();
    let one = |(status, words): &(String, String)| {
        let tone = if status == "error" { Tone::Bad } else { Tone::Faint };
        let head = Page::new().tone(Tone::Strong, "tool return").say(" ").paint(tone, show(status)).end();
        if words.is_empty() { head } else { head.show(words.trim_end()).end() }
    };
    (!returns.is_empty()).then(|| returns.iter().map(one).fold(Page::new(), Page::page))
}

fn asked(message: &Message, ctx: &Context) -> Option<Page> {
    let calls = message.tool_calls();
    let one = |call: &ToolCall| {
        let page = Page::new().tone(Tone::Caution, "approval request").say(" ").show_line(&call.id).end();
        page.show(&signature(call, ctx)).end()
    };
    (!calls.is_empty()).then(|| calls.iter().map(one).fold(Page::new(), Page::page))
}

/// Renders the decisions about tool calls. An entry without a decision is the result of a tool that a client ran: it
/// is shown as `answered`.
fn decided(message: &Message) -> Option<Page> {
    let approvals = message.document().value().get("approvals").and_then(Value::as_array)?;
    let one = |approval: &Value| {
        let text = |key| approval.get(key).and_then(Value::as_str).unwrap_or_default();
        let word = match approval.get("approve").and_then(Value::as_bool) {
            Some(true) => "approved",
            Some(false) => "denied",
            None => "answered",
        };
        let page = Page::new().tone(Tone::Strong, word).say(" ").show_line(text("tool_call_id")).end();
        if text("reason").is_empty() { page } else { page.show(text("reason")).end() }
    };
    (!approvals.is_empty()).then(|| approvals.iter().map(one).fold(Page::new(), Page::page))
}

/// Renders a message of an unknown type, or one that lacks the fields of its type, as one line: its type and its document.
fn other(message: &Message, ctx: &Context) -> Page {
    let kind = if message.kind().is_empty() { "message" } else { message.kind() };
    let line = ctx.clip(&format!("[{kind}] {}", message.document().line()), ctx.columns());
    Page::new().paint(Tone::Faint, show(&line)).end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples::{RUN, context, message as sample};
    use proptest::prelude::*;
    use serde_json::json;

    fn text(message: serde_json::Value) -> String {
        super::message(&sample(message), &context(Some(60))).text(false)
    }

    #[test]
    fn a_conversation_is_shown_in_order() {
        let call = json!({"name": "get_weather", "arguments": "{\n  \"city\": \"Paris\"\n}", "tool_call_id": "call_1"});
        let messages = [
            sample(json!({"message_type": "user_message", "content": "Is it raining?\n  Look outside."})),
            sample(json!({"message_type": "reasoning_message", "reasoning": "I have to look."})),
            sample(json!({"message_type": "tool_call_message", "tool_call": call})),
            sample(json!({"message_type": "tool_return_message", "tool_return": "no rain\n", "status": "success"})),
            sample(json!({"message_type": "assistant_message", "content": [{"type": "text", "text": "No."}]})),
        ];
        insta::assert_snapshot!(transcript(&messages, &context(Some(60))).text(false), @r#"
        user
        Is it raining?
          Look outside.

        reasoning
        I have to look.

        tool call
        get_weather({ "city": "Paris" })

        tool return success
        no rain

        assistant
        No.
        "#);
    }

    #[test]
    fn a_long_call_is_cut_to_the_width() {
        let call = json!({"name": "write", "arguments": "日本語".repeat(40), "tool_call_id": "call_1"});
        insta::assert_snapshot!(text(json!({"message_type": "tool_call_message", "tool_call": call})), @"
        tool call
        write(日本語日本語日本語日本語日本語日本語日本語日本語日本…
        ");
    }

    #[test]
    fn an_approval_request_shows_the_call_and_its_id() {
        let call = json!({"name": "rm", "arguments": "{}", "tool_call_id": "call_1"});
        let request = json!({"message_type": "approval_request_message", "tool_call": call, "run_id": RUN});
        insta::assert_snapshot!(text(request), @"
        approval request call_1
        rm({})
        ");
    }

    #[test]
    fn a_decision_shows_its_word_call_and_reason() {
        let approvals = json!([
            {"type": "approval", "tool_call_id": "call_1", "approve": false, "reason": "not today"},
            {"type": "approval", "tool_call_id": "call_2", "approve": true},
            {"type": "tool", "tool_call_id": "call_3", "status": "success"},
        ]);
        insta::assert_snapshot!(text(json!({"message_type": "approval_response_message", "approvals": approvals})), @"
        denied call_1
        not today
        approved call_2
        answered call_3
        ");
    }

    #[test]
    fn an_unknown_type_shows_its_document() {
        insta::assert_snapshot!(text(json!({"message_type": "event_message", "event_type": "compaction"})), @r#"[event_message] {"message_type":"event_message","event_type…"#);
        insta::assert_snapshot!(text(json!({"message_type": "user_message"})), @r#"[user_message] {"message_type":"user_message"}"#);
    }

    proptest! {
        #[test]
        fn untrusted_text_is_always_escaped(text: String, at in 0usize..9) {
            let kind = ["user", "assistant", "system", "summary", "reasoning", "tool_call", "tool_return", "approval_request", ""][at];
            let call = json!({"name": text, "arguments": text, "tool_call_id": text});
            let one = sample(json!({
                "message_type": format!("{kind}_message{}", if at == 8 { &text } else { "" }),
                "content": text, "summary": text, "reasoning": text, "run_id": RUN,
                "tool_call": call, "tool_return": text, "status": text,
            }));
            let page = super::message(&one, &context(Some(60))).text(false);
            prop_assert!(!page.chars().any(crate::text::show::is_hidden));
        }
    }
}
