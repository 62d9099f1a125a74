//! Lists of runs and of messages: the same, and a transcript.
#![no_main]

mod server;

use agentctl::api::RunFilter;
use agentctl::model::Message;
use agentctl::render::{table, transcript};
use libfuzzer_sys::fuzz_target;
use server::{answering, check_line, check_page, context, run_id, wait};

fuzz_target!(|body: &[u8]| {
    let client = answering(200, body);
    match wait(client.runs_once(&RunFilter::default())) {
        Ok(runs) => {
            runs.iter().for_each(|run| check_line(run.document().line()));
            check_page(&table::runs_table(&runs, &context(80)));
        }
        Err(error) => check_page(&error.failure().page()),
    }
    if let Ok(documents) = wait(client.steps(&run_id())) {
        documents.iter().for_each(|document| check_line(document.line()));
        check_page(&table::agents_table(&documents, &context(40)));
        let messages: Vec<Message> = documents.into_iter().map(Message::new).collect();
        for message in &messages {
            let _ = (message.kind(), message.key(), message.text(), message.tool_calls(), message.tool_returns());
        }
        check_page(&transcript::transcript(&messages, &context(80)));
    }
});
