//! Starts a server: its database, its port, its key, and its entries in the registry.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use url::Url;

use super::Args;
use super::log::{Log, LogLine};
use super::ready::{self, ReadyFile};
use crate::commands::Ctx;
use crate::commands::support::bind::cannot_bind;
use crate::commands::support::session::{engine_failure, messages};
use crate::config::server_key;
use crate::config::server_registry::{Registration, RegistrationError};
use crate::config::{Secret, dirs};
use crate::db::DbError;
use crate::exit::Exit;
use crate::report::Failure;
use crate::server::access::{AccessRules, ApiKey, Hosts};
use crate::server::callback_target::CallbackAllowList;
use crate::server::listener::PortListener;
use crate::server::{self, Adopt, Behaviour, Running, ServerOptions, StartError, Store};

/// A started server.
pub struct Server {
    pub listener: PortListener,
    pub engine: Running,
    pub access: AccessRules,
    pub base: Url,
    pub key: Option<Secret>,
    pub database: Option<PathBuf>,
    /// Its entries in the registry, which last until they are dropped.
    pub records: Vec<Registration>,
}

impl Server {
    /// Starts a server, or says which part failed.
    pub async fn start(ctx: &Ctx, args: &Args, log: &Log<'_>) -> anyhow::Result<Self> {
        let database = database(ctx, args)?;
        // First, so that a second server reports the first one and not just the used port.
        let mut records: Vec<Registration> = database.iter().map(|path| hold(path)).collect::<Result<_, _>>()?;
        let listener = PortListener::bind(args.address()).map_err(|error| cannot_bind(args.address(), &error))?;
        // This server holds the port, so an existing ready file is from a server that was killed.
        args.ready_file.as_deref().map_or(Ok(()), ReadyFile::forget)?;
        let address = listener.address();
        let base = ready::base_url(address, &args.allow_host)?;
        database.as_deref().map_or(Ok(()), examine)?;
        let engine = server::start(options(ctx, args, database.clone(), address.port())?)
            .await
            .map_err(|error| cannot_start(&error))?;
        let key = if args.no_auth { None } else { Some(key(database.as_deref())?) };
        if let Some(record) = records.first_mut() {
            record.write(&base, None).map_err(|error| cannot_record(&error))?;
        }
        match record_port(ctx, address, &base, key.as_ref()) {
            Ok(record) => records.push(record),
            Err(error) => log.print(&LogLine::Unlisted(&error.to_string())),
        }
        let access = AccessRules {
            hosts: Hosts::new(address.port(), &args.allow_host),
            key: key.as_ref().map(|key| ApiKey::new(key.expose())),
            idempotency_supported: !args.quirks,
            memory: engine.memory(),
            observer: Arc::new(log.observer()),
        };
        Ok(Self { listener, engine, access, base, key, database, records })
    }
}

fn options(ctx: &Ctx, args: &Args, database: Option<PathBuf>, port: u16) -> Result<ServerOptions, Failure> {
    let behaviour = if args.quirks { Behaviour::Quirky } else { Behaviour::Documented };
    let store = database.map_or(Store::Memory, Store::File);
    let providers = ctx.providers()?;
    let targets = CallbackAllowList::new(Some(port), &args.allow_callback);
    Ok(ServerOptions { behaviour, providers, targets, adopt: Adopt::Everything, ..ServerOptions::new(store, true) })
}

/// Returns the database file, or `None` for a database in memory.
fn database(ctx: &Ctx, args: &Args) -> Result<Option<PathBuf>, Failure> {
    let fresh = args.in_memory || !args.command.is_empty();
    match &args.db {
        Some(file) if file.is_dir() => {
            let failure = Failure::new(Exit::Local, "database", format!("{} is a folder", file.display()));
            Err(failure.hint("name a file in it with --db"))
        }
        Some(file) => Ok(Some(file.clone())),
        None if fresh => Ok(None),
        None => dirs::local_database(&ctx.env).map(Some).ok_or_else(|| {
            let failure = Failure::new(Exit::Local, "database", "this platform names no data folder");
            failure.hint("name a file with --db, or keep nothing with --in-memory")
        }),
    }
}

/// The largest file that is checked as a whole before serving: that takes a second per gigabyte.
const MOST_EXAMINED: u64 = 64 << 20;

/// Refuses a database with damage that opening it does not notice.
fn examine(database: &Path) -> Result<(), Failure> {
    if std::fs::metadata(database).map_or(0, |file| file.len()) > MOST_EXAMINED {
        return Ok(());
    }
    match server::check_database(database) {
        Err(error @ DbError::Corrupt { .. }) => Err(cannot_start(&error.into())),
        // Other errors are reported when the file is opened.
        _ => Ok(()),
    }
}

fn cannot_start(error: &StartError) -> Failure {
    let failure = engine_failure(error);
    match error {
        StartError::Unusable(_) => {
            failure.hint("the file was not touched; move it away together with its -wal and -shm files, or name another one with --db")
        }
        _ => failure.hint("name another file with --db, or keep nothing with --in-memory"),
    }
}

fn hold(database: &Path) -> Result<Registration, Failure> {
    let shown = database.display();
    Registration::for_database(database).map_err(|error| match error {
        RegistrationError::Held(address) => {
            let at = address.map_or_else(|| "that is just starting".to_owned(), |address| format!("at {address}"));
            let failure = Failure::new(Exit::Local, "database", format!("{shown} is served already by a server {at}"));
            failure.hint("use that one, stop it, or name another file with --db")
        }
        RegistrationError::Failed(error) => {
            Failure::new(Exit::Local, "database", format!("cannot write beside {shown}"))
                .cause(error)
                .hint("name another file with --db, or keep nothing with --in-memory")
        }
    })
}

/// The hint for a folder that cannot be written.
const OTHER_FOLDER: &str = "AGENTCTL_DATA_DIR and --db name other places";

/// Returns the key that is kept beside the database; a new one for a database in memory.
fn key(database: Option<&Path>) -> Result<Secret, Failure> {
    let Some(database) = database else { return Ok(server_key::generate()) };
    server_key::load_or_create(database).map_err(|error| {
        Failure::new(Exit::Local, "key", "cannot keep the server's key").cause(error).hint(OTHER_FOLDER)
    })
}

fn record_port(
    ctx: &Ctx,
    address: SocketAddr,
    base: &Url,
    key: Option<&Secret>,
) -> Result<Registration, RegistrationError> {
    let mut record = Registration::for_port(&ctx.env, address.port())?;
    record.write(base, key)?;
    Ok(record)
}

fn cannot_record(error: &std::io::Error) -> Failure {
    let failure = Failure::new(Exit::Local, "record", "cannot write the server's registry entry");
    failure.cause(messages(error).join(": ")).hint(OTHER_FOLDER)
}
