//! Validates requests, and builds the 422 that lists their errors.
//!
//! The real server uses pydantic: it reads some values leniently (`"5"` is an integer) and reports errors as a printed
//! Python list. Both are reproduced for its clients.

mod agent;
mod body;
mod fields;
mod idempotency_key;
mod message;
mod part;
mod query;
mod send;

pub use agent::{agent_changes, invalid_name, is_name, new_agent};
pub use body::{has_too_many_values, object};
pub use idempotency_key::idempotency_key;
pub use query::Params;
pub use send::{JoinRequest, MESSAGE_TYPES, SendRoute, include_pings, join_request, run_ids, send_request};

use serde_json::{Value, json};

use crate::server::types::python_repr::{Py, list};

/// The pattern of an agent id, as the real server prints it.
const AGENT_ID: &str = "^agent-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";

/// The pattern of a conversation id, as the real server prints it.
const CONVERSATION_ID: &str = "^(default|conv-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|agent-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})$";

/// A validation error. Boxed, since it is the error type of many results.
#[derive(Clone, Debug)]
pub struct ValidationError(Box<Entry>);

/// The entry of an error in the list.
#[derive(Clone, Debug)]
struct Entry {
    kind: &'static str,
    at: Loc,
    message: String,
    input: Py,
    context: Vec<(&'static str, Py)>,
}

/// A location in a request, like `('body', 'messages', 0)`.
#[derive(Clone, Debug)]
pub struct Loc(Vec<Py>);

impl Loc {
    /// The root of a part: `body`, `path`, `query` or `header`.
    pub fn new(root: &str) -> Self {
        Self(vec![root.into()])
    }

    /// The location of a field.
    pub fn key(&self, key: &str) -> Self {
        self.with(key.into())
    }

    /// The location of an item of a list.
    pub fn index(&self, index: usize) -> Self {
        self.with(Py::Json(index.into()))
    }

    fn with(&self, part: Py) -> Self {
        Self(self.0.iter().cloned().chain([part]).collect())
    }
}

impl ValidationError {
    /// An error with its pydantic type, its location and the invalid input.
    pub fn new(kind: &'static str, at: Loc, message: impl Into<String>, input: &Value) -> Self {
        let input = Py::Json(input.clone());
        Self(Box::new(Entry { kind, at, message: message.into(), input, context: Vec::new() }))
    }

    /// A required field is missing.
    pub fn missing(at: Loc, input: &Value) -> Self {
        Self::new("missing", at, "Field required", input)
    }

    /// A custom rule is violated.
    pub fn rule(at: Loc, message: &str, input: &Value) -> Self {
        Self::new("value_error", at, format!("Value error, {message}"), input)
            .context("error", Py::ValueError(message.to_owned()))
    }

    /// A value is not one of the expected words.
    pub fn one_of(kind: &'static str, at: Loc, expected: &str, input: &Value) -> Self {
        Self::new(kind, at, format!("Input should be {expected}"), input).context("expected", expected.into())
    }

    /// Adds a value to the context (`ctx`).
    pub fn context(mut self, key: &'static str, value: Py) -> Self {
        self.0.context.push((key, value));
        self
    }

    /// Replaces the input by one that is not JSON.
    pub fn input(mut self, input: Py) -> Self {
        self.0.input = input;
        self
    }

    /// A callback URL that is not allowed.
    pub fn callback_url(value: &str, message: &str) -> Self {
        Self::rule(Loc::new("body").key("callback_url"), message, &Value::from(value))
    }

    /// An invalid agent id in the path.
    pub fn agent_id(value: &str) -> Self {
        let at = Loc::new("path").key("agent_id");
        let message = "String should match pattern 'agent-{uuid4}'";
        Self::new("string_pattern_mismatch", at, message, &Value::from(value)).context("pattern", AGENT_ID.into())
    }

    /// An invalid conversation id in the path.
    pub fn conversation_id(value: &str) -> Self {
        let at = Loc::new("path").key("conversation_id");
        let message = format!("String should match pattern '{CONVERSATION_ID}'");
        Self::new("string_pattern_mismatch", at, message, &Value::from(value))
            .context("pattern", CONVERSATION_ID.into())
    }

    /// The body of the 422.
    pub fn body(errors: &[Self]) -> Value {
        let entries: Vec<Py> = errors.iter().map(Self::entry).collect();
        let mut body = json!({"trace_id": "", "detail": list(&entries)});
        if errors.iter().any(|error| error.0.context.iter().any(|(_, value)| *value == AGENT_ID.into())) {
            body["examples"] = json!(["agent-123e4567-e89b-42d3-8456-426614174000"]);
        }
        body
    }

    fn entry(&self) -> Py {
        let mut entry = vec![
            ("type", self.0.kind.into()),
            ("loc", Py::Tuple(self.0.at.0.clone())),
            ("msg", self.0.message.as_str().into()),
            ("input", self.0.input.clone()),
        ];
        if !self.0.context.is_empty() {
            entry.push(("ctx", Py::Dict(self.0.context.clone())));
        }
        Py::Dict(entry)
    }
}

/// Joins words as in `'a', 'b' or 'c'`.
fn alternatives(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
