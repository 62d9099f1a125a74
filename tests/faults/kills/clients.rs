//! Clients that send messages, resend unanswered ones, and list the runs in the end.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::ledger::{Ledger, Verdict};
use super::life::Reach;
use super::receiver::Receiver;

/// How many clients there are, each with an agent of its own.
const CLIENTS: usize = 8;

/// The script of each message; below, the messages and steps of its completed run.
const SCRIPT: &str = "@reply a\n@tool t {}\n@reply b";
const MESSAGES: [&str; 5] =
    ["user_message", "assistant_message", "tool_call_message", "tool_return_message", "assistant_message"];
const STEPS: usize = 3;

/// How many of its runs a client lets be open at once.
const MOST_OPEN: usize = 16;

/// How long the last server has to bring everything to its end.
const PATIENCE: Duration = Duration::from_secs(60);

/// The clients of one harness.
pub struct Clients<'a> {
    pub ledger: &'a Ledger,
    pub receiver: &'a Receiver,
    pub reach: &'a Reach,
    pub stop: &'a AtomicBool,
}

impl Clients<'_> {
    /// Makes the agents.
    pub fn make_agents(&self) -> Vec<String> {
        let make = |n: usize| {
            let body = json!({"name": format!("agent-{n}"), "model": "agentctl/script"}).to_string();
            let answer = self.reach.ask("POST", "/v1/agents/", "", &body).expect("an answer");
            answer.body["id"].as_str().expect("an id").to_owned()
        };
        (0..CLIENTS).map(make).collect()
    }

    /// Sends to an agent until it is to stop. Every other message is given up when its answer is lost; the others are
    /// sent again with their key until they are answered.
    pub fn send(&self, agent: &str) {
        let mut runs: Vec<String> = vec![];
        for n in 0.. {
            if self.stop.load(SeqCst) {
                return;
            }
            let word = format!("{agent}-{n}");
            self.ledger.attempt(&word);
            while !self.stop.load(SeqCst) {
                match self.post(agent, &word) {
                    Some(run) => {
                        self.ledger.acknowledge(&word, &run);
                        runs.push(run);
                        break;
                    }
                    None if n % 2 == 0 => break,
                    None => thread::sleep(Duration::from_millis(5)),
                }
            }
            self.rest(&mut runs);
        }
    }

    /// Posts a message; none if it was not accepted, or the answer was lost.
    fn post(&self, agent: &str, word: &str) -> Option<String> {
        let body = json!({"input": SCRIPT, "callback_url": self.receiver.url(word)}).to_string();
        let key = format!("Idempotency-Key: {word}\r\n");
        let answer = self.reach.ask("POST", &format!("/v1/agents/{agent}/messages/async"), &key, &body)?;
        (answer.status == 200).then(|| answer.body["id"].as_str().expect("an id").to_owned())
    }

    /// Waits until fewer than `MOST_OPEN` of these runs are open.
    fn rest(&self, runs: &mut Vec<String>) {
        loop {
            runs.retain(|run| self.receiver.ids_of(run).is_empty());
            if runs.len() < MOST_OPEN || self.stop.load(SeqCst) {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until no run is open and every callback arrived, for at most `PATIENCE`.
    pub fn wait_until_all_is_done(&self, agents: &[String]) {
        let end = Instant::now() + PATIENCE;
        let done = || agents.iter().flat_map(|agent| self.runs_of(agent)).all(|run| self.is_done(&run));
        while !done() && Instant::now() < end {
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn is_done(&self, run: &Value) -> bool {
        has_ended(run) && !self.receiver.ids_of(id(run)).is_empty()
    }

    /// All runs of an agent.
    fn runs_of(&self, agent: &str) -> Vec<Value> {
        let mut runs: Vec<Value> = vec![];
        loop {
            let after = runs.last().map(|run| format!("&after={}", id(run))).unwrap_or_default();
            let page = self.reach.get(&format!("/v1/runs/?agent_id={agent}&order=asc&limit=1000{after}"));
            let page = page.as_array().expect("a list");
            if page.is_empty() {
                return runs;
            }
            runs.extend(page.iter().cloned());
        }
    }

    /// Compares the runs that exist with the acknowledged ones.
    pub fn judge(&self, agents: &[String]) -> Verdict {
        let mut verdict = self.ledger.begin();
        for run in agents.iter().flat_map(|agent| self.runs_of(agent)) {
            let word = run["callback_url"].as_str().and_then(|url| url.split_once('?')).expect("a word").1;
            verdict.saw(word, id(&run));
            verdict.stuck += usize::from(!has_ended(&run));
            let deliveries = self.receiver.ids_of(id(&run)).len();
            verdict.undelivered += usize::from(deliveries == 0);
            verdict.renamed += usize::from(deliveries > 1);
            if run["metadata"]["error"].as_str().is_some_and(|error| error.starts_with("worker lost")) {
                verdict.given_up += 1;
            } else if has_ended(&run) {
                verdict.doubled += usize::from(!self.has_its_effects(id(&run)));
            }
        }
        verdict
    }

    /// Whether a run did all that it was told to, once.
    fn has_its_effects(&self, run: &str) -> bool {
        let messages = self.reach.get(&format!("/v1/runs/{run}/messages"));
        let types = messages.as_array().expect("a list").iter().map(|message| message["message_type"].as_str());
        let steps = self.reach.get(&format!("/v1/runs/{run}/steps"));
        types.eq(MESSAGES.map(Some)) && steps.as_array().expect("a list").len() == STEPS
    }
}

fn id(run: &Value) -> &str {
    run["id"].as_str().expect("an id")
}

fn has_ended(run: &Value) -> bool {
    ["completed", "failed", "cancelled"].iter().any(|status| run["status"] == *status)
}
