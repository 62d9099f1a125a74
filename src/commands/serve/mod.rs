//! `serve`: the local server on a port, until a signal or the end of a command.

mod args;
mod child;
mod log;
mod ready;
mod start;

pub use args::Args;
pub use start::cannot_bind;

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;
use url::Url;

use super::session::{LOCAL_AGENT, engine_failure};
use super::{Ctx, End};
use crate::config::Secret;
use crate::exit::Exit;
use crate::report::Failure;
use crate::server::Running;
use crate::ui::signals::{Request, Signal, Signals, suspend};
use child::{Child, Ended, Reaper, Surroundings};
use log::{Line, Log};
use ready::ReadyFile;
use start::Server;

/// How long what is under way may take when the server stops.
const DRAIN: Duration = Duration::from_secs(10);

/// Carries out `serve`.
pub fn run(ctx: &Ctx, args: Args) -> anyhow::Result<End> {
    check(&args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let end = runtime.block_on(serve(ctx, &args));
    runtime.shutdown_background();
    end
}

/// Refuses to let everybody in whom the network brings.
fn check(args: &Args) -> Result<(), Failure> {
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
    let mut signals = Signals::catch()?;
    let mut reaper = Reaper::new()?;
    let mut log = Log::new(ctx);
    let server = Server::start(ctx, args, &log).await?;
    let Server { listener, engine, doors, base, key, database, records } = server;
    let (stop, stopped) = oneshot::channel::<()>();
    let router = doors.guard(engine.router());
    let serving = tokio::spawn(listener.serve(router, async { drop(stopped.await) }));
    let (key, database) = (key.as_ref(), database.as_deref());

    let ready_file = args.ready_file.clone().map(|path| ReadyFile::write(path, &base)).transpose()?;
    if args.print_env {
        print_env(ctx, &base, key)?;
    }
    log.print(&Line::Started { base: ready::text(&base), database, keyed: key.is_some() });
    let command = if args.command.is_empty() { None } else { Some(run_command(args, &engine, &base, key).await?) };
    let end = until_the_end(ctx, &mut signals, &mut reaper, &mut log, command.as_ref()).await;

    // From here on nobody finds it any more.
    drop((ready_file, records, stop));
    let end = match end {
        Asked::By(signal) => {
            if signal == Signal::Interrupt {
                ctx.io.fresh_line();
            }
            log.print(&Line::Stopping { signal, at_work: engine.at_work() });
            let open = async { tokio::join!(serving, engine.drain()) };
            match signals.during(timeout(DRAIN, open), suspend).await {
                Ok(_) => Exit::Done.into(),
                Err(signal) => signal.into(),
            }
        }
        Asked::ByTheEndOf(command) => End::passed_on(command.code),
    };
    log.print(&Line::Stopped { at_work: engine.at_work() });
    engine.stop().await;
    Ok(end)
}

/// Prints what a shell needs. Nothing follows, so the shell that reads it need not wait for the server's end.
fn print_env(ctx: &Ctx, base: &Url, key: Option<&Secret>) -> Result<(), Failure> {
    ctx.io.raw(&format!("{}\n", ready::environment(base, key)))?;
    #[cfg(unix)]
    if let Ok(nowhere) = std::fs::OpenOptions::new().write(true).open("/dev/null") {
        // Where that fails, the reader waits.
        let _ = rustix::stdio::dup2_stdout(nowhere);
    }
    Ok(())
}

async fn run_command(args: &Args, engine: &Running, base: &Url, key: Option<&Secret>) -> Result<Child, Failure> {
    let agent = engine.agent_named(LOCAL_AGENT).await.map_err(|error| engine_failure(&error))?;
    child::start(&args.command, &Surroundings { base, key, agent: &agent })
}

/// Why the server is to stop.
enum Asked {
    By(Signal),
    ByTheEndOf(Ended),
}

/// Serves until a signal comes or the command ends, which gets the signals then.
async fn until_the_end(
    ctx: &Ctx,
    signals: &mut Signals,
    reaper: &mut Reaper,
    log: &mut Log<'_>,
    command: Option<&Child>,
) -> Asked {
    loop {
        tokio::select! {
            request = signals.next() => match (request, command) {
                (Request::Suspend, _) => suspend(),
                (Request::End(signal), None) => return Asked::By(signal),
                // A terminal has sent it to the command, too.
                (Request::End(Signal::Interrupt), Some(_)) if ctx.io.terminals.stdin => {}
                (Request::End(signal), Some(command)) => command.forward(signal),
            },
            ended = reaper.next() => if command.is_some_and(|command| command.is(&ended)) {
                return Asked::ByTheEndOf(ended);
            },
            () = log.next() => {}
        }
    }
}
