//! Reads the bodies of `POST /v1/agents/{agent_id}/messages`, `…/async`, `…/stream` and `…/cancel`, and of
//! `POST /v1/runs/{run_id}/stream`.

use serde_json::{Map, Value};

use super::fields::{self, Fields};
use super::{Loc, ValidationError, alternatives, message, part};
use crate::server::Behaviour;
use crate::server::types::request::{Input, InputMessage, REPLY_ARGUMENT, REPLY_TOOL, Role, SendRequest, is_empty};
use crate::server::types::run_kind::RunKind;

/// The message types of the API.
pub const MESSAGE_TYPES: &[&str] = &crate::model::message::KINDS;

/// The default of `max_steps`.
const MAX_STEPS: i64 = 50;

/// A route that sends messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendRoute {
    Async,
    Sync,
    Stream,
}

impl SendRoute {
    /// The name of the route, part of the scope of an `Idempotency-Key`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Async => "async",
            Self::Sync => "sync",
            Self::Stream => "stream",
        }
    }
}

/// Reads the body of a request to send messages, or returns all its errors.
pub fn send_request(
    body: &Map<String, Value>,
    route: SendRoute,
    behaviour: Behaviour,
) -> Result<SendRequest, Vec<ValidationError>> {
    let body = with_types(body);
    check_source(&body)?;
    let mut fields = Fields::new(&body, Loc::new("body"));
    let inputs = inputs(&mut fields, behaviour);
    let request = SendRequest {
        kind: kind(&mut fields, route),
        inputs,
        max_steps: fields.integer_or("max_steps", MAX_STEPS),
        use_assistant_message: fields.flag_or("use_assistant_message", true),
        assistant_message_tool_name: fields.text_or("assistant_message_tool_name", REPLY_TOOL),
        assistant_message_tool_kwarg: fields.text_or("assistant_message_tool_kwarg", REPLY_ARGUMENT),
        include_return_message_types: fields.list("include_return_message_types", message_type),
        thinking: thinking(&mut fields),
        callback_url: callback_url(&mut fields, route),
        override_model: fields.text("override_model"),
        override_system: fields.text("override_system").or_else(|| fields.text("system")),
    };
    fields.finish(request)
}

/// Reads the body of a cancel request: the ids of runs; empty means all.
pub fn run_ids(body: &Map<String, Value>) -> Result<Vec<String>, Vec<ValidationError>> {
    let mut fields = Fields::new(body, Loc::new("body"));
    let ids = fields.list("run_ids", |value, at| fields::text(value, at).map_err(|error| vec![error]));
    fields.finish(ids.unwrap_or_default())
}

/// The position and options of a client that joins a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinRequest {
    /// The number of the last frame that the client has; later ones are sent.
    pub starting_after: i64,
    /// Whether pings are sent.
    pub pings: bool,
}

/// Reads the body of `POST /v1/runs/{run_id}/stream`. `batch_size`, which tunes the polling of the real server, is checked
/// and ignored.
pub fn join_request(body: &Map<String, Value>) -> Result<JoinRequest, Vec<ValidationError>> {
    let mut fields = Fields::new(body, Loc::new("body"));
    let join = JoinRequest {
        starting_after: fields.integer_or("starting_after", 0),
        pings: fields.flag_or("include_pings", true),
    };
    fields.integer_or("batch_size", 100);
    fields.finish(join)
}

/// Reads `include_pings` of a request to send messages.
pub fn include_pings(body: &Map<String, Value>) -> Result<bool, Vec<ValidationError>> {
    let mut fields = Fields::new(body, Loc::new("body"));
    let pings = fields.flag_or("include_pings", true);
    fields.finish(pings)
}

/// Reads how the client receives the output. The synchronous route streams it if the body asks for that.
fn kind(fields: &mut Fields<'_>, route: SendRoute) -> RunKind {
    if route == SendRoute::Async {
        return RunKind::Async;
    }
    let streams = fields.flag_or("streaming", route == SendRoute::Stream);
    let background = fields.flag_or("background", false);
    match (route, streams, background) {
        (SendRoute::Sync, false, _) => RunKind::Sync,
        (_, _, true) => RunKind::BackgroundStream,
        _ => RunKind::Stream,
    }
}

/// Reads the callback URL, which only the asynchronous route honours.
fn callback_url(fields: &mut Fields<'_>, route: SendRoute) -> Option<String> {
    let url = if route == SendRoute::Async { fields.text("callback_url") } else { None };
    url.filter(|url| !url.is_empty())
}

/// Adds the `type` to every message that has none.
fn with_types(body: &Map<String, Value>) -> Map<String, Value> {
    let mut body = body.clone();
    if let Some(Value::Array(messages)) = body.get_mut("messages") {
        messages.iter_mut().for_each(|element| *element = message::with_type(element));
    }
    body
}

/// Requires exactly one of `messages` and `input`.
fn check_source(body: &Map<String, Value>) -> Result<(), Vec<ValidationError>> {
    let given = |key| body.get(key).is_some_and(|value: &Value| !value.is_null());
    let message = match (given("messages"), given("input")) {
        (true, true) => "Cannot specify both 'input' and 'messages'. Use one or the other.",
        (false, false) => "Must specify either 'input' or 'messages'.",
        _ => return Ok(()),
    };
    Err(vec![ValidationError::rule(Loc::new("body"), message, &Value::Object(body.clone()))])
}

fn inputs(fields: &mut Fields<'_>, behaviour: Behaviour) -> Vec<Input> {
    if let Some(value) = fields.present("input") {
        let content = part::content(value, fields.at("input"), behaviour);
        return fields.check_all(content).map(user_message).into_iter().collect();
    }
    if fields.present("messages").is_some_and(is_empty) && !behaviour.accepts_empty() {
        let at = fields.at("messages");
        fields.push(ValidationError::rule(at, "messages must not be empty", &Value::Array(Vec::new())));
    }
    fields.list("messages", |element, at| message::input(element, at, behaviour)).unwrap_or_default()
}

fn user_message(content: Value) -> Input {
    Input::Message(InputMessage { role: Role::User, content, name: None, otid: None, sender_id: None })
}

fn message_type(value: &Value, at: Loc) -> Result<String, Vec<ValidationError>> {
    match value.as_str() {
        Some(word) if MESSAGE_TYPES.contains(&word) => Ok(word.to_owned()),
        _ => Err(vec![ValidationError::one_of("enum", at, &alternatives(MESSAGE_TYPES), value)]),
    }
}

/// Reads `enable_thinking`, which the API types as text.
fn thinking(fields: &mut Fields<'_>) -> bool {
    let word = fields.text_or("enable_thinking", "false").to_ascii_lowercase();
    !matches!(word.as_str(), "false" | "0" | "f" | "no" | "n" | "off" | "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(body: &Value, route: SendRoute) -> Result<SendRequest, Vec<ValidationError>> {
        send_request(body.as_object().expect("an object"), route, Behaviour::Documented)
    }

    fn detail(body: &Value) -> String {
        let errors = read(body, SendRoute::Async).expect_err("rejected");
        ValidationError::body(&errors)["detail"].as_str().expect("text").to_owned()
    }

    /// Recorded from a 0.16.8 server.
    #[test]
    fn errors_are_those_of_the_real_server() {
        for (body, expected) in [
            (
                json!({}),
                r#"[{'type': 'value_error', 'loc': ('body',), 'msg': "Value error, Must specify either 'input' or 'messages'.", 'input': {}, 'ctx': {'error': ValueError("Must specify either 'input' or 'messages'.")}}]"#,
            ),
            (
                json!({"messages": null}),
                r#"[{'type': 'value_error', 'loc': ('body',), 'msg': "Value error, Must specify either 'input' or 'messages'.", 'input': {'messages': None}, 'ctx': {'error': ValueError("Must specify either 'input' or 'messages'.")}}]"#,
            ),
            (
                json!({"messages": [{"role": "user", "content": "hello"}], "input": "hello"}),
                r#"[{'type': 'value_error', 'loc': ('body',), 'msg': "Value error, Cannot specify both 'input' and 'messages'. Use one or the other.", 'input': {'messages': [{'role': 'user', 'content': 'hello', 'type': 'message'}], 'input': 'hello'}, 'ctx': {'error': ValueError("Cannot specify both 'input' and 'messages'. Use one or the other.")}}]"#,
            ),
            (
                json!({"input": "hello", "include_return_message_types": ["nonsense"]}),
                r#"[{'type': 'enum', 'loc': ('body', 'include_return_message_types', 0), 'msg': "Input should be 'system_message', 'user_message', 'assistant_message', 'reasoning_message', 'hidden_reasoning_message', 'tool_call_message', 'tool_return_message', 'approval_request_message', 'approval_response_message', 'summary_message' or 'event_message'", 'input': 'nonsense', 'ctx': {'expected': "'system_message', 'user_message', 'assistant_message', 'reasoning_message', 'hidden_reasoning_message', 'tool_call_message', 'tool_return_message', 'approval_request_message', 'approval_response_message', 'summary_message' or 'event_message'"}}]"#,
            ),
            (
                json!({"input": "hello", "max_steps": "many"}),
                r"[{'type': 'int_parsing', 'loc': ('body', 'max_steps'), 'msg': 'Input should be a valid integer, unable to parse string as an integer', 'input': 'many'}]",
            ),
            (
                json!({"input": "hello", "max_steps": null}),
                r"[{'type': 'int_type', 'loc': ('body', 'max_steps'), 'msg': 'Input should be a valid integer', 'input': None}]",
            ),
            (
                json!({"input": "hello", "enable_thinking": true}),
                r"[{'type': 'string_type', 'loc': ('body', 'enable_thinking'), 'msg': 'Input should be a valid string', 'input': True}]",
            ),
            (
                json!({"messages": [{"role": "nobody", "content": "hello"}]}),
                r#"[{'type': 'literal_error', 'loc': ('body', 'messages', 0, 'function-after[generate_otid_if_missing(), MessageCreate]', 'role'), 'msg': "Input should be <MessageRole.user: 'user'>, <MessageRole.system: 'system'> or <MessageRole.assistant: 'assistant'>", 'input': 'nobody', 'ctx': {'expected': "<MessageRole.user: 'user'>, <MessageRole.system: 'system'> or <MessageRole.assistant: 'assistant'>"}}, {'type': 'literal_error', 'loc': ('body', 'messages', 0, 'function-after[migrate_deprecated_fields(), function-after[generate_otid_if_missing(), ApprovalCreate]]', 'type'), 'msg': "Input should be <MessageCreateType.approval: 'approval'>", 'input': 'message', 'ctx': {'expected': "<MessageCreateType.approval: 'approval'>"}}, {'type': 'literal_error', 'loc': ('body', 'messages', 0, 'function-after[generate_otid_if_missing(), ToolReturnCreate]', 'type'), 'msg': "Input should be <MessageCreateType.tool_return: 'tool_return'>", 'input': 'message', 'ctx': {'expected': "<MessageCreateType.tool_return: 'tool_return'>"}}, {'type': 'missing', 'loc': ('body', 'messages', 0, 'function-after[generate_otid_if_missing(), ToolReturnCreate]', 'tool_returns'), 'msg': 'Field required', 'input': {'role': 'nobody', 'content': 'hello', 'type': 'message'}}]"#,
            ),
        ] {
            assert_eq!(detail(&body), expected);
        }
    }

    #[test]
    fn invalid_bodies_are_rejected() {
        for (body, word) in [
            (json!({"messages": []}), "must not be empty"),
            (json!({"input": ""}), "empty or invalid"),
            (json!({"input": []}), "empty or invalid"),
            (json!({"messages": [{"role": "user", "content": ""}]}), "empty or invalid"),
            (json!({"messages": [{"role": "user"}]}), "Field required"),
            (json!({"messages": [{"content": "x"}]}), "Field required"),
            (json!({"messages": ["x"]}), "valid dictionary"),
            (json!({"messages": "x"}), "valid list"),
            (json!({"messages": [{"role": "user", "content": [{"type": "video"}]}]}), "expected tags"),
            (json!({"messages": [{"role": "user", "content": [{"text": "x"}]}]}), "discriminator"),
            (json!({"messages": [{"type": "approval", "approvals": []}]}), "approvals must not be empty"),
            (json!({"input": "x", "max_steps": 1.5}), "fractional"),
            (json!({"input": "x", "use_assistant_message": "perhaps"}), "unable to interpret"),
            (json!({"input": "x", "callback_url": 7}), "valid string"),
        ] {
            assert!(detail(&body).contains(word), "{body}: {}", detail(&body));
        }
    }

    #[test]
    fn values_are_read_as_leniently_as_python_reads_them() {
        let body = json!({"input": "x", "max_steps": "5", "use_assistant_message": "no", "nonsense": 1,
            "enable_thinking": "false", "callback_url": "", "client_tools": [{"name": "t"}]});
        let request = read(&body, SendRoute::Async).expect("accepted");
        assert_eq!((request.max_steps, request.use_assistant_message, request.thinking), (5, false, false));
        assert_eq!(request.callback_url, None);
        assert_eq!(request.text(), "x");
    }

    #[test]
    fn the_kind_of_a_run_follows_from_its_route_and_body() {
        for (route, extra, kind) in [
            (SendRoute::Async, json!({"streaming": true, "background": true}), RunKind::Async),
            (SendRoute::Sync, json!({}), RunKind::Sync),
            (SendRoute::Sync, json!({"background": true}), RunKind::Sync),
            (SendRoute::Sync, json!({"streaming": "yes"}), RunKind::Stream),
            (SendRoute::Sync, json!({"streaming": true, "background": true}), RunKind::BackgroundStream),
            (SendRoute::Stream, json!({}), RunKind::Stream),
            (SendRoute::Stream, json!({"background": true}), RunKind::BackgroundStream),
        ] {
            let mut body = json!({"input": "x", "callback_url": "http://a/"});
            body.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
            let request = read(&body, route).expect("accepted");
            assert_eq!((request.kind, request.callback_url.is_some()), (kind, route == SendRoute::Async), "{body}");
        }
    }
}
