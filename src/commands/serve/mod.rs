//! `serve`: runs the local server on a port, until a signal or the end of a command.

mod args;
mod child;
mod guard;
mod log;
mod process_signals;
mod ready;
mod start;

pub use args::Args;

use tokio::sync::oneshot;
use url::Url;

use super::support::session::{LOCAL_AGENT, engine_failure};
use super::{Ctx, End};
use crate::config::Secret;
use crate::exit::Exit;
use crate::report::Failure;
use crate::server::Running;
use child::{Child, ChildEnv};
use guard::{Guard, StopCause};
use log::LogLine;
use process_signals::ProcessSignals;
use ready::ReadyFile;
use start::Server;

/// Runs `serve`.
pub fn run(ctx: &Ctx, args: Args) -> anyhow::Result<End> {
    check(&args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let end = runtime.block_on(serve(ctx, &args));
    runtime.shutdown_background();
    end
}

/// Refuses likely mistakes: `--` without a command, as from an empty variable, and a public port without a key or an allow-list of hosts.
fn check(args: &Args) -> Result<(), Failure> {
    if args.command.is_empty() && args.ends_in_separator {
        let failure = Failure::new(Exit::Usage, "usage", "no command follows `--`");
        return Err(
            failure.hint("name one, as in `agentctl serve -- pytest`, or leave out `--` to serve until a signal")
        );
    }
    let address = args.address();
    if address.ip().is_loopback() {
        return Ok(());
    }
    let refuse = |why: &str| Failure::new(Exit::Unsafe, "open_port", format!("refusing to listen on {address} {why}"));
    if args.no_auth {
        return Err(refuse("without a key").hint("leave out --no-auth, or bind to 127.0.0.1"));
    }
    if args.allow_host.is_empty() {
        let hint = "name the host under which it will be reached with --allow-host, or bind to 127.0.0.1";
        return Err(refuse("without --allow-host").hint(hint));
    }
    Ok(())
}

async fn serve(ctx: &Ctx, args: &Args) -> anyhow::Result<End> {
    let mut guard = Guard::begin(ctx)?;
    let Server { listener, engine, access, base, key, database, records } =
        Server::start(ctx, args, &guard.log).await?;
    let (stop, stopped) = oneshot::channel::<()>();
    let router = access.guard(engine.router());
    let serving = tokio::spawn(listener.serve(router, async { drop(stopped.await) }));

    let key = key.as_ref();
    let ready_file = announce(ctx, args, &base, key)?;
    guard.log.print(&LogLine::Started {
        base: ready::text(&base),
        database: database.as_deref(),
        keyed: key.is_some(),
    });
    let mut command = run_command(args, &engine, &base, key).await?;
    let asked = match &mut command {
        Some((command, sent)) => guard.wait_for_command(command, sent).await,
        None => guard.wait_for_signal().await,
    };

    // From here on, clients no longer find the server.
    drop((ready_file, records, stop));
    let end = match asked {
        StopCause::Signal(signal) => guard.drain(signal, &engine, serving).await,
        StopCause::SecondSignal(signal) => signal.into(),
        StopCause::CommandEnded(command) => End::PassedOn(command.code),
    };
    guard.log.print(&LogLine::Stopped { at_work: engine.at_work() });
    engine.stop().await;
    Ok(end)
}

/// Announces that the server is ready, in the ready file and on stdout.
fn announce(ctx: &Ctx, args: &Args, base: &Url, key: Option<&Secret>) -> Result<Option<ReadyFile>, Failure> {
    let file = args.ready_file.clone().map(|path| ReadyFile::write(path, base)).transpose()?;
    if args.print_env {
        print_env(ctx, base, key)?;
    }
    Ok(file)
}

/// Prints the shell commands, and closes stdout, so that a shell that reads it need not wait until the server ends.
fn print_env(ctx: &Ctx, base: &Url, key: Option<&Secret>) -> Result<(), Failure> {
    ctx.io.raw(&format!("{}\n", ready::environment(base, key)))?;
    #[cfg(unix)]
    if let Ok(nowhere) = std::fs::OpenOptions::new().write(true).open("/dev/null") {
        // If this fails, the reader waits until the server ends.
        let _ = rustix::stdio::dup2_stdout(nowhere);
    }
    Ok(())
}

/// Starts the command, if there is one, and listens for signals that have to be passed on to it.
async fn run_command(
    args: &Args,
    engine: &Running,
    base: &Url,
    key: Option<&Secret>,
) -> anyhow::Result<Option<(Child, ProcessSignals)>> {
    if args.command.is_empty() {
        return Ok(None);
    }
    let agent = engine.agent_named(LOCAL_AGENT).await.map_err(|error| engine_failure(&error))?;
    // Before the command starts, so that no signal is missed.
    let sent = ProcessSignals::listen()?;
    Ok(Some((child::start(&args.command, &ChildEnv { base, key, agent: &agent })?, sent)))
}
