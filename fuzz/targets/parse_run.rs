//! A run as a server sends it: read leniently, printed whole, drawn safely.
#![no_main]

mod server;

use agentctl::render::{card, table};
use libfuzzer_sys::fuzz_target;
use server::{answering, check_line, check_page, context, run_id, wait};

fuzz_target!(|body: &[u8]| {
    match wait(answering(200, body).run_once(&run_id())) {
        Ok(run) => {
            check_line(run.document().line());
            let again = agentctl::model::Run::parse(run.document().line()).expect("what was printed can be read");
            assert_eq!(again.document().value(), run.document().value());
            let _ = (run.error(), run.model(), run.ttft_ns(), run.total_duration_ns(), run.agent_id());
            let _ = (run.status(), run.stop_reason(), run.created_at(), run.completed_at());
            for width in [20, 80] {
                check_page(&card::card(&run, None, &context(width)));
                check_page(&table::runs_table([&run, &run], &context(width)));
            }
        }
        Err(error) => check_page(&error.failure().page()),
    }
});
