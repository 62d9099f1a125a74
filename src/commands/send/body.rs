//! Builds the request body from flags and input. Pure except for the random ids.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::args::Args;
use super::source::Sources;
use crate::commands::support::json_path::set;
use crate::commands::support::stdin::BODY_CAP;
use crate::model::document::kind;
use crate::report::Failure;

/// A request document.
#[derive(Debug)]
pub struct Body {
    /// The JSON text, ready to be sent.
    pub body: String,
    /// The `agent_id` that the input had; it belongs in the path.
    pub agent_id: Option<String>,
    /// Whether its callback URL has a user name, which the server sends as Basic auth.
    pub callback_has_user: bool,
}

/// Builds the request from the input document, then messages, fields and `--set` from flags; a later part replaces what an
/// earlier one set.
///
/// `receiver` is the URL of our own callback receiver; a `callback_url` in the request is then an error.
pub fn build(args: &Args, sources: &Sources, receiver: Option<&str>) -> Result<Body, Failure> {
    let mut object = start(sources.document.as_ref())?;
    put_messages(&mut object, args, sources);
    put_fields(&mut object, args);
    put_sets(&mut object, args)?;
    put_receiver(&mut object, receiver)?;
    let agent_id = take_agent(&mut object)?;
    check(&object)?;
    mint_otids(&mut object);
    let callback = object.get("callback_url").and_then(Value::as_str).and_then(|url| url::Url::parse(url).ok());
    let callback_has_user = callback.is_some_and(|url| !url.username().is_empty() || url.password().is_some());
    let body = Value::Object(object).to_string();
    if body.len() > BODY_CAP {
        return Err(Failure::usage("the request is larger than 32 MiB").hint("name large images by a URL"));
    }
    Ok(Body { body, agent_id, callback_has_user })
}

/// Returns the request of an input document: an object is the request, an array the messages, a string one message.
fn start(document: Option<&Value>) -> Result<Map<String, Value>, Failure> {
    match document {
        None => Ok(Map::new()),
        Some(Value::Object(object)) => Ok(object.clone()),
        Some(Value::Array(messages)) => Ok(Map::from_iter([("messages".to_owned(), messages.clone().into())])),
        Some(Value::String(text)) => {
            let message = json!({"role": "user", "content": text});
            Ok(Map::from_iter([("messages".to_owned(), json!([message]))]))
        }
        Some(other) => {
            let failure = Failure::usage(format!("the request is {}", kind(other)));
            Err(failure.hint("give an object (the request), an array (the messages) or a string (one message)"))
        }
    }
}

fn take_agent(object: &mut Map<String, Value>) -> Result<Option<String>, Failure> {
    match object.shift_remove("agent_id") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(agent)) => Ok(Some(agent)),
        Some(other) => Err(Failure::usage(format!("agent_id must be a string, found {}", kind(&other)))
            .hint("give an agent's id or its name there, or leave it out and give --agent")),
    }
}

/// Replaces the messages by those from flags. Images are added to the last text, or to the document's last message.
fn put_messages(object: &mut Map<String, Value>, args: &Args, sources: &Sources) {
    if sources.texts.is_empty() && (sources.images.is_empty() || join_images(object, &sources.images)) {
        return;
    }
    let mut contents: Vec<Value> = sources.texts.iter().map(|text| json!(text)).collect();
    if !sources.images.is_empty() {
        let text = contents.pop().map(|text| json!({"type": "text", "text": text}));
        contents.push(text.into_iter().chain(sources.images.iter().cloned()).collect());
    }
    let message = |content: Value| json!({"role": args.role, "content": content});
    object.shift_remove("input");
    object.insert("messages".to_owned(), contents.into_iter().map(message).collect());
}

/// Adds images to the last message of the document. Returns whether it has a message.
fn join_images(object: &mut Map<String, Value>, images: &[Value]) -> bool {
    let last = match object.get_mut("messages").and_then(Value::as_array_mut).and_then(|messages| messages.last_mut()) {
        Some(message) => message.get_mut("content"),
        None => object.get_mut("input").filter(|input| !input.is_null()),
    };
    let Some(content) = last else { return false };
    let mut parts = match content.take() {
        Value::Array(parts) => parts,
        text => vec![json!({"type": "text", "text": text})],
    };
    parts.extend(images.iter().cloned());
    *content = Value::Array(parts);
    true
}

fn put_fields(object: &mut Map<String, Value>, args: &Args) {
    let types = (!args.include_return_message_types.is_empty()).then(|| json!(args.include_return_message_types));
    let fields = [
        ("max_steps", args.max_steps.map(Value::from)),
        ("use_assistant_message", args.use_assistant_message.map(Value::from)),
        ("assistant_message_tool_name", args.assistant_message_tool_name.clone().map(Value::from)),
        ("assistant_message_tool_kwarg", args.assistant_message_tool_kwarg.clone().map(Value::from)),
        ("include_return_message_types", types),
        ("enable_thinking", args.enable_thinking.clone().map(Value::from)),
        ("callback_url", args.callback_url.clone().map(Value::from)),
        ("override_model", args.override_model.clone().map(Value::from)),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            object.insert(name.to_owned(), value);
        }
    }
}

fn put_receiver(object: &mut Map<String, Value>, receiver: Option<&str>) -> Result<(), Failure> {
    let Some(url) = receiver else { return Ok(()) };
    match object.insert("callback_url".to_owned(), json!(url)) {
        None | Some(Value::Null) => Ok(()),
        Some(_) => Err(Failure::usage("--listen and the request's own callback_url exclude each other")
            .hint("leave one of them out")),
    }
}

fn put_sets(object: &mut Map<String, Value>, args: &Args) -> Result<(), Failure> {
    for (key, text) in &args.set {
        set(object, key, json!(text))?;
    }
    for (key, text) in &args.set_json {
        let bad = |error| {
            Failure::usage(format!("--set-json {key}: the value is not JSON"))
                .cause(error)
                .hint("--set takes plain text")
        };
        set(object, key, serde_json::from_str(text).map_err(bad)?)?;
    }
    Ok(())
}

/// The hint for an invalid request.
const SCHEMA: &str = "`agentctl schema request` describes the request";

/// Refuses requests that the server would accept and then fail, or refuse with a less clear message.
fn check(object: &Map<String, Value>) -> Result<(), Failure> {
    let field = |name| object.get(name).filter(|value| !value.is_null());
    match (field("messages"), field("input")) {
        (Some(_), Some(_)) => {
            Err(Failure::usage("the request has both `messages` and `input`").hint("leave one of them out"))
        }
        (None, None) => Err(Failure::usage("no message: the request has neither `messages` nor `input`")
            .hint("give the message with -m TEXT")),
        (Some(messages), None) => check_messages(messages),
        (None, Some(input)) => check_content(input, "input"),
    }?;
    field("callback_url").map_or(Ok(()), check_callback)
}

fn check_messages(messages: &Value) -> Result<(), Failure> {
    let Value::Array(list) = messages else {
        return Err(Failure::usage(format!("`messages` must be an array, found {}", kind(messages))).hint(SCHEMA));
    };
    if list.is_empty() {
        return Err(Failure::usage("`messages` is empty").hint("give the message with -m TEXT"));
    }
    for (at, message) in list.iter().enumerate() {
        let Value::Object(message) = message else {
            return Err(
                Failure::usage(format!("messages[{at}] must be an object, found {}", kind(message))).hint(SCHEMA)
            );
        };
        if let Some(content) = message.get("content") {
            check_content(content, &format!("the content of messages[{at}]"))?;
        }
    }
    Ok(())
}

fn check_content(content: &Value, name: &str) -> Result<(), Failure> {
    let empty = match content {
        Value::String(text) => text.is_empty(),
        Value::Array(parts) => parts.is_empty(),
        _ => false,
    };
    if empty {
        return Err(Failure::usage(format!("the message is empty: {name} has nothing in it"))
            .hint("give the message with -m TEXT"));
    }
    match content {
        Value::String(text) => crate::commands::support::stdin::no_nul(text, name),
        _ => Ok(()),
    }
}

fn check_callback(url: &Value) -> Result<(), Failure> {
    let bad = |why: &str| {
        let failure = Failure::usage(format!("the callback URL {why}"));
        failure.hint("write it like https://hooks.example.com/letta")
    };
    let text = url.as_str().ok_or_else(|| bad("is not a string"))?;
    // An empty URL asks for no callback.
    if text.is_empty() {
        return Ok(());
    }
    let parsed = url::Url::parse(text).map_err(|_| bad("is not a URL"))?;
    if matches!(parsed.scheme(), "http" | "https") { Ok(()) } else { Err(bad("must be http or https")) }
}

/// Gives each message a unique `otid`, by which a lost message is found again.
fn mint_otids(object: &mut Map<String, Value>) {
    let messages = object.get_mut("messages").and_then(Value::as_array_mut);
    for message in messages.into_iter().flatten().filter_map(Value::as_object_mut) {
        if message.get("otid").is_none_or(Value::is_null) {
            message.insert("otid".to_owned(), json!(Uuid::new_v4().to_string()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::send::texts::Text;
    use crate::exit::Exit;
    use crate::global::Global;
    use clap::{Args as _, Command, FromArgMatches as _};

    fn args(line: &[&str]) -> Args {
        let command = Args::augment_args(Global::augment_args(Command::new("send")));
        let matches = command.get_matches_from(["send"].iter().chain(line));
        Args::from_arg_matches(&matches).expect("arguments")
    }

    fn built(line: &[&str], document: Option<Value>) -> Result<Value, Failure> {
        let args = args(line);
        let text = |text: &Text| match text {
            Text::Given(text) => text.clone(),
            Text::File(file) => format!("the text of {}", file.display()),
        };
        let texts = args.texts.0.iter().map(text).collect();
        let body = build(&args, &Sources { document, texts, images: vec![] }, None)?;
        let mut value: Value = serde_json::from_str(&body.body).expect("JSON");
        for message in value.get_mut("messages").and_then(Value::as_array_mut).into_iter().flatten() {
            let otid = message.as_object_mut().and_then(|message| message.shift_remove("otid"));
            assert!(otid.is_some_and(|otid| otid.is_string()), "each message has an otid");
        }
        Ok(value)
    }

    #[test]
    fn the_body_holds_what_was_given_and_nothing_else() {
        let body = built(&["-m", "TEXT"], None).expect("a body");
        assert_eq!(body.to_string(), r#"{"messages":[{"role":"user","content":"TEXT"}]}"#);
        let body = built(&["-m", "-a", "-m", "b", "--role", "system"], None).expect("a body");
        assert_eq!(body["messages"], json!([{"role": "system", "content": "-a"}, {"role": "system", "content": "b"}]));
    }

    #[test]
    fn every_field_has_its_flag() {
        let line = "-m x --max-steps 3 --use-assistant-message=false --assistant-message-tool-name t \
                    --assistant-message-tool-kwarg k --return-types user_message,assistant_message --enable-thinking \
                    --callback-url https://h/x --override-model o/m --set a.b=1 --set-json a.c=[2]";
        let body = built(&line.split_whitespace().collect::<Vec<_>>(), None).expect("a body");
        let expected = json!({
            "messages": [{"role": "user", "content": "x"}],
            "max_steps": 3,
            "use_assistant_message": false,
            "assistant_message_tool_name": "t",
            "assistant_message_tool_kwarg": "k",
            "include_return_message_types": ["user_message", "assistant_message"],
            "enable_thinking": "true",
            "callback_url": "https://h/x",
            "override_model": "o/m",
            "a": {"b": "1", "c": [2]},
        });
        assert_eq!(body.to_string(), expected.to_string());
    }

    #[test]
    fn a_document_may_be_an_object_an_array_or_a_string() {
        let message = json!([{"role": "user", "content": "hi"}]);
        for document in [json!({"messages": message}), message.clone(), json!("hi")] {
            assert_eq!(built(&[], Some(document)).expect("a body"), json!({"messages": message}));
        }
        assert_eq!(built(&[], Some(json!(7))).expect_err("a number").exit, Exit::Usage);
    }

    #[test]
    fn numbers_of_a_document_are_sent_as_they_stand() {
        let document = serde_json::from_str(r#"{"input":"x","n":12345678901234567890123.50}"#).expect("JSON");
        let body =
            build(&args(&[]), &Sources { document: Some(document), ..Sources::default() }, None).expect("a body");
        assert_eq!(body.body, r#"{"input":"x","n":12345678901234567890123.50}"#);
    }

    #[test]
    fn flags_replace_the_messages_of_a_document_and_its_input() {
        let body = built(&["-m", "new"], Some(json!({"input": "old", "max_steps": 2}))).expect("a body");
        assert_eq!(body, json!({"max_steps": 2, "messages": [{"role": "user", "content": "new"}]}));
    }

    #[test]
    fn the_agent_of_a_document_goes_into_the_path() {
        let document = Some(json!({"agent_id": "a", "input": "x"}));
        let body = build(&args(&[]), &Sources { document, ..Sources::default() }, None).expect("a body");
        assert_eq!((body.agent_id.as_deref(), body.body.as_str()), (Some("a"), r#"{"input":"x"}"#));
    }

    #[test]
    fn an_otid_that_was_given_stays() {
        let document = Some(json!([{"role": "user", "content": "x", "otid": "mine"}]));
        let body = build(&args(&[]), &Sources { document, ..Sources::default() }, None).expect("a body");
        assert!(body.body.contains(r#""otid":"mine""#));
    }

    #[test]
    fn what_the_server_would_accept_and_then_fail_is_refused() {
        for document in [
            json!({}),
            json!({"messages": null}),
            json!({"messages": []}),
            json!({"messages": "x"}),
            json!({"messages": ["x"]}),
            json!({"messages": [{"role": "user", "content": ""}]}),
            json!({"messages": [{"role": "user", "content": []}]}),
            json!({"messages": [{"role": "user", "content": "x"}], "input": "y"}),
            json!({"input": ""}),
            json!({"input": "x", "agent_id": 7}),
            json!({"input": "x", "callback_url": "file:///etc/passwd"}),
            json!({"input": "x", "callback_url": "nowhere"}),
        ] {
            assert_eq!(built(&[], Some(document.clone())).expect_err("refused").exit, Exit::Usage, "{document}");
        }
    }

    #[test]
    fn images_join_what_a_document_says_last() {
        for (document, pointer) in [
            (json!({"messages": [{"role": "user", "content": "keep"}]}), "/messages/0/content"),
            (
                json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "keep"}]}]}),
                "/messages/0/content",
            ),
            (json!({"input": "keep"}), "/input"),
        ] {
            let sources = Sources { images: vec![json!("img")], document: Some(document), texts: vec![] };
            let body = build(&args(&[]), &sources, None).expect("a body");
            let value: Value = serde_json::from_str(&body.body).expect("JSON");
            assert_eq!(value.pointer(pointer), Some(&json!([{"type": "text", "text": "keep"}, "img"])), "{value}");
        }
    }

    #[test]
    fn images_join_the_last_text() {
        let sources = Sources { texts: vec!["a".into(), "b".into()], images: vec![json!("img")], document: None };
        let body = build(&args(&["-m", "a", "-m", "b"]), &sources, None).expect("a body");
        let value: Value = serde_json::from_str(&body.body).expect("JSON");
        assert_eq!(value["messages"][0]["content"], json!("a"));
        assert_eq!(value["messages"][1]["content"], json!([{"type": "text", "text": "b"}, "img"]));
    }
}
