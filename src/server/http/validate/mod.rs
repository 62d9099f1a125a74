//! What a request must look like, and the 422 that says where it does not.
//!
//! The API's server is written in Python: it reads some values leniently (`"5"` is an integer) and
//! reports faults as a printed list. Both are kept, so that clients see what they know.

mod agent;
mod body;
mod fields;
mod key;
mod message;
mod part;
mod query;
mod send;

pub use agent::{bad_name, changes, is_name, new_agent};
pub use body::{is_crowded, object};
pub use key::idempotency_key;
pub use query::Params;
pub use send::{Join, MESSAGE_TYPES, Route, include_pings, join, run_ids, send_request};

use serde_json::{Value, json};

use crate::server::types::python_repr::{Py, list};

/// The pattern of an agent id, as the API prints it.
const AGENT_ID: &str = "^agent-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";

/// The pattern of a conversation id, as the API prints it.
const CONVERSATION_ID: &str = "^(default|conv-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|agent-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})$";

/// One thing that is wrong with a request.
#[derive(Clone, Debug)]
pub struct Fault(Box<Parts>);

/// The parts of a printed fault.
#[derive(Clone, Debug)]
struct Parts {
    kind: &'static str,
    at: Loc,
    message: String,
    input: Py,
    context: Vec<(&'static str, Py)>,
}

/// Where in a request something stands.
#[derive(Clone, Debug)]
pub struct Loc(Vec<Py>);

impl Loc {
    /// The body, the path or the query.
    pub fn new(place: &str) -> Self {
        Self(vec![place.into()])
    }

    /// A field of it.
    pub fn key(&self, key: &str) -> Self {
        self.with(key.into())
    }

    /// An item of it.
    pub fn index(&self, index: usize) -> Self {
        self.with(Py::Json(index.into()))
    }

    fn with(&self, part: Py) -> Self {
        Self(self.0.iter().cloned().chain([part]).collect())
    }
}

impl Fault {
    /// A fault of a kind, at a place, with the input that has it.
    pub fn new(kind: &'static str, at: Loc, message: impl Into<String>, input: &Value) -> Self {
        let input = Py::Json(input.clone());
        Self(Box::new(Parts { kind, at, message: message.into(), input, context: Vec::new() }))
    }

    /// A required field that is not there.
    pub fn missing(at: Loc, input: &Value) -> Self {
        Self::new("missing", at, "Field required", input)
    }

    /// A rule that concerns more than one value's type.
    pub fn rule(at: Loc, words: &str, input: &Value) -> Self {
        Self::new("value_error", at, format!("Value error, {words}"), input)
            .context("error", Py::ValueError(words.to_owned()))
    }

    /// A word that is not one of those allowed.
    pub fn one_of(kind: &'static str, at: Loc, expected: &str, input: &Value) -> Self {
        Self::new(kind, at, format!("Input should be {expected}"), input).context("expected", expected.into())
    }

    /// The same fault with more to it.
    pub fn context(mut self, key: &'static str, value: Py) -> Self {
        self.0.context.push((key, value));
        self
    }

    /// The same fault with input that is not JSON.
    pub fn input(mut self, input: Py) -> Self {
        self.0.input = input;
        self
    }

    /// A callback that must not be made.
    pub fn callback_url(value: &str, words: &str) -> Self {
        Self::rule(Loc::new("body").key("callback_url"), words, &Value::from(value))
    }

    /// An agent id in the path that is not one.
    pub fn agent_id(value: &str) -> Self {
        let at = Loc::new("path").key("agent_id");
        let words = "String should match pattern 'agent-{uuid4}'";
        Self::new("string_pattern_mismatch", at, words, &Value::from(value)).context("pattern", AGENT_ID.into())
    }

    /// A conversation id in the path that is not one.
    pub fn conversation_id(value: &str) -> Self {
        let at = Loc::new("path").key("conversation_id");
        let words = format!("String should match pattern '{CONVERSATION_ID}'");
        Self::new("string_pattern_mismatch", at, words, &Value::from(value)).context("pattern", CONVERSATION_ID.into())
    }

    /// The body of the 422.
    pub fn body(faults: &[Self]) -> Value {
        let entries: Vec<Py> = faults.iter().map(Self::entry).collect();
        let mut body = json!({"trace_id": "", "detail": list(&entries)});
        if faults.iter().any(|fault| fault.0.context.iter().any(|(_, value)| *value == AGENT_ID.into())) {
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

/// Words as a list for people: `'a', 'b' or 'c'`.
fn alternatives(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
