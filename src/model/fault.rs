//! Error bodies, in the shapes that servers and gateways send.

use serde_json::Value;

/// A parsed error body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// The message for a person; empty if the body has none.
    pub message: String,
    /// Machine-readable reasons, such as `not-enough-credits`.
    pub reasons: Vec<String>,
    /// The run that conflicts with the request, if the server names it.
    pub run_id: Option<String>,
}

/// Reasons that a retry after some seconds does not change.
const QUOTA_REASONS: [&str; 10] = [
    "agents-limit-exceeded",
    "exceeded-quota",
    "free-usage-exceeded",
    "basic-usage-exceeded",
    "standard-usage-exceeded",
    "premium-usage-exceeded",
    "not-enough-credits",
    "model-unknown",
    "byok-not-available-on-free-tier",
    "context-window-size-not-supported",
];

impl Fault {
    /// Returns whether a retry is pointless: a quota is used up, or the account's settings are wrong.
    pub fn is_about_quota(&self) -> bool {
        self.reasons.iter().any(|reason| QUOTA_REASONS.contains(&reason.as_str()))
    }

    /// Reads an error body of any shape: JSON of eight kinds, HTML, or plain text.
    pub fn parse(body: &str) -> Self {
        match serde_json::from_str::<Value>(body) {
            Ok(value) => Self::from_json(&value),
            Err(_) => Self { message: plain_text(body), ..Self::default() },
        }
    }

    fn from_json(value: &Value) -> Self {
        // Some gateways nest everything once more under `error`.
        let inner = value.get("error").filter(|inner| inner.is_object()).unwrap_or(value);
        let run_id = value.get("run_id").and_then(Value::as_str).map(str::to_owned);
        Self { message: message(value).unwrap_or_default(), reasons: reasons(inner), run_id }
    }
}

fn message(value: &Value) -> Option<String> {
    let plain = || value.get("message").and_then(text);
    value.get("detail").and_then(detail).or_else(|| error(value)).or_else(plain)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned).filter(|text| !text.trim().is_empty())
}

/// `detail`: a text (perhaps a Python list of validation errors), an object with a message, or a list of errors.
fn detail(detail: &Value) -> Option<String> {
    match detail {
        Value::String(text) => Some(python_errors(text).unwrap_or_else(|| without_actor(text).to_owned())),
        Value::Object(object) => text(object.get("message")?),
        Value::Array(errors) => Some(errors.iter().filter_map(listed_error).collect::<Vec<_>>().join("; ")),
        _ => None,
    }
}

/// Cuts off the record of the requesting user that some servers append.
fn without_actor(text: &str) -> &str {
    text.split(", access level in [").next().unwrap_or(text)
}

fn listed_error(error: &Value) -> Option<String> {
    let place: Vec<String> = error.get("loc").and_then(Value::as_array).into_iter().flatten().map(place_part).collect();
    Some(at_place(&place.join("."), error.get("msg")?.as_str()?))
}

fn place_part(part: &Value) -> String {
    part.as_str().map_or_else(|| part.to_string(), str::to_owned)
}

fn at_place(place: &str, message: &str) -> String {
    if place.is_empty() { message.to_owned() } else { format!("{place}: {message}") }
}

/// `error`: a text with reasons, or an object with a message and a detail.
fn error(value: &Value) -> Option<String> {
    match value.get("error") {
        Some(Value::Object(object)) => object_error(object),
        Some(Value::String(said)) => Some(with_reasons(said, value)),
        _ => None,
    }
    .or_else(|| Some(reasons(value).join(", ")).filter(|words| !words.is_empty()))
}

fn object_error(object: &serde_json::Map<String, Value>) -> Option<String> {
    let part = |key: &str| object.get(key).and_then(text);
    match (part("message"), part("detail")) {
        (Some(message), Some(detail)) => Some(format!("{message} ({detail})")),
        (one, other) => one.or(other).or_else(|| part("error")),
    }
}

fn with_reasons(said: &str, value: &Value) -> String {
    let more = value.get("reason_text").and_then(text).unwrap_or_else(|| reasons(value).join(", "));
    if more.is_empty() { said.to_owned() } else { format!("{said}: {more}") }
}

fn reasons(value: &Value) -> Vec<String> {
    let list = value.get("reasons").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(text).collect()
}

/// The body of an answer that is not JSON: the title of a page, or the first line of a text.
fn plain_text(body: &str) -> String {
    let lower = body.to_ascii_lowercase();
    let title = lower.find("<title>").and_then(|from| Some((from + 7, from + lower[from..].find("</title>")?)));
    let words = match title {
        Some((from, to)) => body.get(from..to).unwrap_or_default(),
        None if lower.contains("<html") || lower.contains("<!doctype") => "",
        None => body.lines().find(|line| !line.trim().is_empty()).unwrap_or_default(),
    };
    crate::text::show::clip(words, 80)
}

/// Parses a list of validation errors that the server wrote as a Python literal inside a string.
///
/// Returns the errors as `place: message`; `None` if the text is anything else.
fn python_errors(text: &str) -> Option<String> {
    let list = text.trim().strip_prefix('[')?;
    let mut reader = Python { rest: list };
    let mut errors = Vec::new();
    while let Some(error) = reader.error() {
        errors.push(error);
    }
    errors.dedup();
    (!errors.is_empty()).then(|| errors.join("; "))
}

/// A reader of the few Python literals that such lists hold: `{'type': …, 'loc': (…), 'msg': …}`.
struct Python<'a> {
    rest: &'a str,
}

impl Python<'_> {
    /// The next error of the list.
    fn error(&mut self) -> Option<String> {
        self.skip_past("'loc': (")?;
        let mut place = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches([' ', ',']);
            match self.rest.chars().next()? {
                ')' => break,
                '\'' | '"' => place.push(self.string()?),
                _ => place.push(self.bare()?),
            }
        }
        self.skip_past("'msg': ")?;
        let message = self.string()?;
        Some(at_place(&readable_place(&place), &message))
    }

    fn skip_past(&mut self, mark: &str) -> Option<()> {
        let at = self.rest.find(mark)?;
        self.rest = &self.rest[at + mark.len()..];
        Some(())
    }

    /// A number or a name.
    fn bare(&mut self) -> Option<String> {
        let end = self.rest.find([',', ')'])?;
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(word.trim().to_owned())
    }

    /// A quoted string with backslash escapes.
    fn string(&mut self) -> Option<String> {
        let mut chars = self.rest.char_indices();
        let (_, quote) = chars.next().filter(|(_, c)| matches!(c, '\'' | '"'))?;
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => text.push(unescape(chars.next()?.1)),
                c if c == quote => {
                    self.rest = &self.rest[at + 1..];
                    return Some(text);
                }
                c => text.push(c),
            }
        }
        None
    }
}

fn unescape(c: char) -> char {
    match c {
        'n' => '\n',
        't' => '\t',
        other => other,
    }
}

/// Joins a place without its leading `body`: `('body', 'messages', 0, 'role')` becomes `messages.0.role`.
fn readable_place(place: &[String]) -> String {
    let inner = place.strip_prefix(&["body".to_owned()][..]).filter(|rest| !rest.is_empty());
    inner.unwrap_or(place).join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_error_body_is_read() {
        for (body, expected) in [
            (r#"{"detail":"Agent not found"}"#, "Agent not found"),
            (
                r#"{"detail":"Run not found with id='run-1', access level in ['read'] for actor='x'"}"#,
                "Run not found with id='run-1'",
            ),
            (r#"{"detail":{"code":"PENDING_APPROVAL","message":"CONFLICT: waiting"}}"#, "CONFLICT: waiting"),
            (
                r#"{"detail":[{"loc":["body","max_steps"],"msg":"not a number","type":"x"}]}"#,
                "body.max_steps: not a number",
            ),
            (r#"{"error":{"type":"llm","message":"Rate limit","detail":"slow down"}}"#, "Rate limit (slow down)"),
            (r#"{"error":"Rate limited","reasons":["not-enough-credits"]}"#, "Rate limited: not-enough-credits"),
            (r#"{"error":"Unauthorized"}"#, "Unauthorized"),
            (r#"{"reasons":["exceeded-quota"],"status_code":429}"#, "exceeded-quota"),
            (r#"{"message":"plain"}"#, "plain"),
            ("<html><head><title>502 Bad Gateway</title></head></html>", "502 Bad Gateway"),
            ("\n  no healthy upstream\n", "no healthy upstream"),
            ("<!DOCTYPE html><html><body>x</body></html>", ""),
            ("", ""),
            ("[]", ""),
            (r#"{"detail":null}"#, ""),
        ] {
            assert_eq!(Fault::parse(body).message, expected, "{body}");
        }
    }

    #[test]
    fn a_python_list_inside_a_string_is_made_readable() {
        let detail = r#"[{'type': 'enum', 'loc': ('body', 'include_return_message_types', 0), 'msg': "Input should be 'a' or 'b'", 'input': 'x'}, {'type': 'int', 'loc': ('body', 'max_steps'), 'msg': 'It\'s no number'}]"#;
        let body = serde_json::json!({"trace_id": "", "detail": detail}).to_string();
        let expected = "include_return_message_types.0: Input should be 'a' or 'b'; max_steps: It's no number";
        assert_eq!(Fault::parse(&body).message, expected);
    }

    #[test]
    fn a_broken_python_list_is_shown_as_it_is() {
        let body = serde_json::json!({"detail": "[{'loc': ('body', 'msg': "}).to_string();
        assert_eq!(Fault::parse(&body).message, "[{'loc': ('body', 'msg': ");
    }

    #[test]
    fn the_conflicting_run_is_kept() {
        let fault = Fault::parse(r#"{"detail":"busy","run_id":"run-12345678"}"#);
        assert_eq!(fault.run_id.as_deref(), Some("run-12345678"));
    }
}
