//! What the outside learns once the server is ready: the file with its address, and lines for a shell.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use url::Url;

use crate::config::{Secret, atomic_write};
use crate::exit::Exit;
use crate::report::Failure;
use crate::server::HostName;
use crate::text::shell;

/// The file that says that the server is ready. It goes with it.
#[derive(Debug)]
pub struct ReadyFile(PathBuf);

impl ReadyFile {
    /// Removes the file of a server that was killed: whoever waits for this one must not take that for it.
    pub fn forget(path: &Path) -> Result<(), Failure> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(cannot_write(path, error)),
            _ => Ok(()),
        }
    }

    /// Writes the base URL, whole or not at all.
    pub fn write(path: PathBuf, base: &Url) -> Result<Self, Failure> {
        let line = format!("{}\n", text(base));
        match atomic_write::write(&path, &line) {
            Ok(()) => Ok(Self(path)),
            Err(error) => Err(cannot_write(&path, error)),
        }
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        // Best effort: the server ends anyway.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn cannot_write(path: &Path, error: io::Error) -> Failure {
    let message = format!("cannot write the ready file {}", path.display());
    Failure::new(Exit::Local, "ready_file", message).cause(error).hint("name a file in a folder that can be written")
}

/// Where a server is reached: on this machine by its address, elsewhere by the first name that it answers to.
pub fn base_url(address: SocketAddr, allowed: &[HostName]) -> Result<Url, Failure> {
    let port = address.port();
    let here = |ip: IpAddr| SocketAddr::new(ip, port).to_string();
    let host = match (address.ip(), allowed.first()) {
        (IpAddr::V4(Ipv4Addr::UNSPECIFIED), _) => here(Ipv4Addr::LOCALHOST.into()),
        (IpAddr::V6(Ipv6Addr::UNSPECIFIED), _) => here(Ipv6Addr::LOCALHOST.into()),
        (ip, Some(name)) if !ip.is_loopback() => name.with_port(port),
        (ip, _) => here(ip),
    };
    format!("http://{host}").parse().map_err(|_| {
        Failure::usage(format!("--allow-host: {host} is no host name"))
            .hint("give it as clients do, such as box.example.org")
    })
}

/// The base URL as people write it.
pub fn text(base: &Url) -> &str {
    base.as_str().trim_end_matches('/')
}

/// Lines for a shell. A key of another server must not come here.
pub fn environment(base: &Url, key: Option<&Secret>) -> String {
    let base = shell::quote(text(base));
    match key {
        Some(key) => format!("export LETTA_BASE_URL={base} LETTA_API_KEY={}", shell::quote(key.expose())),
        None => format!("export LETTA_BASE_URL={base}; unset LETTA_API_KEY"),
    }
}
