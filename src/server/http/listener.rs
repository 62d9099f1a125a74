//! A port: accepts connections and hands their requests to a router, within limits of time and number.

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

use super::write_timeout::Unstalled;

/// How many connections are served at once; further ones wait in the system's queue.
const MOST_CONNECTIONS: usize = 1024;
/// How many may wait in the system's queue, if it lets them: one that finds it full may wait for seconds, or lose what it
/// has sent.
const MOST_WAITING: u32 = 4096;
/// How long a client may take for the head of a request, and how long a connection may be idle between two.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// How long a client may take nothing of an answer that is there for it. Its connection is others' then.
const TAKING: Duration = Duration::from_secs(30);
/// How much of a request's head is kept; a larger one is refused.
const HEAD_ROOM: usize = 64 << 10;
/// How long requests that were sent before the end may be on their way. A connection is closed without looking for more.
const ARRIVAL: Duration = Duration::from_millis(50);
/// How long to wait when no connection can be had, as when all file descriptors are in use.
const BREATH: Duration = Duration::from_millis(100);

/// A port that nobody serves yet. Connections wait.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Takes a port; 0 is a free one.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // As usual: what is left of connections to a server before this one is not in the way.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let socket = socket.listen(MOST_WAITING)?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// The address, with the port that was chosen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is done. From then on connections are refused; those that are open may finish their request.
    pub async fn serve(self, router: Router, stop: impl Future<Output = ()>) {
        let (open, slots) = (GracefulShutdown::new(), Arc::new(Semaphore::new(MOST_CONNECTIONS)));
        tokio::pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                (stream, slot) = accept(&self.socket, &slots) => begin(stream, slot, router.clone(), &open),
            }
        }
        drain(self.socket, |stream| begin(stream, None, router.clone(), &open));
        drop(router);
        sleep(ARRIVAL).await;
        open.shutdown().await;
    }
}

/// Stops listening. Whoever was connected by the system already is served, too: to them this server is there.
fn drain(socket: TcpListener, begin: impl Fn(TcpStream)) {
    // Without the runtime, which learns of a connection later than it is there.
    let Ok(socket) = socket.into_std() else { return };
    while let Ok((stream, _)) = socket.accept() {
        let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
        stream.into_iter().for_each(&begin);
    }
}

/// The next connection and its place among those that are served.
async fn accept(socket: &TcpListener, slots: &Arc<Semaphore>) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed.
    let slot = Arc::clone(slots).acquire_owned().await.ok();
    loop {
        match socket.accept().await {
            Ok((stream, _)) => return (stream, slot),
            // The client was faster to leave.
            Err(error) if is_the_clients(&error) => {}
            Err(_) => sleep(BREATH).await,
        }
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn begin(stream: TcpStream, slot: Option<OwnedSemaphorePermit>, router: Router, open: &GracefulShutdown) {
    // Answers are small and awaited: better late by nothing than in fewer packets.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(HEAD_ROOM)
        .serve_connection(TokioIo::new(Unstalled::new(stream, TAKING)), TowerToHyperService::new(router));
    let connection = open.watch(connection);
    tokio::spawn(async move {
        // What goes wrong here is the client's business, and it is told by the connection's end.
        let _ = connection.await;
        drop(slot);
    });
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// More than the system keeps for a connection.
    const LONG: usize = 64 << 20;

    #[tokio::test]
    async fn who_does_not_read_an_answer_is_hung_up_on() {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).expect("a port");
        let mut client = TcpStream::connect(listener.address()).await.expect("a connection");
        let router = Router::new().route("/", get(|| async { vec![0; LONG] }));
        tokio::spawn(listener.serve(router, pending()));
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
        assert_ne!(client.read(&mut [0; 100]).await.expect("an answer"), 0);
        tokio::time::pause();
        sleep(TAKING * 2).await;
        let mut rest = Vec::new();
        // Cut off, politely or not.
        let _ = client.read_to_end(&mut rest).await;
        assert!(rest.len() < LONG, "all of it came");
    }
}
