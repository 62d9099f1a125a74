//! Messages whose answer is lost: compares how often each was delivered with the exit code.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::crowd::at_once;
use crate::faultd::{Accepted, Entry, Fate, Faultd, Plan, Way};
use crate::report::{self, Table, is_long};
use crate::support::process::Process;
use crate::support::{Output, TestEnv};

const AGENT: &str = "agent-11111111-1111-4111-8111-111111111111";
/// Processes at once. They wait most of the time.
const WIDTH: usize = 64;
/// A time limit for one try that a server which answers keeps, and a test can wait for.
const TRY: &str = "1s";
/// The delay of a late accept: after the client has noticed the loss.
const LATE: Duration = Duration::from_millis(700);

/// A message and its outcome.
struct Sent {
    output: Output,
    ledger: Vec<Entry>,
}

impl Sent {
    fn code(&self) -> i32 {
        self.output.code()
    }

    /// The broken promises that its exit code and the ledger make together.
    fn broken(&self) -> Vec<&'static str> {
        let delivered = self.ledger.len();
        let shown = self.output.stdout.trim();
        let wrong = shown.starts_with("run-") && !self.ledger.iter().any(|entry| entry.run == shown);
        [
            (delivered > 1, "delivered twice"),
            (self.code() == 0 && delivered == 0, "exit 0, not delivered"),
            (self.code() == 0 && wrong, "exit 0, another run"),
            (!matches!(self.code(), 0 | 10) && delivered > 0, "said to be refused, delivered"),
            (!matches!(self.code(), 0 | 4 | 5 | 9 | 10 | 12), "an exit that says nothing"),
            (self.code() != 0 && !shown.is_empty(), "a run on stdout without exit 0"),
        ]
        .into_iter()
        .filter_map(|(is, what)| is.then_some(what))
        .collect()
    }
}

/// The program, about to send a message to a server.
fn sending(env: &TestEnv, faultd: &Faultd) -> Process {
    let line = format!("send --agent {AGENT} -m hi -o id --request-timeout {TRY}");
    let process = env.agentctl(line.split(' ')).server(&faultd.url());
    crate::sabotage::chosen(process).limit(Duration::from_secs(150))
}

fn send(plan: &Plan) -> Sent {
    let (env, faultd) = (TestEnv::new(), Faultd::start(plan.clone()));
    let output = sending(&env, &faultd).run();
    faultd.settle();
    Sent { output, ledger: faultd.ledger() }
}

/// How an answer is lost so that its message may have been accepted.
fn losses(dice: &mut fastrand::Rng) -> [(&'static str, Way); 8] {
    [
        ("hang", Way::Hang),
        ("FIN", Way::Fin),
        ("RST", Way::Rst),
        ("500", Way::Status(500, "")),
        ("502", Way::Status(502, "")),
        ("cut anywhere", Way::Cut(dice.usize(..10_000))),
        ("drip", Way::Drip(dice.usize(..10_000))),
        ("unreadable", dice.choice(UNREADABLE).cloned().expect("not empty")),
    ]
}

const UNREADABLE: &[Way] = &[
    Way::Body("<html><title>Welcome</title></html>"),
    Way::Body("{\"id\":"),
    Way::Body("[]"),
    Way::Body("{\"hello\":\"world\"}"),
    Way::Body(""),
    Way::Raw("SSH-2.0-OpenSSH_9.2\r\n"),
    Way::Raw("HTTP/1.1 200 -\r\ncontent-length: 5\r\ncontent-length: 7\r\n\r\n{}"),
    Way::Raw("HTTP/1.1 200 -\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}"),
    Way::Raw("HTTP/1.1 200 -\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}"),
];

/// The kinds of servers: honours keys, shows messages, lists runs.
const SERVERS: [(&str, bool, bool, bool); 4] = [
    ("honours keys", true, false, true),
    ("shows the message", false, true, true),
    ("shows the run only", false, false, true),
    ("shows nothing", false, false, false),
];

#[test]
fn agt_20_a_lost_answer_never_doubles_or_hides_a_message() {
    let seed = report::seed();
    println!("AGENTCTL_SEED={seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut cases = Vec::new();
    for (server, honours_keys, shows_messages, lists_runs) in SERVERS {
        // More than a thousand to a server that honours keys, and as many to the three that do not.
        let rounds = match (is_long(), honours_keys) {
            (false, _) => 1,
            (true, true) => 63,
            (true, false) => 21,
        };
        for _ in 0..rounds {
            for accepted in [Accepted::Now, Accepted::Never] {
                // A message that cannot be found is searched for a minute, so this is for the long run.
                let found = honours_keys || !lists_runs || (shows_messages && accepted == Accepted::Now);
                if !found && !is_long() {
                    continue;
                }
                for (loss, way) in losses(&mut dice) {
                    let fates = vec![Fate { accepted, way }];
                    let plan = Plan { honours_keys, shows_messages, lists_runs, fates, ..Plan::default() };
                    cases.push((server, loss, accepted, plan));
                }
            }
        }
    }
    let sent = at_once(WIDTH, &cases, |(.., plan)| send(plan));
    let mut table = Counted::default();
    for ((server, loss, accepted, plan), sent) in cases.iter().zip(&sent) {
        let place = format!("{server}, {loss}, accepted {accepted:?}, {:?}\n{}", plan.fates, sent.output);
        assert_eq!(sent.broken(), Vec::<&str>::new(), "{place}");
        let expected = match (*server, accepted) {
            ("honours keys", _) | ("shows the message", Accepted::Now) => (0, 1),
            (_, Accepted::Never) => (10, 0),
            _ => (10, 1),
        };
        assert_eq!((sent.code(), sent.ledger.len()), expected, "{place}");
        table.count(server, loss, sent);
    }
    table.publish(seed);
}

/// Sends by server and loss.
#[derive(Default)]
struct Counted(BTreeMap<(String, String), [usize; 6]>);

impl Counted {
    fn count(&mut self, server: &str, loss: &str, sent: &Sent) {
        let row = self.0.entry((server.to_owned(), loss.to_owned())).or_default();
        let twice = usize::from(sent.ledger.len() > 1);
        let lied = usize::from(sent.broken().len() > twice);
        let (done, unknown) = (usize::from(sent.code() == 0), usize::from(sent.code() == 10));
        let ones = [1, done, unknown, usize::from(sent.ledger.len() == 1), twice, lied];
        row.iter_mut().zip(ones).for_each(|(sum, one)| *sum += one);
    }

    fn publish(&self, seed: u64) {
        let lost = ["server", "answer lost by", "sends", "exit 0", "exit 10"];
        let delivered = ["delivered once", "delivered twice", "exit code untrue"];
        let mut table = Table::new("ambiguous", &[&lost[..], &delivered].concat());
        let mut sum = [0; 6];
        for ((server, loss), row) in &self.0 {
            sum.iter_mut().zip(row).for_each(|(sum, one)| *sum += one);
            let counts = row.map(|count| count.to_string());
            table.row(&[&[server.clone(), loss.clone()][..], &counts].concat());
        }
        table.row(&[&["all".to_owned(), String::new()][..], &sum.map(|count| count.to_string())].concat());
        let note = "Messages whose answer was lost, half of them after the server had accepted the message, half before; \
                    each sent by a process of its own.";
        table.publish(&format!("{note} {}, seed {seed}.", report::circumstances()));
    }
}

/// Random fates for POSTs, all kinds among them.
fn any_fate(dice: &mut fastrand::Rng) -> Fate {
    let refused = [
        Way::Status(429, "retry-after-ms: 20\r\n"),
        Way::Status(409, "retry-after: 0.02\r\n"),
        Way::Status(409, ""),
        Way::Status(401, ""),
        Way::Status(404, ""),
        Way::Status(422, ""),
    ];
    if dice.u8(..4) == 0 {
        let way = dice.choice(&refused).cloned().expect("not empty");
        return Fate { accepted: Accepted::Never, way };
    }
    if dice.u8(..8) == 0 {
        return Fate { accepted: Accepted::Never, way: Way::RstAfter(dice.usize(..300)) };
    }
    let losses = losses(dice);
    let (_, way) = dice.choice(losses).expect("not empty");
    let accepted = [Accepted::Now, Accepted::Now, Accepted::Never, Accepted::After(LATE)];
    Fate { accepted: *dice.choice(&accepted).expect("not empty"), way }
}

fn any_look(dice: &mut fastrand::Rng) -> Way {
    let ways =
        [Way::Well, Way::Well, Way::Fin, Way::Rst, Way::Status(503, ""), Way::Status(404, ""), Way::Body("<html>")];
    dice.choice(&ways).cloned().expect("not empty")
}

/// Whether at most one answer never ends. Giving up several takes up to a minute, which is for the long run.
fn is_quick(plan: &Plan) -> bool {
    plan.fates.iter().filter(|fate| matches!(fate.way, Way::Hang | Way::Drip(_))).count() < 2
}

#[test]
fn agt_21_after_any_faults_a_message_is_delivered_at_most_once() {
    let seed = report::seed();
    println!("AGENTCTL_SEED={seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    let count = if is_long() { 2000 } else { 80 };
    let plans: Vec<Plan> = std::iter::repeat_with(|| Plan {
        honours_keys: dice.bool(),
        shows_messages: dice.bool(),
        lists_runs: is_long() && dice.bool(),
        fates: (0..dice.usize(1..5)).map(|_| any_fate(&mut dice)).collect(),
        looks: (0..dice.usize(..6)).map(|_| any_look(&mut dice)).collect(),
        has_strangers: dice.bool(),
    })
    .filter(|plan| is_long() || is_quick(plan))
    .take(count)
    .collect();
    let sent = at_once(WIDTH, &plans, send);
    for (plan, sent) in plans.iter().zip(&sent) {
        let place = format!("{:?} {:?} keys {}\n{}", plan.fates, plan.looks, plan.honours_keys, sent.output);
        assert_eq!(sent.broken(), Vec::<&str>::new(), "{place}");
    }
}

/// Another client's message to the same agent, accepted while ours was lost, looks just like ours but for its words.
#[test]
fn a_run_of_another_client_is_never_adopted() {
    let fates = vec![Fate { accepted: Accepted::Never, way: Way::Rst }];
    for shows_messages in [true, false] {
        let plan =
            Plan { has_strangers: true, lists_runs: true, shows_messages, fates: fates.clone(), ..Plan::default() };
        let (env, faultd) = (TestEnv::new(), Faultd::start(plan));
        let sending = sending(&env, &faultd).spawn();
        assert!(faultd.wait_for_lists(1, Duration::from_secs(20)), "the run is looked for");
        // If the program adopts the stranger's run, it exits by itself; otherwise it would search for a minute.
        if faultd.wait_for_lists(2, Duration::from_secs(10)) {
            sending.signal(rustix::process::Signal::TERM);
        }
        let output = sending.wait();
        assert_eq!((output.code(), output.stdout.as_str()), (10, ""), "another run was taken for ours\n{output}");
        assert_eq!(faultd.ledger().len(), 0);
    }
}
