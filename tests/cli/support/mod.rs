//! Test support: a clean environment, processes with a time limit, and scripted servers.

pub mod callback;
pub mod env;
pub mod letta;
pub mod mock;
pub mod process;
pub mod pty;
pub mod runs;
pub mod seed;
pub mod serve;
pub mod signals;

pub use env::TestEnv;
pub use mock::{Answer, Gate, Mock};
pub use process::Output;
pub use seed::Seed;

/// Runs the program once against a server, in an environment of its own. The line is split at spaces.
pub fn agentctl(server: &Mock, line: &str) -> Output {
    TestEnv::new().agentctl(line.split(' ')).server(&server.url()).run()
}
