//! The `agentctl` binary: gives the library its arguments, streams and environment, and ends as it says.

use std::process::ExitCode;

/// The threads of a server free what others have made: see ARCHITECTURE.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    agentctl::config::core_dumps::forbid();
    let end = agentctl::run(std::env::args_os().collect(), agentctl::config::Env::Real, agentctl::ui::Io::standard());
    if let Some(signal) = end.signal() {
        signal.raise();
    }
    ExitCode::from(end.code())
}
