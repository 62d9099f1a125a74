//! The body of an error; the first byte chooses its status.
#![no_main]

mod server;

use agentctl::model::fault::Fault;
use libfuzzer_sys::fuzz_target;
use server::{answering, check_line, check_page, run_id, wait};

fuzz_target!(|bytes: &[u8]| {
    let Some((first, body)) = bytes.split_first() else { return };
    let _ = Fault::parse(&String::from_utf8_lossy(body)).is_about_quota();
    let statuses = [300, 307, 400, 401, 402, 403, 404, 409, 418, 422, 429, 451, 500, 503];
    let status = statuses[usize::from(*first) % statuses.len()];
    let failure = wait(answering(status, body).run_once(&run_id())).expect_err("no success").failure();
    check_page(&failure.page());
    check_line(&failure.json());
});
