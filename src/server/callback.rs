//! Callbacks: one POST when a run has ended, and the record of what became of it.
//!
//! Redirects are not followed, no proxy is used, and the answer's body is not read.

use std::time::Duration;

use reqwest::redirect::Policy;
use serde_json::Value;

use super::Manners;
use super::clock;
use super::render;
use super::store::{Database, Result, messages, outbox, runs, steps};

/// How long a receiver has to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Delivers a run's callback and records the outcome, whatever it is.
pub(super) async fn deliver(db: &Database, run: &str, manners: Manners) -> Result<()> {
    let Some((url, payload)) = prepare(db, run, manners).await? else { return Ok(()) };
    let sent = clock::now();
    let (status, error) = match post(&url, payload).await {
        Ok(status) => (Some(status), None),
        Err(why) => (None, Some(format!("Failed to dispatch callback for run {run} to {url}: {why}"))),
    };
    let run = run.to_owned();
    db.write(move |tx| outbox::record(tx, &run, sent, status, error.as_deref())).await
}

async fn prepare(db: &Database, run: &str, manners: Manners) -> Result<Option<(String, Value)>> {
    let run = run.to_owned();
    db.read(move |tx| {
        let Some(run) = runs::get(tx, &run)? else { return Ok(None) };
        let Some(url) = run.callback_url.clone() else { return Ok(None) };
        let messages = messages::of_run(tx, &run, manners.hides_input_until_a_step())?;
        let usage = steps::usage(tx, &run.id)?;
        Ok(Some((url, render::callback(&run, &messages, usage, manners))))
    })
    .await
}

/// Sends the payload. The error is one line without the address, which the record names before it.
async fn post(url: &str, payload: Value) -> std::result::Result<u16, String> {
    let client = client(url).map_err(words)?;
    match client.post(url).json(&payload).send().await {
        Ok(response) => Ok(response.status().as_u16()),
        Err(error) if error.is_timeout() => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        Err(error) => Err(words(error)),
    }
}

/// Callbacks are rare, so a client is built for each; certificates are loaded only where they are needed.
fn client(url: &str) -> reqwest::Result<reqwest::Client> {
    // Whoever was first chose the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .timeout(PATIENCE)
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .user_agent(concat!("agentctl/", env!("CARGO_PKG_VERSION")));
    let encrypted = url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"));
    if encrypted { builder.build() } else { builder.tls_certs_only([]).build() }
}

fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        words.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    words
}
