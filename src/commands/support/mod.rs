//! Helpers that several commands share: arguments, the session with a server, following runs, printing. No command is here.

pub mod approval;
pub mod bind;
pub mod cancelling;
pub mod command_end;
pub mod ctx;
pub mod exec_command;
pub mod follow_args;
pub mod following;
pub mod json_path;
pub mod pre_parse;
pub mod printer;
pub mod receiver;
pub mod run_args;
pub mod runtime;
pub mod session;
pub mod stdin;
pub mod submit;
pub mod usage_error;
