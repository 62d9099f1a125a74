//! The `agentctl` binary: passes arguments, environment and streams to the library, and exits with its result.

use std::process::ExitCode;

use agentctl::config::Env;

/// Threads of the server free memory that others allocated: see ARCHITECTURE.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    agentctl::config::core_dumps::forbid();
    let env = Env::new(std::env::vars_os());
    let end = agentctl::run(std::env::args_os().collect(), env, agentctl::ui::Io::standard());
    if let Some(signal) = end.signal() {
        signal.raise();
    }
    ExitCode::from(end.code())
}
