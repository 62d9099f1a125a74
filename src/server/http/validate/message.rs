//! One element of `messages`: something said, or decisions on tool calls that wait.

use serde_json::{Map, Value};

use super::fields::{self, Fields};
use super::{Fault, Loc, part};
use crate::server::Manners;
use crate::server::types::request::{Decision, Input, InputMessage, Returned, Role, Verdict};

/// The names under which the API's server reports the three forms an element can have.
const MESSAGE: &str = "function-after[generate_otid_if_missing(), MessageCreate]";
const APPROVAL: &str =
    "function-after[migrate_deprecated_fields(), function-after[generate_otid_if_missing(), ApprovalCreate]]";
const TOOL_RETURN: &str = "function-after[generate_otid_if_missing(), ToolReturnCreate]";

const ROLES: &str =
    "<MessageRole.user: 'user'>, <MessageRole.system: 'system'> or <MessageRole.assistant: 'assistant'>";

/// Fills in the type that an element without one has.
pub fn with_type(element: &Value) -> Value {
    let mut element = element.clone();
    if let Some(object) = element.as_object_mut().filter(|object| !object.contains_key("type")) {
        let decides = object.contains_key("approve") || object.contains_key("approval_request_id");
        object.insert("type".to_owned(), Value::from(if decides { "approval" } else { "message" }));
    }
    element
}

/// Reads an element as the first form that fits; if none does, each form's faults are told.
pub fn input(element: &Value, at: Loc, manners: Manners) -> Result<Input, Vec<Fault>> {
    let Some(object) = element.as_object() else {
        let words = "Input should be a valid dictionary or object to extract fields from";
        return Err(vec![Fault::new("model_attributes_type", at, words, element)]);
    };
    let message = |faults| approval(object, at.key(APPROVAL)).map_err(|more| [faults, more].concat());
    let rest = |faults| tool_return(object, at.key(TOOL_RETURN)).map_err(|more| [faults, more].concat());
    said(object, at.key(MESSAGE), manners).or_else(message).or_else(rest)
}

fn said(object: &Map<String, Value>, at: Loc, manners: Manners) -> Result<Input, Vec<Fault>> {
    let mut fields = Fields::new(object, at);
    expect_type(&mut fields, object, "message");
    let role = role(object, fields.at("role"));
    let role = fields.keep(role);
    let content = match object.get("content") {
        Some(value) => part::content(value, fields.at("content"), manners),
        None => Err(vec![Fault::missing(fields.at("content"), &Value::Object(object.clone()))]),
    };
    let content = fields.keep_all(content).unwrap_or_default();
    let (name, otid, sender_id) = (fields.text("name"), fields.text("otid"), fields.text("sender_id"));
    fields.finish(Input::Message(InputMessage { role: role.unwrap_or(Role::User), content, name, otid, sender_id }))
}

fn expect_type(fields: &mut Fields<'_>, object: &Map<String, Value>, word: &str) {
    let given = &object["type"];
    if given != word {
        let expected = format!("<MessageCreateType.{word}: '{word}'>");
        let at = fields.at("type");
        fields.blame(Fault::one_of("literal_error", at, &expected, given));
    }
}

fn role(object: &Map<String, Value>, at: Loc) -> Result<Role, Fault> {
    match object.get("role").map(|role| (role, role.as_str())) {
        Some((_, Some("user"))) => Ok(Role::User),
        Some((_, Some("system"))) => Ok(Role::System),
        Some((_, Some("assistant"))) => Ok(Role::Assistant),
        Some((other, _)) => Err(Fault::one_of("literal_error", at, ROLES, other)),
        None => Err(Fault::missing(at, &Value::Object(object.clone()))),
    }
}

fn approval(object: &Map<String, Value>, at: Loc) -> Result<Input, Vec<Fault>> {
    let mut fields = Fields::new(object, at);
    expect_type(&mut fields, object, "approval");
    let mut decisions = fields.list("approvals", decision).unwrap_or_default();
    if fields.present("approve").is_some() {
        decisions.push(single(&mut fields));
    }
    if decisions.is_empty() && object["type"] == "approval" {
        let at = fields.at("approvals");
        fields.blame(Fault::rule(at, "approvals must not be empty", &Value::Object(object.clone())));
    }
    fields.finish(Input::Decisions(decisions))
}

/// The deprecated form, which decides on the call that waits.
fn single(fields: &mut Fields<'_>) -> Decision {
    let approve = fields.flag_or("approve", false);
    let verdict = if approve { Verdict::Approve } else { Verdict::Deny { reason: fields.text("reason") } };
    Decision { tool_call_id: None, request_id: fields.text("approval_request_id"), verdict }
}

fn tool_return(object: &Map<String, Value>, at: Loc) -> Result<Input, Vec<Fault>> {
    let mut fields = Fields::new(object, at);
    expect_type(&mut fields, object, "tool_return");
    if !object.contains_key("tool_returns") {
        let at = fields.at("tool_returns");
        fields.blame(Fault::missing(at, &Value::Object(object.clone())));
    }
    let decisions = fields.list("tool_returns", result).unwrap_or_default();
    fields.finish(Input::Decisions(decisions))
}

fn decision(value: &Value, at: Loc) -> Result<Decision, Vec<Fault>> {
    if value.get("type").and_then(Value::as_str) == Some("tool") { result(value, at) } else { verdict(value, at) }
}

fn verdict(value: &Value, at: Loc) -> Result<Decision, Vec<Fault>> {
    let object = as_object(value, &at)?;
    let mut fields = Fields::new(object, at);
    let tool_call_id = required(&mut fields, object, "tool_call_id", fields::text);
    let approve = required(&mut fields, object, "approve", fields::flag).unwrap_or_default();
    let reason = fields.text("reason");
    let verdict = if approve { Verdict::Approve } else { Verdict::Deny { reason } };
    fields.finish(Decision { tool_call_id, request_id: None, verdict })
}

fn result(value: &Value, at: Loc) -> Result<Decision, Vec<Fault>> {
    let object = as_object(value, &at)?;
    let mut fields = Fields::new(object, at);
    let tool_call_id = required(&mut fields, object, "tool_call_id", fields::text);
    let error = required(&mut fields, object, "status", status).unwrap_or_default();
    let answer = required(&mut fields, object, "tool_return", said_by_a_tool).unwrap_or_default();
    let mut lines = |key| fields.list(key, line).map_or(Value::Null, Value::from);
    let (stdout, stderr) = (lines("stdout"), lines("stderr"));
    let returned = Returned { error, answer, stdout, stderr };
    fields.finish(Decision { tool_call_id, request_id: None, verdict: Verdict::Result(returned) })
}

/// Text, or parts.
fn said_by_a_tool(value: &Value, at: Loc) -> Result<Value, Fault> {
    if value.is_array() { Ok(value.clone()) } else { fields::text(value, at).map(Value::from) }
}

fn line(value: &Value, at: Loc) -> Result<String, Vec<Fault>> {
    fields::text(value, at).map_err(|fault| vec![fault])
}

/// Whether a tool's status is an error.
fn status(value: &Value, at: Loc) -> Result<bool, Fault> {
    match value.as_str() {
        Some("success") => Ok(false),
        Some("error") => Ok(true),
        _ => Err(Fault::one_of("literal_error", at, "'success' or 'error'", value)),
    }
}

fn as_object<'a>(value: &'a Value, at: &Loc) -> Result<&'a Map<String, Value>, Vec<Fault>> {
    let words = "Input should be a valid dictionary or object to extract fields from";
    value.as_object().ok_or_else(|| vec![Fault::new("model_attributes_type", at.clone(), words, value)])
}

fn required<T>(
    fields: &mut Fields<'_>,
    object: &Map<String, Value>,
    key: &str,
    read: impl Fn(&Value, Loc) -> Result<T, Fault>,
) -> Option<T> {
    let at = fields.at(key);
    let result = match object.get(key) {
        Some(value) => read(value, at),
        None => Err(Fault::missing(at, &Value::Object(object.clone()))),
    };
    fields.keep(result)
}
