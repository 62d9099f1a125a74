//! A server that goes away in the middle of a watch and comes back.

use std::time::{Duration, Instant};

use crate::report::{Table, circumstances, is_long};
use crate::support::letta::{RUN, RUN_PATH, run_answer};
use crate::support::{Mock, TestEnv};

#[test]
fn agt_07_a_watch_survives_an_outage_and_reports_it_in_two_lines() {
    let outages: &[u64] = if is_long() { &[3, 10, 30] } else { &[3] };
    let mut table = Table::new("outage", &["away", "lines about it", "requests after it", "exit"]);
    for seconds in outages {
        let (env, mock) = (TestEnv::new(), Mock::start());
        let running = || run_answer("running", None);
        mock.on("GET", RUN_PATH, [running()]);
        let watching = env.agentctl(["watch", RUN, "--interval", "200ms"]).server(&mock.url()).spawn();
        mock.wait_for("GET", 3);
        let address = mock.address();
        mock.stop();
        watching.wait_for_stderr("no answer from the server");
        // The length of the outage is the subject of this test.
        std::thread::sleep(Duration::from_secs(*seconds));
        let back = Mock::start_at(address);
        back.on("GET", RUN_PATH, [running(), running(), run_answer("completed", Some("end_turn"))]);
        let since = Instant::now();
        let output = watching.wait();
        assert_eq!(output.code(), 0, "{output}");
        let about = |line: &&str| line.contains("no answer from the server") || line.contains("answers again");
        let lines = output.stderr.lines().filter(about).count();
        assert_eq!(lines, 2, "{output}");
        // The longest pause between two tries.
        assert!(since.elapsed() < Duration::from_secs(20), "{output}");
        table.row(&[
            format!("{seconds} s"),
            lines.to_string(),
            back.requests().len().to_string(),
            output.code().to_string(),
        ]);
    }
    table.publish(&format!(
        "A server that was stopped in the middle of a watch and started again. {}.",
        circumstances()
    ));
}
