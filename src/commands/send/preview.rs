//! `send --dry-run` and `send --curl`: the request as it would be sent.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Args, Ready};
use crate::commands::{Ctx, End};
use crate::config::{Base, Settings};
use crate::exit::Exit;
use crate::model::AgentRef;
use crate::net::client::USER_AGENT;
use crate::report::Failure;
use crate::text::shell::quote;

/// Prints the request. Nothing is sent, so an agent must be given by id.
pub fn print(ctx: &Ctx, args: &Args, settings: &Settings, ready: &Ready) -> anyhow::Result<End> {
    let url = url(settings, ready.agent.as_ref())?;
    if args.curl {
        ctx.io.raw(&format!("{}\n", curl(settings, &url, &ready.body)?))?;
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
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    json!({"method": "POST", "url": url, "headers": headers, "body": body})
}

fn curl(settings: &Settings, url: &str, body: &str) -> Result<String, Failure> {
    if settings.base == Base::Local {
        return Err(Failure::usage("curl cannot reach the engine inside this program").hint("leave out --local"));
    }
    let key = if settings.key.is_some() { " -H \"Authorization: Bearer $LETTA_API_KEY\"" } else { "" };
    let (url, body) = (quote(url), quote(body));
    Ok(format!("curl -sS -X POST{key} -H 'Content-Type: application/json' --data-binary {body} {url}"))
}
