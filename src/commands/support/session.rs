//! The session of a command with its server: the API client, and with `--local` the engine in this process.

use std::collections::HashSet;
use std::fmt::Display;
use std::rc::Rc;

use super::ctx::Ctx;
use crate::api::client_event::{ClientEvent, Listener};
use crate::api::endpoints::Active;
use crate::api::transport::Http;
use crate::api::{Client, RunFilter, RunPages, Transport};
use crate::config::known_agents::{KnownAgent, KnownAgents};
use crate::config::recent_runs::RecentRuns;
use crate::config::{Base, Provenance, Settings, dirs, headers, server_registry};
use crate::core::facts::Facts;
use crate::exit::Exit;
use crate::model::{AgentId, AgentRef, Document, Run, RunId};
use crate::net::{self, ConnectionSettings, PlainHttp};
use crate::render::{self, Context};
use crate::report::{self, Failure};
use crate::server::{self, EngineError, Providers, Running, ServerOptions, StartError, Store};
use crate::text::duration;
use crate::text::page::Page;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

/// The name of the agent that `--local` uses when none is given.
pub const LOCAL_AGENT: &str = "default";

/// The hint for an answer that no server of this API gives.
pub const NOT_THIS_API: &str = "check the base URL; `agentctl doctor` shows which server answers there";

/// A session with a server.
pub struct Session {
    /// The API.
    pub api: Client,
    /// The engine inside this process, with `--local`.
    pub engine: Option<Running>,
    settings: Settings,
    recent: RecentRuns,
    seen: KnownAgents,
}

impl Ctx {
    /// Resolves the settings of this command. With `-v` it prints the provenance of each.
    pub fn settings(&self) -> Result<Settings, Failure> {
        let settings = Settings::resolve(&self.global.flags(), &self.env)?;
        if self.global.verbose > 0 {
            self.io.say(&provenances(&settings));
        }
        Ok(settings)
    }
}

/// Lists the settings with their provenances. The key itself is not shown.
fn provenances(settings: &Settings) -> Page {
    let from =
        |page: Page, provenance: &Provenance| page.say(" (from ").show_line(&provenance.to_string()).say(")").end();
    let mut page = Page::new();
    if let Some(profile) = &settings.profile {
        page = from(page.say("profile: ").show_line(&profile.value), &profile.provenance);
    }
    page = from(page.say("server: ").show_line(&settings.server_name()), &settings.base_provenance);
    page = page.say("key: from ").show_line(&settings.key_provenance.to_string()).end();
    if let Some(agent) = &settings.agent {
        page = from(page.say("agent: ").show_line(&agent.value), &agent.provenance);
    }
    for header in &settings.headers {
        let value = header.shown();
        page =
            from(page.say("header: ").show_line(header.name.as_str()).say(": ").show_line(value), &header.provenance);
    }
    settings.unknown_keys.iter().fold(page, |page, key| {
        page.say("config.toml: `").show_line(key).say("` is unknown to this version, and kept").end()
    })
}

impl Ctx {
    /// Returns the model endpoints that the environment configures.
    pub fn providers(&self) -> Result<Providers, Failure> {
        Providers::read(|name| self.env.get(name))
    }
}

impl Session {
    /// Opens a session for a command that only reads.
    pub async fn open(ctx: &Ctx) -> Result<Self, Failure> {
        Self::with(ctx, ctx.settings()?, false).await
    }

    /// Opens a session for a command that also executes local runs.
    pub async fn open_to_execute(ctx: &Ctx, settings: Settings) -> Result<Self, Failure> {
        Self::with(ctx, settings, true).await
    }

    /// Opens a session with settings that the command has changed.
    pub async fn open_with(ctx: &Ctx, settings: Settings) -> Result<Self, Failure> {
        Self::with(ctx, settings, false).await
    }

    async fn with(ctx: &Ctx, settings: Settings, execute: bool) -> Result<Self, Failure> {
        let (transport, engine) = match &settings.base {
            Base::Local => local(ctx, &settings, execute).await?,
            Base::Server(url) => (http(ctx, &settings, url).await?, None),
        };
        let provenance =
            if settings.base == Base::Local { String::new() } else { settings.base_provenance.to_string() };
        let api = Client::new(transport, &provenance, listener(ctx, settings.command_suffix()));
        Ok(Self { api, engine, settings, recent: RecentRuns::new(&ctx.env), seen: KnownAgents::new(&ctx.env) })
    }

    /// Runs work that needs the local engine. Fails as soon as the engine does.
    pub async fn with_engine<T>(&self, work: impl Future<Output = T>) -> Result<T, EngineError> {
        let Some(engine) = &self.engine else { return Ok(work.await) };
        tokio::select! {
            biased;
            error = engine.failed() => Err(error),
            done = work => Ok(done),
        }
    }

    /// Closes the session. The engine releases the runs that it did not finish.
    pub async fn close(self) {
        if let Some(engine) = self.engine {
            engine.stop().await;
        }
    }

    /// Returns the id of the given or the default agent. A name is looked up on the server.
    pub async fn agent(&self, named: Option<&AgentRef>) -> Result<AgentId, Failure> {
        match named {
            Some(AgentRef::Id(id)) => Ok(id.clone()),
            Some(AgentRef::Name(name)) => self.find(name).await?.ok_or_else(|| self.no_such_agent(name)),
            None if self.is_local() => self.default_agent().await,
            None => Err(Failure::usage("no agent is given").hint("give one with --agent, or set LETTA_AGENT_ID")),
        }
    }

    /// Returns the oldest agent named [`LOCAL_AGENT`], and creates one if there is none.
    async fn default_agent(&self) -> Result<AgentId, Failure> {
        if let Some(engine) = &self.engine {
            return engine.agent_named(LOCAL_AGENT).await.map_err(|error| engine_failure(&error));
        }
        let agents = self.api.agents(Some(LOCAL_AGENT)).await?;
        let same = agents.iter().filter(|agent| agent.text("name") == Some(LOCAL_AGENT));
        match same.min_by_key(|agent| agent.text("created_at")) {
            Some(agent) => agent_id(agent),
            None => agent_id(&self.api.create_agent(json!({"name": LOCAL_AGENT}).to_string()).await?),
        }
    }

    /// Whether the server is this machine's local one, on a port or inside this process.
    pub fn is_local(&self) -> bool {
        self.settings.base == Base::Local
    }

    async fn find(&self, name: &str) -> Result<Option<AgentId>, Failure> {
        let agents = self.api.agents(Some(name)).await?;
        self.saw(&agents);
        // Some servers also return agents whose names only resemble this one.
        let same = agents.iter().filter(|agent| agent.text("name") == Some(name));
        let ids: Vec<&str> = same.filter_map(|agent| agent.text("id")).collect();
        match ids[..] {
            [] => Ok(None),
            [id] => id.parse().map(Some).map_err(|error| {
                Failure::new(Exit::NotThisApi, "not_this_api", format!("the agent `{name}` has an invalid id"))
                    .cause(error)
                    .hint(NOT_THIS_API)
            }),
            _ => Err(Failure::usage(format!("the name `{name}` belongs to {} agents", ids.len()))
                .cause(ids.join(", "))
                .hint("give the id of one of them")),
        }
    }

    fn no_such_agent(&self, name: &str) -> Failure {
        let failure = Failure::new(Exit::NotFound, "not_found", format!("the server has no agent named `{name}`"));
        failure.hint(format!("list the agents with `agentctl agents list{}`", self.command_suffix()))
    }

    /// Lists the runs of an agent that have not ended.
    pub async fn active_runs(&self, agent: &AgentId) -> Result<Vec<Run>, Failure> {
        let filter = RunFilter { agent_id: Some(agent.to_string()), active: Active::ByStatus, ..RunFilter::default() };
        Ok(RunPages::new(&self.api, filter).all().await?)
    }

    /// Stores agents for shell completion.
    pub fn saw(&self, agents: &[Document]) {
        let server = self.settings.server_name();
        let tame = |name: &&str| !name.chars().any(char::is_control);
        let seen = agents.iter().filter_map(|agent| {
            let name = agent.text("name").filter(tame).unwrap_or_default().to_owned();
            Some(KnownAgent { id: agent.text("id")?.parse().ok()?, name, server: server.clone() })
        });
        self.seen.add(seen.collect());
    }

    /// Stores a run for `@last`.
    pub fn remember(&self, agent: &AgentId, run: &Run) {
        self.recent.add(&self.settings.server_name(), agent, run.id());
    }

    /// Returns the last run that was sent from here to this server.
    pub fn last_run(&self) -> Option<RunId> {
        self.recent.last(&self.settings.server_name())
    }

    /// Returns the runs that were sent from here to this server.
    pub fn own_runs(&self) -> HashSet<RunId> {
        self.recent.sent_to(&self.settings.server_name()).into_iter().collect()
    }

    /// Returns the style, time and zone for the human output of this command.
    pub fn context(&self, ctx: &Ctx) -> Context {
        let zone = if ctx.global.utc { TimeZone::UTC } else { TimeZone::system() };
        Context { style: ctx.io.style, now: Timestamp::now(), zone, command_suffix: self.settings.command_suffix() }
    }

    /// Renders a run as a card.
    pub fn card(&self, ctx: &Ctx, run: &Run, facts: Option<&Facts>) -> Page {
        render::card::card(run, facts, &self.context(ctx))
    }

    /// Returns the flags that make another command use this server, too.
    pub fn command_suffix(&self) -> String {
        self.settings.command_suffix()
    }
}

/// Returns the command that lists the runs of an agent, to check whether a lost message became one.
pub fn list_command(agent: &AgentId, command_suffix: &str) -> String {
    format!("agentctl list --agent {agent}{command_suffix}")
}

/// Returns the failure for a value that names no agent.
pub fn not_an_agent(provenance: impl Display, error: impl Display) -> Failure {
    let failure = Failure::usage(format!("{provenance}: {error}"));
    failure.hint("give an agent's id or its name; `agentctl agents list` shows both")
}

/// Returns the id of an agent that the server sent.
pub fn agent_id(agent: &Document) -> Result<AgentId, Failure> {
    let odd = || {
        Failure::new(Exit::NotThisApi, "not_this_api", "the server showed an agent without a usable id")
            .hint(NOT_THIS_API)
    };
    agent.text("id").and_then(|id| id.parse().ok()).ok_or_else(odd)
}

/// Connects to this machine's running server; without one, starts the engine inside this process.
async fn local(ctx: &Ctx, settings: &Settings, execute: bool) -> Result<(Transport, Option<Running>), Failure> {
    let Some((url, key)) = server_registry::find_local(&ctx.env) else {
        let engine = start_engine(ctx, execute).await?;
        return Ok((Transport::InProcess(engine.router()), Some(engine)));
    };
    if ctx.global.verbose > 0 {
        ctx.io.say(&Page::new().say("local server: ").show_line(url.as_str()).say(" (from its record)").end());
    }
    let settings = Settings { key, ..settings.clone() };
    Ok((http(ctx, &settings, &url).await?, None))
}

async fn http(ctx: &Ctx, settings: &Settings, url: &url::Url) -> Result<Transport, Failure> {
    let guarded = settings.key.is_some() && !settings.allow_plain_http;
    let plain_http = if guarded { PlainHttp::PrivateOnly } else { PlainHttp::Anywhere };
    let proxies = settings.proxies.clone();
    let ca_cert = settings.ca_cert.clone();
    let names_roots = net::tls::names_roots(|name| ctx.env.is_set(name));
    let connection =
        ConnectionSettings { proxies, ca_cert, names_roots, plain_http, time_limit: settings.request_timeout };
    Ok(Transport::Http(Box::new(Http {
        client: net::build(url, &connection).await?,
        base: url.clone(),
        headers: headers::to_map(&settings.headers),
        authorization: settings.key.as_ref().and_then(crate::config::Secret::bearer),
        proxy: settings.proxies.address_for(url),
        time_limit: settings.request_timeout,
    })))
}

/// Starts the engine on this machine's database; in memory, with a notice, if no data folder can be written.
async fn start_engine(ctx: &Ctx, execute: bool) -> Result<Running, Failure> {
    let Some(file) = dirs::local_database(&ctx.env) else {
        return in_memory(ctx, execute, "this platform names no data folder").await;
    };
    let store = Store::File(file.clone());
    match server::start(ServerOptions { providers: ctx.providers()?, ..ServerOptions::new(store, execute) }).await {
        Ok(engine) => Ok(engine),
        Err(StartError::NotWritable(why)) => in_memory(ctx, execute, &messages(&why).join(": ")).await,
        Err(error) => Err(engine_failure(&error)),
    }
}

async fn in_memory(ctx: &Ctx, execute: bool, why: &str) -> Result<Running, Failure> {
    let page =
        Page::new().say("the local engine keeps nothing: no data folder can be written (").show_line(why).say(")");
    ctx.io.notice(&page.end());
    let options = ServerOptions { providers: ctx.providers()?, ..ServerOptions::new(Store::Memory, execute) };
    server::start(options).await.map_err(|error| engine_failure(&error))
}

/// Returns the failure of an engine that stopped, and names a run that it did not finish.
pub fn cannot_go_on(error: &EngineError, run: Option<&RunId>) -> Failure {
    let failure = Failure::new(Exit::Local, "engine", "the local engine cannot go on").cause(error);
    match run {
        Some(run) => {
            failure.run(run).hint(format!("make room on the disk, then go on with `agentctl watch {run} --local`"))
        }
        None => failure.hint("make room on the disk, then try again"),
    }
}

/// Returns the failure of an engine that did not start.
pub fn engine_failure(error: &StartError) -> Failure {
    let mut failure = Failure::new(Exit::Local, "database", error.to_string());
    failure.causes = messages(error).split_off(1);
    let untouched = if matches!(error, StartError::Unusable(_)) {
        "the file was not touched; move it away together with its -wal and -shm files, or "
    } else {
        ""
    };
    failure.hint(format!("{untouched}name another folder with AGENTCTL_DATA_DIR"))
}

/// Returns the messages of an error and its causes.
pub fn messages(error: &(dyn std::error::Error + 'static)) -> Vec<String> {
    report::chain(error).map(ToString::to_string).collect()
}

/// Prints notices about retries and lost messages, and with `-v` each request.
fn listener(ctx: &Ctx, command_suffix: String) -> Listener {
    let verbose = ctx.global.verbose;
    let quiet = ctx.io.quiet;
    let voice = ctx.io.voice();
    Rc::new(move |event| match event {
        ClientEvent::Retrying { server, cause } if !quiet => {
            voice(&Page::new().show_line(server).say(": ").show_line(&cause).say("; trying again").end());
        }
        ClientEvent::Lost { server, agent, cause } if !quiet => {
            let page = Page::new().say("it is unknown whether ").show_line(server).say(" accepted the message (");
            let page = page.show_line(&cause).say("); looking for its run for up to a minute").end();
            let check = list_command(agent, &command_suffix);
            voice(&page.say("  check: ").show_line(&check).end());
        }
        ClientEvent::Found { id } if !quiet => {
            let page = Page::new().say("recovered: the message was accepted, its run is ");
            voice(&page.show(id.as_str()).end());
        }
        ClientEvent::Exchange { request, result, took } if verbose > 0 => {
            let page = Page::new().show_line(&request).say(" -> ").show_line(&result).say(" in ");
            voice(&page.show(&duration::format(took)).end());
        }
        ClientEvent::Body { sent, text } if verbose > 1 => {
            voice(&Page::new().say(if sent { "> " } else { "< " }).show_line(text).end());
        }
        _ => {}
    })
}
