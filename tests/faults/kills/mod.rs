//! Servers are killed at work, again and again; every accepted run must end exactly once.

mod clients;
mod ledger;
mod life;
mod power;
mod receiver;

use std::io::BufRead;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use crate::report::{self, Table, is_long};
use crate::support::TestEnv;
use clients::Clients;
use ledger::{Ledger, Verdict};
use life::{Life, Reach};
use receiver::Receiver;

/// The points in the code at which a server can be made to die.
const POINTS: [&str; 9] = [
    "after-insert",
    "before-commit",
    "before-answer",
    "after-claim",
    "mid-step",
    "before-end",
    "after-end",
    "before-callback",
    "after-callback",
];

/// How a server comes to its end.
#[derive(Clone, Copy)]
enum Death {
    /// It is killed at any time.
    Killed,
    /// It dies at a place in the code.
    At(&'static str),
}

/// Starts and kills servers, lets the last one finish, and compares the runs with the ledger.
fn kills(deaths: &[Death], dice: &mut fastrand::Rng) -> Verdict {
    let env = TestEnv::new();
    let (ledger, receiver, reach, stop) =
        (Ledger::default(), Receiver::start(), Reach::default(), AtomicBool::new(false));
    let clients = Clients { ledger: &ledger, receiver: &receiver, reach: &reach, stop: &stop };
    let first = Life::begin(&env, &reach, "");
    let agents = clients.make_agents();
    thread::scope(|scope| {
        agents.iter().for_each(|agent| _ = scope.spawn(|| clients.send(agent)));
        first.end_within(Duration::from_millis(100));
        for death in deaths {
            match death {
                Death::Killed => {
                    Life::begin(&env, &reach, &promise()).end_within(Duration::from_millis(dice.u64(50..600)))
                }
                Death::At(point) => {
                    let life = Life::begin(&env, &reach, &format!("die:{point}:{}", dice.u32(1..20)));
                    life.end_within(Duration::from_millis(1500));
                }
            }
        }
        stop.store(true, SeqCst);
        let _last = Life::begin(&env, &reach, &promise());
        clients.wait_until_all_is_done(&agents);
        clients.judge(&agents)
    })
}

/// The promise that this build breaks, if it is one that does.
fn promise() -> String {
    std::env::var("AGENTCTL_SABOTAGE").unwrap_or_default()
}

#[test]
fn agt_70_accepted_runs_survive_kills_and_happen_once() {
    let seed = report::seed();
    println!("AGENTCTL_SEED={seed}");
    let count = if is_long() { 1000 } else { 20 };
    let verdict = kills(&vec![Death::Killed; count], &mut fastrand::Rng::with_seed(seed));
    let mut table = Table::new("kills", &verdict.columns("kills"));
    table.row(&verdict.cells(&count.to_string()));
    table.publish(&format!("`AGENTCTL_SEED={seed}`, {}", report::circumstances()));
    verdict.check();
}

/// Only a build with `--cfg sabotage` can die at a place in the code. `sabotage` makes one and runs this.
#[test]
fn nothing_is_lost_stuck_or_doubled_at_exact_points() {
    if !cfg!(sabotage) {
        return;
    }
    let seed = report::seed();
    println!("AGENTCTL_SEED={seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut table: Option<Table> = None;
    for point in POINTS {
        let verdict = kills(&[Death::At(point); 12], &mut dice);
        let table = table.get_or_insert_with(|| Table::new("points", &verdict.columns("dies")));
        table.row(&verdict.cells(point));
        verdict.check();
    }
    if let Some(table) = table {
        table.publish(&format!("12 lives each, `AGENTCTL_SEED={seed}`, {}", report::circumstances()));
    }
}

#[test]
fn the_binary_that_is_shipped_cannot_be_sabotaged() {
    if cfg!(sabotage) {
        return;
    }
    let binary = std::fs::read(crate::support::env::AGENTCTL).expect("the binary");
    // `BufRead` finds a byte quickly in a build without optimisation, too. The last byte of a text occurs in it once.
    let has = |text: &[u8]| {
        let (last, rest) = text.split_last().expect("a text");
        BufRead::split(&binary[..], *last).map_while(Result::ok).any(|piece| piece.ends_with(rest))
    };
    assert!(has(b"AGENTCTL_D") && !has(b"AGENTCTL_SAB"));
}
