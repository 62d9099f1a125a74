//! Truncated answers, cut at any byte, through all readers of answers in this process.

use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentctl::api::{Client, RunFilter, Transport};
use agentctl::core::facts::{Details, facts};
use agentctl::core::outcome::outcome;
use agentctl::model::fault::Fault;
use agentctl::model::{AgentId, Run, RunId};
use axum::Router;
use axum::body::Body as HttpBody;
use axum::http::Response;

use crate::bodies::{Body, corpus};
use crate::report::{Table, circumstances, is_long};
use crate::support::letta::{AGENT, RUN};

/// Bodies up to this long are cut at every byte. Three are longer.
const SHORT: usize = 8192;
/// These are cut at every byte near their ends, and at places in between.
const NEAR: usize = 64;
const APART: usize = 16_381;

/// The readers of answers, each named by the kind of document.
const READERS: [&str; 8] =
    ["a run", "runs", "messages of a run", "messages of an agent", "agents", "an agent", "steps", "an error"];

/// The API of a server that answers everything with the same body, which changes.
struct Server {
    body: Arc<Mutex<Vec<u8>>>,
    api: Client,
    run: RunId,
    agent: AgentId,
}

impl Server {
    fn new() -> Self {
        let body = Arc::new(Mutex::new(Vec::new()));
        let shown = Arc::clone(&body);
        let router = Router::new().fallback(move || {
            let bytes = shown.lock().expect("no panic").clone();
            async move { Response::new(HttpBody::from(bytes)) }
        });
        let api = Client::new(Transport::InProcess(router), "", Rc::new(|_| {}));
        Self { body, api, run: RUN.parse().expect("an id"), agent: AGENT.parse().expect("an id") }
    }

    /// Whether a reader accepts these bytes. Above all, it must return.
    async fn reads(&self, reader: &str, bytes: &[u8]) -> bool {
        *self.body.lock().expect("no panic") = bytes.to_vec();
        match reader {
            "a run" => self.api.run_once(&self.run).await.inspect(look_into).is_ok(),
            "runs" => self.api.runs_once(&RunFilter::default()).await.is_ok_and(|runs| !runs.is_empty()),
            "messages of a run" => self.api.messages(&self.run, None).await.is_ok_and(|messages| !messages.is_empty()),
            "messages of an agent" => self.api.agent_messages(&self.agent, None).await.is_ok_and(|m| !m.is_empty()),
            "agents" => self.api.agents(None).await.is_ok_and(|agents| !agents.is_empty()),
            "an agent" => self.api.agent(&self.agent).await.is_ok(),
            "steps" => self.api.steps(&self.run).await.is_ok_and(|steps| !steps.is_empty()),
            _ => !Fault::parse(&String::from_utf8_lossy(bytes)).message.is_empty(),
        }
    }
}

/// Reads every field of a run that this program knows.
fn look_into(run: &Run) {
    let facts = facts(run, outcome(run, Duration::ZERO), &Details::default());
    assert!(!format!("{facts:?}{:?}{:?}", run.created_at(), run.completed_at()).is_empty());
}

/// The lengths to cut a body to, `step` bytes apart, with its full length.
fn ends(length: usize, step: usize) -> Vec<usize> {
    let ends = (0..=length).rev().step_by(step);
    let is_near = |end: usize| end < NEAR || length - end < NEAR || end.is_multiple_of(APART);
    ends.filter(|end| length <= SHORT || is_near(*end)).collect()
}

#[tokio::test(start_paused = true)]
async fn agt_03_an_answer_cut_at_any_byte_is_never_taken_for_a_whole_one() {
    let (server, bodies) = (Server::new(), corpus());
    let mut table = Table::new("cuts", &["read as", "bodies", "lengths", "can be read"]);
    for reader in READERS {
        // Runs matter most. The other kinds are cut at every byte in a long run only.
        let step = if is_long() || reader == "a run" { 1 } else { 97 };
        let (mut cuts, mut whole) = (0, 0);
        for Body { name, bytes, .. } in &bodies {
            for end in ends(bytes.len(), step) {
                let is_read = server.reads(reader, &bytes[..end]).await;
                let is_part = name.starts_with("a good run") && end < bytes.trim_ascii_end().len();
                assert!(!is_read || !is_part || reader == "an error", "{name} cut at {end} was read as {reader}");
                cuts += 1;
                whole += usize::from(is_read);
            }
        }
        assert!(whole > 0, "nothing at all was read as {reader}");
        table.row(&[reader, &bodies.len().to_string(), &cuts.to_string(), &whole.to_string()]);
    }
    let note = "Bad answers, and good ones, cut short and read in this process: at every byte up to 8 KiB. Had one of them \
                made it panic, or had a part of a good run been taken for a run, this table would not be written.";
    table.publish(&format!("{note} {}.", circumstances()));
}
