//! A file per verb: its arguments, which are its help, and the function that carries it out.

pub mod agents;
pub mod api;
pub mod approve;
pub mod cancel;
pub mod complete;
pub mod completions;
pub mod config;
pub mod deny;
pub mod doctor;
pub mod help;
pub mod list;
pub mod listen;
pub mod login;
pub mod logout;
pub mod man;
pub mod messages;
pub mod schema;
pub mod send;
pub mod serve;
pub mod status;
pub mod support;
pub mod watch;

pub use support::ctx::Ctx;
pub use support::end::End;

use crate::cli::{Command, WELCOME};
use crate::report::Failure;

/// Carries out a command. Commands that need no server start no runtime.
pub fn dispatch(ctx: &Ctx, command: Option<Command>) -> anyhow::Result<End> {
    match command {
        None => welcome(ctx),
        Some(Command::Completions(args)) => completions::run(ctx, &args),
        Some(Command::Login(args)) => on_runtime(login::run(ctx, args)),
        Some(Command::Logout(args)) => logout::run(ctx, &args),
        Some(Command::Config(args)) => config::run(ctx, &args),
        Some(Command::Man(args)) => man::run(ctx, &args),
        Some(Command::Help(args)) => help::run(ctx, args),
        Some(Command::Schema(args)) => schema::run(ctx, &args),
        Some(Command::Send(args)) => send::run(ctx, *args),
        Some(Command::Approve(args)) => approve::run(ctx, &args),
        Some(Command::Deny(args)) => deny::run(ctx, &args),
        Some(Command::Status(args)) => on_runtime(status::run(ctx, args)),
        Some(Command::Listen(args)) => on_runtime(listen::run(ctx, args)),
        Some(Command::List(args)) => on_runtime(list::run(ctx, args)),
        Some(Command::Watch(args)) => on_runtime(watch::run(ctx, args)),
        Some(Command::Cancel(args)) => on_runtime(cancel::run(ctx, args)),
        Some(Command::Messages(args)) => on_runtime(messages::run(ctx, args)),
        Some(Command::Agents(args)) => on_runtime(agents::run(ctx, args)),
        Some(Command::Api(args)) => api::run(ctx, args),
        Some(Command::Doctor(doctor::Args {})) => on_runtime(doctor::run(ctx)),
        Some(Command::Serve(args)) => serve::run(ctx, args),
    }
}

fn welcome(ctx: &Ctx) -> anyhow::Result<End> {
    if ctx.io.terminals.stdout {
        ctx.io.raw(WELCOME)?;
        return Ok(crate::exit::Exit::Done.into());
    }
    Err(Failure::usage("no command was given").hint("see `agentctl --help`").into())
}

/// Runs a command on a runtime of one thread. What still blocks in the background does not delay the end.
pub fn on_runtime<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}
