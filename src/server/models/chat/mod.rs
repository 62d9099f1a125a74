//! The models of an endpoint for chat completions, as OpenAI's API has them.
//!
//! An answer is stored when it is whole. A process that dies in the middle of a call leaves nothing of it, and the call
//! is made again.

mod answer;
mod conversation;
mod fault;
mod lines;

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{Failure, Model, Step, Turn};
use crate::core::retry::{self, Intent, Loss};
use crate::core::retry_after::retry_after;
use crate::server::models::providers::Provider;
use answer::Answer;
use lines::Lines;

/// How long a model may be silent: as long as the clients of such endpoints commonly wait.
const SILENCE: Duration = Duration::from_secs(600);
/// How often a call is made that fails in a way that may pass.
const TRIES: u32 = 3;
/// The longest pause between two calls; who asks for a longer one is not asked again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The largest answer, and the largest refusal that is read.
const MOST_BYTES: usize = 32 << 20;
const MOST_OF_A_REFUSAL: usize = 64 << 10;

/// A model of an endpoint.
pub struct Chat {
    /// The endpoint.
    pub provider: Provider,
    /// The model's name there.
    pub name: String,
}

/// Why a call brought nothing.
struct Mishap {
    failure: Failure,
    /// How it was lost, if it may go better next time.
    loss: Option<Loss>,
}

impl Model for Chat {
    fn step<'a>(&'a self, turn: &'a Turn, _: usize) -> BoxFuture<'a, Result<Step, Failure>> {
        self.call_until_answered(turn).boxed()
    }

    fn remembers(&self) -> bool {
        true
    }
}

impl Chat {
    async fn call_until_answered(&self, turn: &Turn) -> Result<Step, Failure> {
        let mut tries = 0;
        loop {
            let mishap = match self.call(turn).await {
                Ok(step) => return Ok(step),
                Err(mishap) => mishap,
            };
            tries += 1;
            let Some(pause) = mishap.pause(tries) else { return Err(mishap.failure) };
            sleep(pause).await;
        }
    }

    /// Makes one call and reads its answer.
    async fn call(&self, turn: &Turn) -> Result<Step, Mishap> {
        let client = self.provider.client().await.map_err(|failure| fault::unusable(&self.provider, &failure))?;
        let mut request = client.post(self.provider.url("chat/completions")).json(&self.body(turn));
        if let Some(key) = &self.provider.authorization {
            request = request.header(AUTHORIZATION, key.clone());
        }
        let response = timeout(SILENCE, request.send()).await;
        let response = response.map_err(|_| fault::silent(&self.provider))?;
        let response = response.map_err(|error| fault::unreachable(&self.provider, &error))?;
        match response.status() {
            StatusCode::OK => self.read(response, turn).await,
            _ => Err(self.refused(response).await),
        }
    }

    fn body(&self, turn: &Turn) -> Value {
        json!({
            "model": self.name,
            "messages": conversation::messages(turn),
            "stream": true,
            "stream_options": {"include_usage": true},
        })
    }

    async fn read(&self, mut response: Response, turn: &Turn) -> Result<Step, Mishap> {
        let streams = content_type(&response).starts_with("text/event-stream");
        let (mut answer, mut lines, mut bytes) = (Answer::default(), Lines::new(streams), 0);
        loop {
            let chunk = timeout(SILENCE, response.chunk()).await.map_err(|_| fault::silent(&self.provider))?;
            let Some(chunk) = chunk.map_err(|error| fault::cut(&self.provider, &error))? else { break };
            bytes += chunk.len();
            if bytes > MOST_BYTES {
                return Err(fault::unreadable(&self.provider, "the answer is too large"));
            }
            for value in lines.add(&chunk) {
                answer.add(&value.map_err(|why| fault::unreadable(&self.provider, &why))?);
                if answer.has_begun() {
                    turn.first_output.mark();
                }
            }
        }
        for value in lines.rest() {
            answer.add(&value.map_err(|why| fault::unreadable(&self.provider, &why))?);
        }
        answer.step(turn.thinking).map_err(|why| fault::unusable_answer(&self.provider, why))
    }

    async fn refused(&self, mut response: Response) -> Mishap {
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let asked = retry_after(header("retry-after-ms"), header("retry-after"), header("date"));
        let mut body = Vec::new();
        while let Ok(Ok(Some(chunk))) = timeout(SILENCE, response.chunk()).await {
            body.extend_from_slice(&chunk);
            if body.len() > MOST_OF_A_REFUSAL {
                break;
            }
        }
        fault::refusal(&self.provider, status, &body, asked)
    }
}

impl Mishap {
    /// How long to wait before the next call, if there is to be one.
    fn pause(&self, tries: u32) -> Option<Duration> {
        let loss = self.loss.filter(|loss| tries < TRIES && retry::repeatable(Intent::Read, *loss))?;
        let pause = retry::pause(loss, tries - 1, fastrand::f64());
        (pause <= LONGEST_PAUSE).then_some(pause)
    }
}

fn content_type(response: &Response) -> String {
    let value = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_ascii_lowercase()
}
