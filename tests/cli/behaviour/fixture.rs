//! The servers that each promise is tested on, and the messages that make their agents behave in a given way.

use std::env::var;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use serde_json::Value;

use crate::support::process::{Process, Running};
use crate::support::serve::Serve;
use crate::support::{Output, TestEnv};

/// The behaviour that a message asks of its agent.
#[derive(Clone, Copy, Debug)]
pub enum Behaviour {
    /// Answer. The words are part of the answer: see [`Fixture::said`].
    Reply(&'static str),
    /// Answer after so many seconds.
    Slow(u32),
    /// Fail.
    Fail,
    /// Call a tool so many times, then answer.
    Tools(usize),
    /// Ask for approval of a tool call, then answer. See [`Fixture::let_it_ask`].
    Ask,
    /// Call a tool again and again, for seconds, until the steps are used up.
    Endless,
}

use Behaviour::{Ask, Endless, Fail, Reply, Slow, Tools};

/// A server, an environment of its own to reach it from, and an agent that no other test talks to: a real server runs
/// what it is sent at once, and two runs at once on one agent disturb each other.
pub struct Fixture {
    env: TestEnv,
    server: Server,
    /// Its model does what the messages say.
    agent: String,
    others: std::cell::RefCell<Vec<String>>,
}

enum Server {
    Local,
    Serve(Serve),
    Real { url: String, key: Option<String>, model: String },
}

impl Fixture {
    /// The engine inside the program.
    pub fn local() -> Self {
        Self::new(TestEnv::new(), Server::Local)
    }

    /// The same on a port of this machine, and from memory.
    pub fn serve() -> Self {
        Self::served(&["--in-memory"])
    }

    /// The same with the faults of the real server.
    pub fn quirks() -> Self {
        Self::served(&["--in-memory", "--quirks"])
    }

    fn served(flags: &[&str]) -> Self {
        let env = TestEnv::new();
        let serve = Serve::start(&env, flags);
        Self::new(env, Server::Serve(serve))
    }

    /// The real server, if one is named.
    pub fn real() -> Option<Self> {
        let Some(url) = setting("AGENTCTL_TEST_BASE_URL") else {
            static SAID: Once = Once::new();
            // Once, and not by `println!`, since the test harness hides the output of a passing test.
            SAID.call_once(|| {
                let _ = writeln!(std::io::stderr(), "skipped: AGENTCTL_TEST_BASE_URL names no server");
            });
            println!("skipped: AGENTCTL_TEST_BASE_URL names no server");
            return None;
        };
        let agent = setting("AGENTCTL_TEST_AGENT_ID").expect("AGENTCTL_TEST_AGENT_ID names an agent of that server");
        let mut server = Server::Real { url, key: setting("AGENTCTL_TEST_API_KEY"), model: String::new() };
        let shown = server.reach(TestEnv::new().agentctl(["agents", "show", &agent])).run();
        assert_eq!(shown.code(), 0, "{shown}");
        if let Server::Real { model, .. } = &mut server {
            *model = shown.document()["model"].as_str().expect("a model").to_owned();
        }
        Some(Self::new(TestEnv::new(), server))
    }

    fn new(env: TestEnv, server: Server) -> Self {
        let mut fixture = Self { env, server, agent: String::new(), others: vec![].into() };
        fixture.agent = fixture.create(&unused_name());
        fixture
    }

    /// Creates an agent like the fixture's own. It is deleted with the fixture.
    pub fn another_agent(&self) -> String {
        self.named_agent(&unused_name())
    }

    /// The same with this name.
    pub fn named_agent(&self, name: &str) -> String {
        let id = self.create(name);
        self.others.borrow_mut().push(id.clone());
        id
    }

    fn create(&self, name: &str) -> String {
        let output = self.agentctl(&["agents", "create", "--name", name, "--model", self.model(), "-o", "id"]).run();
        assert_eq!(output.code(), 0, "{output}");
        output.stdout.trim().to_owned()
    }

    /// The agent that belongs to this test.
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// The model of its agents.
    pub fn model(&self) -> &str {
        match &self.server {
            Server::Local | Server::Serve(_) => "agentctl/script",
            Server::Real { model, .. } => model,
        }
    }

    /// The program, pointed at this server.
    pub fn agentctl(&self, args: &[&str]) -> Process {
        let local = matches!(self.server, Server::Local).then_some("--local");
        self.server.reach(self.env.agentctl(args.iter().copied().chain(local)))
    }

    /// A bash script: `$WHERE` has the flags that each `agentctl` in it needs, `$AGENT` and `$TEXT` are the agent and
    /// what makes it behave like this.
    pub fn bash(&self, script: &str, behaviour: Behaviour) -> Process {
        let local = if matches!(self.server, Server::Local) { "--local" } else { "" };
        let process = self.env.bash(script).env("WHERE", local).env("AGENT", &self.agent);
        self.server.reach(process.env("TEXT", self.spell(behaviour)))
    }

    /// `send` with these flags.
    pub fn send(&self, behaviour: Behaviour, flags: &[&str]) -> Process {
        self.send_to(&self.agent, behaviour, flags)
    }

    /// The same to another agent.
    pub fn send_to(&self, agent: &str, behaviour: Behaviour, flags: &[&str]) -> Process {
        let text = self.spell(behaviour);
        self.agentctl(&[&["send", "--agent", agent, "-m", &text], flags].concat())
    }

    /// Sends, follows to the end and returns what was printed.
    pub fn follow(&self, behaviour: Behaviour, flags: &[&str]) -> Output {
        self.send(behaviour, &[&["--wait"], flags].concat()).run()
    }

    /// Sends without following, and returns when the run is known. The local engine is the process that sent, so that it
    /// must go on.
    pub fn start(&self, behaviour: Behaviour) -> Started {
        self.start_on(&self.agent, behaviour)
    }

    /// The same on another agent.
    pub fn start_on(&self, agent: &str, behaviour: Behaviour) -> Started {
        let sending = self.send_to(agent, behaviour, &["-o", "id"]).spawn();
        Started { id: sending.first_line(), sending }
    }

    /// The run as the server shows it now.
    pub fn look(&self, id: &str) -> Value {
        let output = self.agentctl(&["status", id]).run();
        assert_eq!(output.code(), 0, "{output}");
        output.document()
    }

    /// The assistant's reply.
    pub fn said(&self, behaviour: Behaviour) -> String {
        match behaviour {
            Fail | Endless => String::new(),
            Reply(_) | Slow(_) | Tools(_) | Ask if self.is_real() => format!("echo: {}", self.spell(behaviour)),
            Reply(text) => text.to_owned(),
            Slow(_) | Tools(_) | Ask => "done".to_owned(),
        }
    }

    /// Makes the agent's tools need approval, on a server where a message cannot ask for it.
    pub fn let_it_ask(&self) {
        if self.is_real() {
            let path = format!("/v1/agents/{}/tools/approval/conversation_search", self.agent);
            let body = r#"{"requires_approval": true}"#;
            let output = self.agentctl(&["api", "PATCH", &path, "--input", "-"]).stdin(body).run();
            assert_eq!(output.code(), 0, "{output}");
        }
    }

    /// The message that makes the agent behave like this.
    fn spell(&self, behaviour: Behaviour) -> String {
        if self.is_real() { words(behaviour) } else { directives(behaviour) }
    }

    fn is_real(&self) -> bool {
        matches!(self.server, Server::Real { .. })
    }
}

/// The message for the local server's model.
fn directives(behaviour: Behaviour) -> String {
    match behaviour {
        Reply(text) => format!("@reply {text}"),
        Slow(seconds) => format!("@sleep {seconds}s\n@reply done"),
        Fail => "@fail it was asked to fail".to_owned(),
        Tools(count) => format!("@tool look {{\"n\": 1}}\n@repeat {count}\n@reply done"),
        Ask => "@ask look {\"n\": 1}\n@reply done".to_owned(),
        Endless => "@sleep 200ms\n@tool look {}\n".repeat(100),
    }
}

/// The message for the real server's model.
fn words(behaviour: Behaviour) -> String {
    match behaviour {
        Reply(text) => text.to_owned(),
        Slow(seconds) => format!("slow {seconds}"),
        Fail => "fail 500".to_owned(),
        Tools(count) => format!("tool {count}"),
        Ask => "tool 1".to_owned(),
        Endless => "slow 0.2 loop".to_owned(),
    }
}

/// A variable that is set and not empty.
fn setting(name: &str) -> Option<String> {
    var(name).ok().filter(|value| !value.is_empty())
}

impl Drop for Fixture {
    fn drop(&mut self) {
        if !self.is_real() {
            // Its data is in the home or in memory, and is deleted with it.
            return;
        }
        let mut agents = self.others.take();
        agents.push(self.agent.clone());
        for agent in agents.iter().filter(|agent| !agent.is_empty()) {
            // The test may be failing already, and may have deleted it itself.
            let delete = || self.agentctl(&["agents", "delete", agent]).run();
            let _ = catch_unwind(AssertUnwindSafe(delete));
        }
    }
}

impl Server {
    fn reach(&self, process: Process) -> Process {
        match self {
            Self::Local => process,
            Self::Serve(serve) => serve.reach(process),
            Self::Real { url, key: None, .. } => process.env("LETTA_BASE_URL", url),
            Self::Real { url, key: Some(key), .. } => process.env("LETTA_BASE_URL", url).env("LETTA_API_KEY", key),
        }
    }
}

/// A name that no agent of the server has, from this run of the tests or another.
pub fn unused_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = jiff::Timestamp::now().as_microsecond();
    format!("agentctl-test-{now}-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed))
}

/// A run that is at work.
pub struct Started {
    pub id: String,
    sending: Running,
}

impl Started {
    /// Waits until `send` has ended, and expects that it did so without complaint.
    pub fn settle(self) {
        let output = self.sending.wait();
        assert_eq!(output.code(), 0, "{output}");
    }
}
