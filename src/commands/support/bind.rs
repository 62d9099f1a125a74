//! Explains why a port cannot be opened.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;

use crate::exit::Exit;
use crate::report::Failure;

/// Returns the failure of a command that cannot listen on an address.
pub fn cannot_bind(address: SocketAddr, error: &Error) -> Failure {
    let hint = match error.kind() {
        ErrorKind::AddrInUse => "another program uses this port: stop it, or use a free port with --bind 127.0.0.1:0",
        ErrorKind::AddrNotAvailable => "this machine does not have this address",
        ErrorKind::PermissionDenied => "only an administrator may use ports below 1024: use a higher one",
        _ => "use another address with --bind",
    };
    Failure::new(Exit::Local, "port", format!("cannot listen on {address}")).cause(error).hint(hint)
}
