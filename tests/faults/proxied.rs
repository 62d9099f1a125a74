//! The real client and a real server with a harmful proxy between them. The server's own list of runs is the ledger.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use crate::crowd::at_once;
use crate::faultd::wait_until;
use crate::proxy::{Proxy, Toxic};
use crate::report::{self, Table, is_long};
use crate::support::process::Process;
use crate::support::serve::{Serve, status};
use crate::support::{Output, TestEnv};

/// The delay of a held request: longer than the client's time limit.
const HOLD: Duration = Duration::from_secs(2);

/// A server, its address, and the fields of its agents.
struct Server {
    env: TestEnv,
    address: SocketAddr,
    key: String,
    model: String,
    /// How long the program waits for one answer: longer than this server takes for it.
    patience: &'static str,
    /// It accepts a message once, and says so.
    honours_keys: bool,
    /// The process, if the test started it. The mutex only makes the type shareable between threads.
    ours: Option<Mutex<Serve>>,
}

impl Server {
    fn local(flags: &[&str]) -> Self {
        let env = TestEnv::new();
        // Each proxy has its own port.
        let serve = Serve::start(&env, &[&["--in-memory", "--allow-host", "127.0.0.1"], flags].concat());
        let (address, key, model) = (serve.address(), serve.key.clone(), "agentctl/echo".to_owned());
        Self { env, address, key, model, patience: "1s", honours_keys: flags.is_empty(), ours: Some(Mutex::new(serve)) }
    }

    /// The real server, if one is named.
    fn real() -> Option<Self> {
        let setting = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let url = setting("AGENTCTL_TEST_BASE_URL")?;
        let address = url.strip_prefix("http://")?.trim_end_matches('/').parse().ok()?;
        let (env, key) = (TestEnv::new(), setting("AGENTCTL_TEST_API_KEY").unwrap_or_default());
        let agent = setting("AGENTCTL_TEST_AGENT_ID")?;
        let mut server =
            Self { env, address, key, model: String::new(), patience: "8s", honours_keys: false, ours: None };
        let shown = server.directly(&["agents", "show", &agent]).run();
        server.model = shown.document()["model"].as_str()?.to_owned();
        Some(server)
    }

    fn agentctl(&self, url: &str, args: &[&str]) -> Process {
        self.env.agentctl(args).env("LETTA_BASE_URL", url).env("LETTA_API_KEY", &self.key)
    }

    fn directly(&self, args: &[&str]) -> Process {
        self.agentctl(&format!("http://{}", self.address), args)
    }

    fn create_agent(&self) -> String {
        let name = format!("faults-{}", uuid::Uuid::new_v4());
        let made = self.directly(&["agents", "create", "--name", &name, "--model", &self.model, "-o", "id"]).run();
        assert_eq!(made.code(), 0, "{made}");
        made.stdout.trim().to_owned()
    }

    /// The runs that the server made of what was sent to an agent.
    fn ledger(&self, agent: &str) -> Vec<String> {
        let listed = self.directly(&["list", "--agent", agent, "--all", "-o", "id"]).run();
        assert_eq!(listed.code(), 0, "{listed}");
        listed.stdout.lines().map(str::to_owned).collect()
    }
}

/// Every kind of harm, once.
fn kinds(dice: &mut fastrand::Rng, server: &Server) -> Vec<(&'static str, Toxic)> {
    let mut kinds = vec![
        ("latency of 50 ms", Toxic::Latency(Duration::from_millis(50))),
        ("byte by byte", Toxic::Slicer),
        ("closed within the answer", Toxic::CutDown(dice.usize(1..600))),
        ("reset within the answer", Toxic::ResetDown(dice.usize(1..600))),
        ("closed before the answer", Toxic::CutDown(0)),
        ("reset before the answer", Toxic::ResetDown(0)),
        ("executed, then silent", Toxic::ExecuteThenTimeout),
    ];
    // A server without keys that never got the message is searched for a minute, so this is for the long run.
    if server.honours_keys || is_long() {
        kinds.push(("reset within the request", Toxic::ResetUp(dice.usize(1..250))));
        kinds.push(("held up, delivered late", Toxic::Hold(HOLD)));
    }
    kinds
}

struct Sent {
    output: Output,
    ledger: Vec<String>,
}

fn send(server: &Server, toxic: &Toxic) -> Sent {
    let agent = server.create_agent();
    let proxy = Proxy::start(server.address, [toxic.clone()]);
    let args = ["send", "--agent", &agent, "-m", "hi", "-o", "id", "--request-timeout", server.patience];
    let output = server.agentctl(&proxy.url(), &args).limit(Duration::from_secs(150)).run();
    if matches!(toxic, Toxic::Hold(_)) {
        proxy.settle();
    }
    let ledger = server.ledger(&agent);
    if server.ours.is_none() {
        server.directly(&["agents", "delete", &agent]).run();
    }
    Sent { output, ledger }
}

/// A client resends messages on the strength of this answer.
#[test]
fn a_server_says_that_it_honours_keys_exactly_where_it_does() {
    for (flags, said) in [(&["--in-memory"][..], true), (&["--in-memory", "--quirks"], false)] {
        let serve = Serve::start(&TestEnv::new(), flags);
        for line in ["GET /v1/health/", "GET /v1/runs/", "GET /nowhere"] {
            let answer = serve.ask(line, "", "").to_lowercase();
            assert_eq!(answer.contains("idempotency-supported: true"), said, "{flags:?} {line}\n{answer}");
        }
    }
}

/// More than a page of runs and messages arrives between the loss and the first search.
#[test]
fn a_busy_agent_does_not_hide_the_run_of_a_lost_message() {
    let server = Server::local(&["--quirks"]);
    let agent = server.create_agent();
    let proxy = Proxy::start(server.address, [Toxic::ExecuteThenTimeout]);
    let args = ["send", "--agent", &agent, "-m", "hi", "-o", "id", "--request-timeout", "5s"];
    let sending = server.agentctl(&proxy.url(), &args).spawn();
    assert!(wait_until(Duration::from_secs(30), || !server.ledger(&agent).is_empty()), "the message arrives");
    let ours = server.ledger(&agent);
    let serve = server.ours.as_ref().expect("a server of our own").lock().expect("no panic");
    let line = format!("POST /v1/agents/{agent}/messages/async");
    for n in 0..220 {
        let body = format!(r#"{{"messages": [{{"role": "user", "content": "other {n}"}}]}}"#);
        assert_eq!(status(&serve.ask(&line, "", &body)), 200);
    }
    let output = sending.wait();
    assert_eq!(
        (output.code(), output.stdout.lines().collect::<Vec<_>>()),
        (0, ours.iter().map(String::as_str).collect())
    );
    assert!(server.ledger(&agent).len() > 200);
}

#[test]
fn a_proxy_that_does_harm_never_doubles_a_message() {
    let seed = report::seed();
    println!("AGENTCTL_SEED={seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    let columns = ["server", "harm", "sends", "exit 0", "exit 10", "delivered twice", "exit code untrue"];
    let mut table = Table::new("proxied", &columns);
    let servers = [("serve", Some(Server::local(&[])), 20), ("serve --quirks", Some(Server::local(&["--quirks"])), 10)];
    for (name, server, long) in servers.into_iter().chain([("Letta 0.16.8", Server::real(), 24)]) {
        let Some(server) = server else { continue };
        let rounds = if is_long() { long } else { 1 };
        let cases: Vec<(&str, Toxic)> = (0..rounds).flat_map(|_| kinds(&mut dice, &server)).collect();
        let width = if server.ours.is_some() { 16 } else { 8 };
        let sent = at_once(width, &cases, |(_, toxic)| send(&server, toxic));
        for (kind, _) in cases.iter().take(cases.len() / rounds) {
            let of_kind = cases.iter().zip(&sent).filter(|((of, _), _)| of == kind);
            let mut counts = [0; 5];
            for ((_, toxic), sent) in of_kind {
                let code = sent.output.code();
                let place = format!("{name}, {kind}, {toxic:?}, {:?}\n{}", sent.ledger, sent.output);
                assert!(sent.ledger.len() <= 1, "delivered twice: {place}");
                let untrue = if code == 0 { sent.ledger != [sent.output.stdout.trim()] } else { code != 10 };
                assert!(!untrue, "{place}");
                assert!(
                    code == 0 || !server.honours_keys,
                    "a server that honours keys leaves nothing unknown: {place}"
                );
                let ones = [true, code == 0, code == 10, sent.ledger.len() > 1, untrue];
                counts.iter_mut().zip(ones).for_each(|(sum, one)| *sum += usize::from(one));
            }
            table.row(&[&[name.to_owned(), (*kind).to_owned()][..], &counts.map(|count| count.to_string())].concat());
        }
    }
    let note = "Messages to a real server through a proxy that does harm to the connection that carries them";
    table.publish(&format!("{note}. {}, seed {seed}.", report::circumstances()));
}
