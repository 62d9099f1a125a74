//! Prints the answers of `api` as the server sent them.

use serde_json::value::RawValue;

use crate::api::Raw;
use crate::api::exchange::Answer;
use crate::commands::Ctx;
use crate::exit::Exit;
use crate::global::Format;
use crate::model::Document;
use crate::model::document::one_line;
use crate::report::Failure;
use crate::text::page::Page;

/// Prints an answer. With a filter, the body of an error is left out: it could be mistaken for the result.
pub fn answer(ctx: &Ctx, include: bool, raw: &Raw) -> Result<(), Failure> {
    let Some(answer) = &raw.answer else { return Ok(()) };
    if include {
        head(ctx, answer)?;
    }
    if raw.error.is_some() && ctx.global.jq.is_some() {
        return Ok(());
    }
    match answer.text().filter(|text| is_json(text)) {
        Some(json) => document(ctx, &one_line(json)),
        None if answer.body.is_empty() => Ok(()),
        None if ctx.global.jq.is_some() => Err(not_json(answer)),
        None => text(ctx, &answer.body),
    }
}

/// Returns the items of a list as documents. Anything but a list is a single item.
pub fn items(ctx: &Ctx, include: bool, answer: &Answer) -> Result<Vec<Document>, Failure> {
    if include {
        head(ctx, answer)?;
    }
    let text = answer.text().ok_or_else(|| not_json(answer))?;
    let items: Vec<&RawValue> = match serde_json::from_str(text) {
        Ok(items) => items,
        Err(_) => vec![serde_json::from_str(text).map_err(|_| not_json(answer))?],
    };
    let documents = items.into_iter().map(|item| Document::parse(item.get()));
    documents.collect::<Result<_, _>>().map_err(|error| not_json(answer).cause(error))
}

/// Prints a JSON document, indented for people.
pub fn document(ctx: &Ctx, json: &str) -> Result<(), Failure> {
    match ctx.format {
        Format::Human => ctx.io.indented(json),
        Format::Json => ctx.io.document(json),
        Format::Id => ids(json).iter().try_for_each(|id| ctx.io.id(id)),
        Format::None => Ok(()),
    }
}

/// Returns the ids in a document or in a list of documents.
fn ids(json: &str) -> Vec<String> {
    let value: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let items = value.as_array().cloned().unwrap_or_else(|| vec![value]);
    items.iter().filter_map(|item| item["id"].as_str()).map(one_line).collect()
}

/// Prints the status and the headers in HTTP's format. Cookies are redacted, since output ends up in logs.
fn head(ctx: &Ctx, answer: &Answer) -> Result<(), Failure> {
    let reason = http::StatusCode::from_u16(answer.status).ok().and_then(|status| status.canonical_reason());
    let mut lines = format!("HTTP {} {}\n", answer.status, reason.unwrap_or_default());
    for (name, value) in &answer.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let shown = if name == http::header::SET_COOKIE { "(redacted)" } else { &value };
        lines += &format!("{name}: {shown}\n");
    }
    text(ctx, (lines + "\n").as_bytes())
}

/// Prints text from the network: escaped on a terminal, unchanged elsewhere.
fn text(ctx: &Ctx, bytes: &[u8]) -> Result<(), Failure> {
    if !ctx.io.terminals.stdout {
        return ctx.io.bytes(bytes);
    }
    ctx.io.page(&Page::new().show(&String::from_utf8_lossy(bytes)))
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

fn not_json(answer: &Answer) -> Failure {
    let message = format!("the answer is not JSON, but {}", answer.content_type());
    let failure = Failure::new(Exit::NotThisApi, "not_this_api", message);
    failure.hint("leave out --jq and --paginate to print it as it is")
}
