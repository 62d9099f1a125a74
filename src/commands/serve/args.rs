//! The arguments of `serve`.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::server::HostName;

/// Run the local server: the API of agents and runs, on a port of this machine
///
/// The same server answers `--local` inside every command; with `serve` it has a port, so that
/// other programs can use it, and executes runs until it stops. Accepted runs survive a kill, and
/// the next server finishes them. The models are agentctl/echo, which replies
/// with what it was sent, agentctl/script, which does what the message says, and those of any
/// endpoint with OpenAI's API for chat completions: openai/NAME (OPENAI_API_KEY, and
/// OPENAI_BASE_URL for another place), ollama/NAME (OLLAMA_BASE_URL), vllm/NAME (VLLM_BASE_URL).
/// An endpoint is sent the agent's prompt, its memory and the conversation, and no tools.
///
/// A key is made at the first start and kept beside the database, in a file that ends in .key.
/// agentctl finds it by itself; for other programs there is --print-env. SIGTERM and Ctrl-C stop
/// the server: it accepts no more requests, gives the runs ten seconds to finish, and exits 0; the
/// next start continues unfinished ones. A second signal ends it at once.
///
/// With a COMMAND it serves on a free port, with an empty database in memory, while the command runs:
/// LETTA_BASE_URL, LETTA_API_KEY and LETTA_AGENT_ID (an agent named default) are set for the
/// command, and its exit code is passed on, 128 + N if signal N ended it. Signals are passed on to
/// the command; the second one kills it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  agentctl serve
  agentctl serve --in-memory --bind 127.0.0.1:0 --ready-file /tmp/url --print-env
  agentctl serve -- pytest tests/
  eval \"$(agentctl serve --print-env &)\"

Exit codes: 13 if the port or the database is in use, 14 for a --bind that
other machines can reach without a key or without --allow-host.")]
pub struct Args {
    /// The address and port to listen on; port 0 is a free one [default: 127.0.0.1:8283]
    ///
    /// An address that other machines can reach needs a key and --allow-host.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub bind: Option<SocketAddr>,
    /// Use this database file [default: the one that --local uses]
    #[arg(long, value_name = "FILE", conflicts_with = "in_memory")]
    pub db: Option<PathBuf>,
    /// Keep the database in memory: everything is lost when the server stops
    #[arg(long)]
    pub in_memory: bool,
    /// Accept requests without a key
    #[arg(long)]
    pub no_auth: bool,
    /// Imitate the faults of the real server 0.16.8, to test other clients against them
    ///
    /// Runs are `created` until they end and times lack their zone; cursors of runs lead the wrong
    /// way; a cancelled run may still complete; the input is lost if the first step fails; empty
    /// messages are accepted and fail their run; and so on.
    #[arg(long)]
    pub quirks: bool,
    /// Write the base URL into this file when ready, and remove it at the end
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
    /// Print the shell commands that set LETTA_BASE_URL and LETTA_API_KEY, when ready
    #[arg(long, conflicts_with = "command")]
    pub print_env: bool,
    /// Answer to this host name, or NAME:PORT, too (repeatable)
    ///
    /// Requests for any other Host are refused, so that no web page can reach this server by DNS
    /// rebinding.
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<HostName>,
    /// Allow callbacks to this host, or HOST:PORT, too (repeatable) [default: this machine only]
    ///
    /// Other callbacks are refused, so that a message cannot make this server call addresses that
    /// its sender cannot reach. Plain http is allowed only to private addresses.
    #[arg(long, value_name = "HOST")]
    pub allow_callback: Vec<HostName>,
    /// Run a command with this server in its environment, and end with it
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
    /// Whether the command line ends in `--`
    #[arg(skip)]
    pub ends_in_separator: bool,
}

impl Args {
    /// The address to listen on.
    pub fn address(&self) -> SocketAddr {
        let port = if self.command.is_empty() { 8283 } else { 0 };
        self.bind.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, port).into())
    }
}

/// Parses ADDRESS:PORT. Of all names only `localhost` is accepted: others may have several addresses.
fn address(text: &str) -> Result<SocketAddr, String> {
    let literal = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let words = "write an IP address and a port, such as 127.0.0.1:8283 or [::1]:0";
    literal.as_deref().unwrap_or(text).parse().map_err(|_| words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_ip_address_and_a_port() {
        for text in ["127.0.0.1:0", "0.0.0.0:8283", "[::1]:8283", "localhost:8283"] {
            assert!(address(text).is_ok(), "{text}");
        }
        for text in ["", "8283", ":8283", "127.0.0.1", "example.com:80", "localhost", "127.0.0.1:65536", "::1:8283"] {
            // The last one is an address without a port to some and with one to others.
            assert!(address(text).is_err(), "{text}");
        }
    }
}
