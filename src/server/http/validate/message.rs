//! Reads an element of `messages`: a message, or decisions on pending tool calls.

use serde_json::{Map, Value};

use super::fields::{self, Fields};
use super::{Loc, ValidationError, part};
use crate::server::Behaviour;
use crate::server::types::request::{Decision, Input, InputMessage, Role, ToolReturn, Verdict};

/// The three forms of an element, as the real server names them in the locations of errors.
const MESSAGE: &str = "function-after[generate_otid_if_missing(), MessageCreate]";
const APPROVAL: &str =
    "function-after[migrate_deprecated_fields(), function-after[generate_otid_if_missing(), ApprovalCreate]]";
const TOOL_RETURN: &str = "function-after[generate_otid_if_missing(), ToolReturnCreate]";

const ROLES: &str =
    "<MessageRole.user: 'user'>, <MessageRole.system: 'system'> or <MessageRole.assistant: 'assistant'>";

/// Adds the `type` to an element that has none.
pub fn with_type(element: &Value) -> Value {
    let mut element = element.clone();
    if let Some(object) = element.as_object_mut().filter(|object| !object.contains_key("type")) {
        let decides = object.contains_key("approve") || object.contains_key("approval_request_id");
        object.insert("type".to_owned(), Value::from(if decides { "approval" } else { "message" }));
    }
    element
}

/// Reads an element as the first form that fits, or returns the errors of every form.
pub fn input(element: &Value, at: Loc, behaviour: Behaviour) -> Result<Input, Vec<ValidationError>> {
    let Some(object) = element.as_object() else {
        let message = "Input should be a valid dictionary or object to extract fields from";
        return Err(vec![ValidationError::new("model_attributes_type", at, message, element)]);
    };
    let or_approval = |errors| approval(object, at.key(APPROVAL)).map_err(|more| [errors, more].concat());
    let or_tool_return = |errors| tool_return(object, at.key(TOOL_RETURN)).map_err(|more| [errors, more].concat());
    plain_message(object, at.key(MESSAGE), behaviour).or_else(or_approval).or_else(or_tool_return)
}

fn plain_message(object: &Map<String, Value>, at: Loc, behaviour: Behaviour) -> Result<Input, Vec<ValidationError>> {
    let mut fields = Fields::new(object, at);
    expect_type(&mut fields, object, "message");
    let role = role(object, fields.at("role"));
    let role = fields.check(role);
    let content = match object.get("content") {
        Some(value) => part::content(value, fields.at("content"), behaviour),
        None => Err(vec![ValidationError::missing(fields.at("content"), &Value::Object(object.clone()))]),
    };
    let content = fields.check_all(content).unwrap_or_default();
    let message = InputMessage {
        role: role.unwrap_or(Role::User),
        content,
        name: fields.text("name"),
        otid: fields.text("otid"),
        sender_id: fields.text("sender_id"),
    };
    fields.finish(Input::Message(message))
}

fn expect_type(fields: &mut Fields<'_>, object: &Map<String, Value>, word: &str) {
    let given = &object["type"];
    if given != word {
        let expected = format!("<MessageCreateType.{word}: '{word}'>");
        let at = fields.at("type");
        fields.push(ValidationError::one_of("literal_error", at, &expected, given));
    }
}

fn role(object: &Map<String, Value>, at: Loc) -> Result<Role, ValidationError> {
    match object.get("role").map(|role| (role, role.as_str())) {
        Some((_, Some("user"))) => Ok(Role::User),
        Some((_, Some("system"))) => Ok(Role::System),
        Some((_, Some("assistant"))) => Ok(Role::Assistant),
        Some((other, _)) => Err(ValidationError::one_of("literal_error", at, ROLES, other)),
        None => Err(ValidationError::missing(at, &Value::Object(object.clone()))),
    }
}

fn approval(object: &Map<String, Value>, at: Loc) -> Result<Input, Vec<ValidationError>> {
    let mut fields = Fields::new(object, at);
    expect_type(&mut fields, object, "approval");
    let mut decisions = fields.list("approvals", decision).unwrap_or_default();
    if fields.present("approve").is_some() {
        decisions.push(deprecated_decision(&mut fields));
    }
    if decisions.is_empty() && object["type"] == "approval" {
        let at = fields.at("approvals");
        fields.push(ValidationError::rule(at, "approvals must not be empty", &Value::Object(object.clone())));
    }
    fields.finish(Input::Decisions(decisions))
}

/// The deprecated form, which names the request instead of the call.
fn deprecated_decision(fields: &mut Fields<'_>) -> Decision {
    let approve = fields.flag_or("approve", false);
    let verdict = if approve { Verdict::Approve } else { Verdict::Deny { reason: fields.text("reason") } };
    Decision { tool_call_id: None, request_id: fields.text("approval_request_id"), verdict }
}

fn tool_return(object: &Map<String, Value>, at: Loc) -> Result<Input, Vec<ValidationError>> {
    let mut fields = Fields::new(object, at);
    expect_type(&mut fields, object, "tool_return");
    if !object.contains_key("tool_returns") {
        let at = fields.at("tool_returns");
        fields.push(ValidationError::missing(at, &Value::Object(object.clone())));
    }
    let decisions = fields.list("tool_returns", tool_result).unwrap_or_default();
    fields.finish(Input::Decisions(decisions))
}

/// An item of `approvals`: a result that the client supplies, or a verdict.
fn decision(value: &Value, at: Loc) -> Result<Decision, Vec<ValidationError>> {
    let is_result = value.get("type").and_then(Value::as_str) == Some("tool");
    if is_result { tool_result(value, at) } else { verdict(value, at) }
}

/// An approval or a denial of a call.
fn verdict(value: &Value, at: Loc) -> Result<Decision, Vec<ValidationError>> {
    let object = as_object(value, &at)?;
    let mut fields = Fields::new(object, at);
    let tool_call_id = required(&mut fields, object, "tool_call_id", fields::text);
    let approve = required(&mut fields, object, "approve", fields::flag).unwrap_or_default();
    let reason = fields.text("reason");
    let verdict = if approve { Verdict::Approve } else { Verdict::Deny { reason } };
    fields.finish(Decision { tool_call_id, request_id: None, verdict })
}

/// The result of a call that the client carried out.
fn tool_result(value: &Value, at: Loc) -> Result<Decision, Vec<ValidationError>> {
    let object = as_object(value, &at)?;
    let mut fields = Fields::new(object, at);
    let tool_call_id = required(&mut fields, object, "tool_call_id", fields::text);
    let error = required(&mut fields, object, "status", status).unwrap_or_default();
    let answer = required(&mut fields, object, "tool_return", tool_output).unwrap_or_default();
    let mut lines = |key| fields.list(key, line).map_or(Value::Null, Value::from);
    let stdout = lines("stdout");
    let stderr = lines("stderr");
    let returned = ToolReturn { error, answer, stdout, stderr };
    fields.finish(Decision { tool_call_id, request_id: None, verdict: Verdict::Result(returned) })
}

/// Text, or a list of parts.
fn tool_output(value: &Value, at: Loc) -> Result<Value, ValidationError> {
    if value.is_array() { Ok(value.clone()) } else { fields::text(value, at).map(Value::from) }
}

fn line(value: &Value, at: Loc) -> Result<String, Vec<ValidationError>> {
    fields::text(value, at).map_err(|error| vec![error])
}

/// Returns whether the status of a tool call is `error`.
fn status(value: &Value, at: Loc) -> Result<bool, ValidationError> {
    match value.as_str() {
        Some("success") => Ok(false),
        Some("error") => Ok(true),
        _ => Err(ValidationError::one_of("literal_error", at, "'success' or 'error'", value)),
    }
}

fn as_object<'a>(value: &'a Value, at: &Loc) -> Result<&'a Map<String, Value>, Vec<ValidationError>> {
    let message = "Input should be a valid dictionary or object to extract fields from";
    value.as_object().ok_or_else(|| vec![ValidationError::new("model_attributes_type", at.clone(), message, value)])
}

fn required<T>(
    fields: &mut Fields<'_>,
    object: &Map<String, Value>,
    key: &str,
    read: impl Fn(&Value, Loc) -> Result<T, ValidationError>,
) -> Option<T> {
    let at = fields.at(key);
    let result = match object.get(key) {
        Some(value) => read(value, at),
        None => Err(ValidationError::missing(at, &Value::Object(object.clone()))),
    };
    fields.check(result)
}
