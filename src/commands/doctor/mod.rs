//! `doctor`: finds problems that would stop commands. It changes nothing: it sends only requests that read.

mod check;
mod files;
mod network;
mod server;

use url::Url;

use self::check::Check;
use super::support::session::Session;
use super::{Ctx, End};
use crate::config::{Base, Settings, server_registry};
use crate::exit::Exit;
use crate::global::Format;
use crate::report::Failure;

/// Find problems that would stop commands, and how to fix them
///
/// Checks the configuration, the credentials and the data on this machine, then the connection to the
/// server: proxy, name, certificate, version, key, agent, latency, clock. Nothing is changed and no
/// message is sent; every step has a time limit.
///
/// The same is printed on a terminal and in a pipe; -o json gives a document per check, with the
/// keys check, state (ok, warning, failed or skipped), message, fix and exit.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl doctor
  agentctl doctor --base-url https://letta.example.com
  agentctl doctor --jq 'select(.state == \"failed\") | .fix'

Exit codes: 0 nothing failed; else the code with which another command would
fail at the first failed check: 2 settings, 4 key, 9 network, 11 not this
API, 13 local database, 14 certificate or credentials.")]
pub struct Args {}

/// Prints checks as they are made, and keeps the exit of the first that failed.
struct CheckPrinter<'a> {
    ctx: &'a Ctx,
    first: Option<Exit>,
}

impl CheckPrinter<'_> {
    /// Prints a check. Returns whether it failed.
    fn add(&mut self, check: &Check) -> Result<bool, Failure> {
        if self.ctx.format_is_given(Format::Json) || self.ctx.global.jq.is_some() {
            self.ctx.io.document(&check.document())?;
        } else {
            self.ctx.io.page(&check.page(self.ctx.io.style))?;
        }
        if check.is_failed() {
            self.first.get_or_insert(check.exit());
        }
        Ok(check.is_failed())
    }
}

/// Runs `doctor`.
pub async fn run(ctx: &Ctx) -> anyhow::Result<End> {
    let mut report = CheckPrinter { ctx, first: None };
    report.add(&files::config(ctx))?;
    report.add(&files::credentials(ctx))?;
    report.add(&files::data(ctx))?;
    report.add(&files::database(ctx))?;
    report.add(&files::completions(ctx))?;
    match ctx.settings() {
        Err(failure) => _ = report.add(&Check::failed("settings", &failure))?,
        Ok(settings) => match settings.base.clone() {
            Base::Local => _ = report.add(&local(ctx))?,
            Base::Server(url) => check_server(&mut report, settings, &url).await?,
        },
    }
    Ok(report.first.unwrap_or(Exit::Done).into())
}

/// Checks which server answers with `--local`.
fn local(ctx: &Ctx) -> Check {
    match server_registry::find_local(&ctx.env) {
        Some((url, _)) => Check::ok("settings", format!("--local: the server of this machine answers at {url}")),
        None => Check::ok("settings", "--local: the engine of this program answers; it needs no network"),
    }
}

/// Checks the connection to the server, up to the first step that fails.
async fn check_server(report: &mut CheckPrinter<'_>, settings: Settings, url: &Url) -> Result<(), Failure> {
    let server = settings.server_name();
    let provenance = settings.base_provenance.to_string();
    let key =
        settings.key.as_ref().map_or("no key".to_owned(), |_| format!("the key from {}", settings.key_provenance));
    report.add(&Check::ok("settings", format!("{server} (from {provenance}), with {key}")))?;
    let (proxy, is_proxied) = network::proxy(&settings, url);
    if report.add(&proxy)? || (!is_proxied && !reaches(report, url).await?) {
        return Ok(());
    }
    // This fails if the key must not be sent over this connection.
    let session = match Session::open_with(report.ctx, settings.clone()).await {
        Ok(session) => session,
        Err(failure) => return report.add(&Check::failed("tls", &failure)).map(drop),
    };
    let health = server::health(&session).await;
    if report.add(&health.tls(url.scheme()))? || report.add(&health.server())? {
        return Ok(());
    }
    report.add(&health.idempotency())?;
    report.add(&health.clock())?;
    if !report.add(&server::key(&session, &settings).await)? {
        report.add(&server::agent(&session, settings.agent.as_ref()).await)?;
    }
    report.add(&server::latency(&session).await)?;
    Ok(())
}

/// Checks that the server's name resolves to an address that accepts connections.
async fn reaches(report: &mut CheckPrinter<'_>, url: &Url) -> Result<bool, Failure> {
    let (dns, addresses) = network::resolve(url).await;
    Ok(!report.add(&dns)? && !report.add(&network::connect(&addresses).await)?)
}
