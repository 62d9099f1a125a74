//! `serve`: the local server on a port, until a signal or the end of a command.

mod args;
mod log;
mod ready;

pub use args::Args;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;
use url::Url;

use super::session::{engine_failure, said};
use super::{Ctx, End};
use crate::config::served::{self, Record, RecordError};
use crate::config::{Secret, places};
use crate::exit::Exit;
use crate::report::Failure;
use crate::server::door::{Doors, Hosts, Key};
use crate::server::listen::Listener;
use crate::server::{self, Manners, Options, Running, Store};
use crate::ui::signals::{Request, Signals};
use log::{Line, Log};
use ready::ReadyFile;

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
    let mut log = Log::new(ctx);
    let server = Server::start(ctx, args, &log).await?;
    let Server { listener, engine, doors, base, key, database, records } = server;
    let (stop, stopped) = oneshot::channel::<()>();
    let router = doors.guard(engine.router());
    let mut serving = tokio::spawn(listener.serve(router, async { drop(stopped.await) }));

    let ready_file = args.ready_file.clone().map(|path| ReadyFile::write(path, &base)).transpose()?;
    if args.print_env {
        ctx.io.raw(&format!("{}\n", ready::environment(&base, key.as_ref())))?;
    }
    log.print(&Line::Started { base: ready::text(&base), database: database.as_deref() });
    let signal = loop {
        tokio::select! {
            request = signals.next() => if let Request::End(signal) = request { break signal },
            () = log.next() => {}
        }
    };
    log.print(&Line::Stopping(signal));
    drop((ready_file, records, stop));
    let drained = timeout(DRAIN, &mut serving).await;
    engine.stop().await;
    log.print(&Line::Stopped { drained: drained.is_ok() });
    Ok(Exit::Done.into())
}

/// A server that has all that it needs.
struct Server {
    listener: Listener,
    engine: Running,
    doors: Doors,
    base: Url,
    key: Option<Secret>,
    database: Option<PathBuf>,
    /// Where others find it, as long as they are held.
    records: Vec<Record>,
}

impl Server {
    async fn start(ctx: &Ctx, args: &Args, log: &Log<'_>) -> anyhow::Result<Self> {
        let database = database(ctx, args)?;
        // Taken first, so that of two servers the second one learns about the first rather than about its port.
        let mut records: Vec<Record> = database.iter().map(|path| hold(path)).collect::<Result<_, _>>()?;
        let listener = Listener::bind(args.address()).await.map_err(|error| cannot_bind(args.address(), &error))?;
        let address = listener.address();
        let base = ready::base_url(address, &args.allow_host)?;
        let options = options(args, database.clone());
        let engine = server::start(options).await.map_err(|error| engine_failure(&error))?;
        let key = if args.no_auth { None } else { Some(key(database.as_deref())?) };
        if let Some(record) = records.first_mut() {
            record.write(&base, None).map_err(|error| cannot_record(&error))?;
        }
        match record_port(ctx, address, &base, key.as_ref()) {
            Ok(record) => records.push(record),
            Err(error) => log.print(&Line::Unlisted(&error.to_string())),
        }
        let doors = Doors {
            hosts: Hosts::new(address.port(), &args.allow_host),
            key: key.as_ref().map(|key| Key::new(key.expose())),
            hear: Arc::new(log.ear()),
        };
        Ok(Self { listener, engine, doors, base, key, database, records })
    }
}

fn options(args: &Args, database: Option<PathBuf>) -> Options {
    let manners = if args.quirks { Manners::Quirky } else { Manners::Documented };
    Options { manners, ..Options::new(database.map_or(Store::Memory, Store::File), true) }
}

/// The file to serve from; none is memory.
fn database(ctx: &Ctx, args: &Args) -> Result<Option<PathBuf>, Failure> {
    let fresh = args.in_memory || !args.command.is_empty();
    match &args.db {
        Some(file) => Ok(Some(file.clone())),
        None if fresh => Ok(None),
        None => places::local_database(&ctx.env).map(Some).ok_or_else(|| {
            let failure = Failure::new(Exit::Local, "database", "this platform names no data folder");
            failure.hint("name a file with --db, or keep nothing with --in-memory")
        }),
    }
}

fn hold(database: &Path) -> Result<Record, Failure> {
    let shown = database.display();
    Record::of_database(database).map_err(|error| match error {
        RecordError::Held(address) => {
            let at = address.map_or_else(|| "that is just starting".to_owned(), |address| format!("at {address}"));
            let failure = Failure::new(Exit::Local, "database", format!("{shown} is served already by a server {at}"));
            failure.hint("use that one, stop it, or name another file with --db")
        }
        RecordError::Failed(error) => Failure::new(Exit::Local, "database", format!("cannot write beside {shown}"))
            .cause(error)
            .hint("name another file with --db, or keep nothing with --in-memory"),
    })
}

fn cannot_bind(address: SocketAddr, error: &std::io::Error) -> Failure {
    use std::io::ErrorKind::{AddrInUse, AddrNotAvailable, PermissionDenied};
    let hint = match error.kind() {
        AddrInUse => "another program has this port: stop it, or take a free one with --bind 127.0.0.1:0",
        AddrNotAvailable => "this machine does not have this address",
        PermissionDenied => "ports below 1024 are the administrator's: take another one",
        _ => "take another address with --bind",
    };
    Failure::new(Exit::Local, "port", format!("cannot listen on {address}")).cause(error).hint(hint)
}

/// The key that is kept with the database, or one for as long as the memory lasts.
fn key(database: Option<&Path>) -> Result<Secret, Failure> {
    let Some(database) = database else { return Ok(served::new_key()) };
    served::key_of_database(database)
        .map_err(|error| Failure::new(Exit::Local, "key", "cannot keep the server's key").cause(error))
}

fn record_port(ctx: &Ctx, address: SocketAddr, base: &Url, key: Option<&Secret>) -> Result<Record, RecordError> {
    let mut record = Record::of_port(&ctx.env, address.port())?;
    record.write(base, key)?;
    Ok(record)
}

fn cannot_record(error: &std::io::Error) -> Failure {
    Failure::new(Exit::Local, "record", "cannot write down where the server is").cause(said(error).join(": "))
}
