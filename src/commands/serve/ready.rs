//! Announces that the server is ready: the ready file, and commands for a shell.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use url::Url;

use crate::config::{Secret, atomic_write};
use crate::exit::Exit;
use crate::report::Failure;
use crate::server::HostName;
use crate::text::shell;

/// The file with the base URL. It is removed on drop.
#[derive(Debug)]
pub struct ReadyFile(PathBuf);

impl ReadyFile {
    /// Removes the file of a killed server, so that it is not mistaken for this server's.
    pub fn forget(path: &Path) -> Result<(), Failure> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(cannot_write(path, error)),
            _ => Ok(()),
        }
    }

    /// Writes the base URL, atomically.
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

/// Returns the base URL: the address on this machine, otherwise the first allowed host name.
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
        Failure::usage(format!("--allow-host: {host} is not a host name"))
            .hint("give it as clients do, such as box.example.org")
    })
}

/// Returns the base URL without a slash at its end.
pub fn text(base: &Url) -> &str {
    base.as_str().trim_end_matches('/')
}

/// Returns shell commands that set the environment. Without a key, one for another server must not be sent here.
pub fn environment(base: &Url, key: Option<&Secret>) -> String {
    let base = shell::quote(text(base));
    match key {
        Some(key) => format!("export LETTA_BASE_URL={base} LETTA_API_KEY={}", shell::quote(key.expose())),
        None => format!("export LETTA_BASE_URL={base}; unset LETTA_API_KEY"),
    }
}
