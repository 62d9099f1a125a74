//! Models of chat completion endpoints, as OpenAI's API defines them.
//!
//! Only complete answers are stored. If the process dies during a call, nothing of the answer is kept, and the call is
//! made again.

mod answer;
mod call_error;
mod conversation;
mod lines;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::providers::Provider;
use super::turn::{Model, Step, Turn};
use crate::core::retry_after::retry_after;
use crate::server::types::run_error::RunError;
use answer::PartialAnswer;
use call_error::{CallError, SILENCE};
use lines::Lines;

/// The largest answer, and the part of an error response that is read, in bytes.
const MOST_BYTES: usize = 32 << 20;
const MOST_ERROR_BYTES: usize = 64 << 10;

/// A model of an endpoint.
pub struct Chat {
    /// The endpoint.
    pub provider: Provider,
    /// The model's name there.
    pub name: String,
}

impl Model for Chat {
    fn step<'a>(&'a self, turn: &'a Turn, _: usize) -> BoxFuture<'a, Result<Step, RunError>> {
        self.call_until_answered(turn).boxed()
    }

    fn reads_history(&self) -> bool {
        true
    }
}

impl Chat {
    async fn call_until_answered(&self, turn: &Turn) -> Result<Step, RunError> {
        let mut tries = 0;
        loop {
            let error = match self.call(turn).await {
                Ok(step) => return Ok(step),
                Err(error) => error,
            };
            tries += 1;
            let Some(pause) = error.pause(tries) else { return Err(error.error) };
            sleep(pause).await;
        }
    }

    /// Makes one call and reads its answer.
    async fn call(&self, turn: &Turn) -> Result<Step, CallError> {
        let client =
            self.provider.client().await.map_err(|failure| call_error::not_callable(&self.provider, &failure))?;
        let mut request = client.post(self.provider.url("chat/completions")).json(&self.body(turn));
        if let Some(key) = &self.provider.authorization {
            request = request.header(AUTHORIZATION, key.clone());
        }
        let response = timeout(SILENCE, request.send()).await;
        let response = response.map_err(|_| call_error::silent(&self.provider))?;
        let response = response.map_err(|error| call_error::unreachable(&self.provider, &error))?;
        match response.status() {
            StatusCode::OK => self.read(response, turn).await,
            _ => Err(self.rejected(response).await),
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

    async fn read(&self, mut response: Response, turn: &Turn) -> Result<Step, CallError> {
        let streams = content_type(&response).starts_with("text/event-stream");
        let mut answer = PartialAnswer::default();
        let mut lines = Lines::new(streams);
        let mut bytes = 0;
        loop {
            let chunk = timeout(SILENCE, response.chunk()).await.map_err(|_| call_error::silent(&self.provider))?;
            let Some(chunk) = chunk.map_err(|error| call_error::cut(&self.provider, &error))? else { break };
            bytes += chunk.len();
            if bytes > MOST_BYTES {
                return Err(call_error::unreadable(&self.provider, "the answer is too large"));
            }
            for value in lines.add(&chunk) {
                answer.add(&value.map_err(|why| call_error::unreadable(&self.provider, &why))?);
                if answer.has_begun() {
                    turn.first_output.mark();
                }
            }
        }
        for value in lines.rest() {
            answer.add(&value.map_err(|why| call_error::unreadable(&self.provider, &why))?);
        }
        answer.step(turn.thinking).map_err(|why| call_error::invalid_answer(&self.provider, why))
    }

    async fn rejected(&self, mut response: Response) -> CallError {
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let asked = retry_after(header("retry-after-ms"), header("retry-after"), header("date"));
        let mut body = Vec::new();
        while let Ok(Ok(Some(chunk))) = timeout(SILENCE, response.chunk()).await {
            body.extend_from_slice(&chunk);
            if body.len() > MOST_ERROR_BYTES {
                break;
            }
        }
        call_error::rejection(&self.provider, status, &body, asked)
    }
}

fn content_type(response: &Response) -> String {
    let value = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_ascii_lowercase()
}
