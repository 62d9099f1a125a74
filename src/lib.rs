//! agentctl: send messages to agents that work in the background, and follow their runs.
//!
//! The rooms and the arrows between them are described in ARCHITECTURE.md.

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

pub mod api;
pub mod cli;
pub mod commands;
pub mod config;
pub mod core;
pub mod db;
pub mod exit;
pub mod follow;
pub mod global;
pub mod jq;
pub mod listen;
pub mod model;
pub mod net;
pub mod render;
pub mod report;
#[cfg(sabotage)]
pub mod sabotage;
pub mod schema;
pub mod server;
pub mod text;
pub mod ui;

use std::ffi::OsString;
use std::panic::AssertUnwindSafe;

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::commands::support::{pre_parse, usage_error};
use crate::commands::{Ctx, End, completions};
use crate::config::Env;
use crate::exit::Exit;
use crate::report::Failure;
use crate::ui::Io;

/// Runs a command line. A panic is a bug of this program: it is reported, and the exit code is 70.
pub fn run(args: Vec<OsString>, env: Env, io: Io) -> End {
    std::panic::catch_unwind(AssertUnwindSafe(|| carry_out(args, env, io))).unwrap_or(Exit::Bug.into())
}

fn carry_out(args: Vec<OsString>, env: Env, mut io: Io) -> End {
    if completions::answer(Cli::command, &args, &env, &io) {
        return Exit::Done.into();
    }
    // Parse errors obey the output flags too, so the flags are read first.
    pre_parse::apply(&mut io, &args, &env);
    let given = args.clone();
    let cli = match Cli::parse_args(args) {
        Ok(cli) => cli,
        Err(error) => return usage_error::print(&io, &error, Cli::command, &given).into(),
    };
    let ctx = match Ctx::new(cli.global, env, io) {
        Ok(ctx) => ctx,
        Err(refused) => {
            let (io, failure) = *refused;
            io.tell(&failure);
            return failure.exit.into();
        }
    };
    let end = Cli::run(&ctx, cli.command).unwrap_or_else(|error| end_with(&ctx, &report::failure(&error)));
    if ctx.io.filter_failed() { end.or(Exit::Local) } else { end }
}

fn end_with(ctx: &Ctx, failure: &Failure) -> End {
    ctx.report(failure);
    failure.exit.into()
}
