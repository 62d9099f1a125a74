//! Prints the request of `send --dry-run` and `send --curl` instead of sending it.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Args, Ready};
use crate::commands::{Ctx, End};
use crate::config::headers::Header;
use crate::config::{Base, Settings};
use crate::exit::Exit;
use crate::model::AgentRef;
use crate::net::client::USER_AGENT;
use crate::report::Failure;
use crate::text::page::Page;
use crate::text::shell::quote;

/// Prints the request. The agent must be given by id, since looking up a name takes a request.
pub fn print(ctx: &Ctx, args: &Args, settings: &Settings, ready: &Ready) -> anyhow::Result<End> {
    let url = url(settings, ready.agent.as_ref())?;
    if args.curl {
        ctx.io.raw(&format!("{}\n", curl(settings, &url, &ready.body)?))?;
        name_variables(ctx, settings);
    } else {
        ctx.io.document(&dry_run(settings, &url, &ready.body).to_string())?;
    }
    Ok(Exit::Done.into())
}

fn url(settings: &Settings, agent: Option<&AgentRef>) -> Result<String, Failure> {
    let agent = match agent {
        Some(AgentRef::Id(id)) => id,
        Some(AgentRef::Name(name)) => {
            let failure =
                Failure::usage(format!("the agent `{name}` is given by name, which only the server can resolve"));
            return Err(failure.hint("give its id with --agent"));
        }
        None => return Err(Failure::usage("no agent is given").hint("give its id with --agent")),
    };
    let base = match &settings.base {
        Base::Server(url) => url.as_str().trim_end_matches('/').to_owned(),
        Base::Local => "local:".to_owned(),
    };
    Ok(format!("{base}/v1/agents/{agent}/messages/async"))
}

fn dry_run(settings: &Settings, url: &str, body: &str) -> Value {
    let mut headers = json!({
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Idempotency-Key": Uuid::new_v4().to_string(),
        "User-Agent": USER_AGENT,
    });
    if settings.key.is_some() {
        headers["Authorization"] = json!("Bearer (redacted)");
    }
    for header in &settings.headers {
        headers[title(header.name.as_str())] = json!(header.shown());
    }
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    json!({"method": "POST", "url": url, "headers": headers, "body": body})
}

fn curl(settings: &Settings, url: &str, body: &str) -> Result<String, Failure> {
    if settings.base == Base::Local {
        return Err(Failure::usage("curl cannot reach the engine inside this program").hint("leave out --local"));
    }
    let key = if settings.key.is_some() { " -H \"Authorization: Bearer $LETTA_API_KEY\"" } else { "" };
    let headers: String = settings.headers.iter().map(|header| format!(" -H {}", curl_header(header))).collect();
    let url = quote(url);
    let body = quote(body);
    Ok(format!("curl -sS -X POST{key} -H 'Content-Type: application/json'{headers} --data-binary {body} {url}"))
}

/// Returns a header as an argument of curl. A value that may be a secret becomes a variable.
fn curl_header(header: &Header) -> String {
    let name = title(header.name.as_str());
    if header.value.is_sensitive() {
        // A header's name may contain characters that are special to a shell.
        return format!("{}\": ${}\"", quote(&name), variable(&name));
    }
    quote(&format!("{name}: {}", header.shown()))
}

/// Prints which variables the curl command needs.
fn name_variables(ctx: &Ctx, settings: &Settings) {
    for header in settings.headers.iter().filter(|header| header.value.is_sensitive()) {
        let name = title(header.name.as_str());
        let page = Page::new().say("set ").show(&variable(&name)).say(" to the value of ").show_line(&name);
        ctx.io.notice(&page.say(", which is not printed").end());
    }
}

/// Returns the name of the variable for a header's value: `HEADER_X_TENANT` for `X-Tenant`.
fn variable(header: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("HEADER_{}", header.chars().map(fit).collect::<String>())
}

/// Returns a header's name in title case.
fn title(name: &str) -> String {
    let word = |word: &str| word[..1.min(word.len())].to_ascii_uppercase() + word.get(1..).unwrap_or_default();
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}
