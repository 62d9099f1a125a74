//! Accepts connections on a port and serves their requests, limited in number and in time.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

use super::write_timeout::WriteTimeout;

/// The most connections served at once; more wait in the backlog of the socket.
const MAX_CONNECTIONS: usize = 1024;
/// The backlog of the socket; the system may cap it. A connection that finds it full is retried by the client's system
/// after seconds, or reset.
const BACKLOG: u32 = 4096;
/// The time limit for the head of a request, and for an idle connection between two requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may read nothing of a pending response before its connection is closed for others.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// How long a stopping server waits for requests in flight: hyper closes an idle connection without reading it again.
const IN_FLIGHT: Duration = Duration::from_millis(50);
/// The pause after a failed `accept`, as when all file descriptors are in use.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound port. Connections wait in its backlog until it is served.
#[derive(Debug)]
pub struct PortListener {
    socket: TcpListener,
    address: SocketAddr,
}

impl PortListener {
    /// Binds a port; 0 chooses a free one.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // Connections of an earlier server in TIME_WAIT must not keep the port.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let socket = socket.listen(BACKLOG)?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// The bound address, with the chosen port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` resolves. New connections are refused from then on; open ones finish their request.
    pub async fn serve(self, router: Router, stop: impl Future<Output = ()>) {
        let open = GracefulShutdown::new();
        let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        tokio::pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                (stream, permit) = accept(&self.socket, &permits) => spawn(stream, permit, router.clone(), &open),
            }
        }
        drain(self.socket, |stream| spawn(stream, None, router.clone(), &open));
        drop(router);
        sleep(IN_FLIGHT).await;
        open.shutdown().await;
    }
}

/// Closes the socket, and serves the connections left in its backlog: their clients are connected already.
fn drain(socket: TcpListener, serve: impl Fn(TcpStream)) {
    // Polled directly: the runtime learns of a connection later.
    let Ok(socket) = socket.into_std() else { return };
    while let Ok((stream, _)) = socket.accept() {
        let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
        stream.into_iter().for_each(&serve);
    }
}

/// Accepts a connection once there is a permit for it.
async fn accept(socket: &TcpListener, permits: &Arc<Semaphore>) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed.
    let permit = Arc::clone(permits).acquire_owned().await.ok();
    loop {
        match socket.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) if closed_by_client(&error) => {}
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Whether the client closed the connection before it was accepted.
fn closed_by_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Serves a connection in its own task.
fn spawn(stream: TcpStream, permit: Option<OwnedSemaphorePermit>, router: Router, open: &GracefulShutdown) {
    // Responses are small and awaited: latency matters more than the number of packets.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(WriteTimeout::new(stream, WRITE_TIMEOUT)), TowerToHyperService::new(router));
    let connection = open.watch(connection);
    tokio::spawn(async move {
        // An error of the connection is the client's, which notices it by the close.
        let _ = connection.await;
        drop(permit);
    });
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// More than the buffers of a connection hold, in bytes.
    const RESPONSE_BYTES: usize = 64 << 20;

    #[tokio::test]
    async fn a_client_that_does_not_read_its_response_is_disconnected() {
        let listener = PortListener::bind(([127, 0, 0, 1], 0).into()).expect("a port");
        let mut client = TcpStream::connect(listener.address()).await.expect("a connection");
        let router = Router::new().route("/", get(|| async { vec![0; RESPONSE_BYTES] }));
        tokio::spawn(listener.serve(router, pending()));
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
        assert_ne!(client.read(&mut [0; 100]).await.expect("a response"), 0);
        tokio::time::pause();
        sleep(WRITE_TIMEOUT * 2).await;
        let mut rest = Vec::new();
        // Either the end of the stream or a reset.
        let _ = client.read_to_end(&mut rest).await;
        assert!(rest.len() < RESPONSE_BYTES, "the whole response arrived");
    }
}
