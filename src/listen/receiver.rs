//! The port of the receiver, with limits on connections, sizes and durations.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::{Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{sleep, timeout};
use url::Url;
use uuid::Uuid;

use super::request;
use crate::model::RunId;

/// The most open connections. One more closes the oldest, since sending a callback takes only a moment.
const MAX_CONNECTIONS: usize = 256;
/// The most bodies read at once, which bounds their total size.
const MAX_BODIES: usize = 4;
/// The time limit of a connection.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// The pause after a failed `accept`, as when all file descriptors are in use.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound port. Callbacks wait in its backlog until [`Bound::start`].
#[derive(Debug)]
pub struct Bound {
    socket: StdListener,
    token: String,
    url: String,
}

/// A running receiver. Dropping it stops it.
#[derive(Debug)]
pub struct Receiver {
    /// The run ids of callbacks, unverified, as they arrive.
    pub hints: UnboundedReceiver<RunId>,
    accepting: Accepting,
}

/// The accepting task of a receiver. Dropping it stops the receiver.
#[derive(Debug)]
pub struct Accepting(JoinHandle<()>);

struct Shared {
    token: String,
    hints: UnboundedSender<RunId>,
    bodies: Semaphore,
}

impl Bound {
    /// Binds a port; 0 chooses a free one. `public` is the URL under which senders reach it, if not its own address.
    pub fn new(address: SocketAddr, public: Option<&Url>) -> io::Result<Self> {
        let socket = StdListener::bind(address)?;
        socket.set_nonblocking(true)?;
        // 244 random bits.
        let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let base = match public {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{}", socket.local_addr()?),
        };
        Ok(Self { socket, url: format!("{base}/{token}"), token })
    }

    /// The callback URL. It is secret: it authorizes sending hints.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Starts receiving. Needs a tokio runtime.
    pub fn start(self) -> io::Result<Receiver> {
        let socket = TcpListener::from_std(self.socket)?;
        let (sender, hints) = unbounded_channel();
        let shared = Shared { token: self.token, hints: sender, bodies: Semaphore::new(MAX_BODIES) };
        Ok(Receiver { hints, accepting: Accepting(tokio::spawn(accept(socket, Arc::new(shared)))) })
    }
}

impl Receiver {
    /// Splits the hints from the accepting task.
    pub fn split(self) -> (UnboundedReceiver<RunId>, Accepting) {
        (self.hints, self.accepting)
    }
}

impl Drop for Accepting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn accept(socket: TcpListener, shared: Arc<Shared>) {
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        match socket.accept().await {
            Ok((stream, _)) => {
                open.retain(|connection| !connection.is_finished());
                if open.len() >= MAX_CONNECTIONS {
                    open.pop_front().inspect(AbortHandle::abort);
                }
                open.push_back(tokio::spawn(serve(stream, Arc::clone(&shared))).abort_handle());
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Serves one request. An error of the connection is the sender's, which notices it by the close.
async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let answer = service_fn(|request| answer(request, Arc::clone(&shared)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), answer);
    let _ = timeout(CONNECTION_TIMEOUT, connection).await;
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Body>, Infallible> {
    let status = match receive(request, &shared).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(status) => status,
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST"));
    }
    Ok(response)
}

async fn receive(request: Request<Incoming>, shared: &Shared) -> Result<(), StatusCode> {
    request::admit(request.method(), request.uri(), request.headers(), &shared.token)?;
    let _permit = shared.bodies.acquire().await;
    let body = to_bytes(Body::new(request.into_body()), request::MAX_BODY_BYTES).await;
    // `admit` refused an announced length that is too large. Reading fails if another body is too large, or if one breaks off.
    let run = request::hint(&body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?)?;
    // Fails only while the command ends.
    let _ = shared.hints.send(run);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    fn receiver() -> (Receiver, Url) {
        let bound = Bound::new(([127, 0, 0, 1], 0).into(), None).expect("a free port");
        let url = bound.url().parse().expect("a URL");
        (bound.start().expect("a receiver"), url)
    }

    async fn connect(url: &Url) -> TcpStream {
        let address = url.socket_addrs(|| None).expect("an address")[0];
        TcpStream::connect(address).await.expect("a connection")
    }

    /// Posts a body and returns the status of the response, if there is one.
    async fn post(url: &Url, path: &str, body: &str) -> Option<u16> {
        let mut stream = connect(url).await;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await.ok()?;
        status(&mut stream).await
    }

    async fn status(stream: &mut TcpStream) -> Option<u16> {
        let mut answer = String::new();
        // A reset after the response is ignored.
        let _ = stream.read_to_string(&mut answer).await;
        answer.split(' ').nth(1)?.parse().ok()
    }

    #[tokio::test]
    async fn ten_thousand_forged_callbacks_give_no_hint_and_a_genuine_one_among_them_does() {
        let (mut receiver, url) = receiver();
        for number in 0..10_000 {
            let path = format!("/{number:064x}");
            assert_eq!(post(&url, &path, r#"{"run_id":"run-12345678"}"#).await, Some(404));
            if number == 5000 {
                assert_eq!(post(&url, url.path(), r#"{"run_id":"run-87654321"}"#).await, Some(204));
            }
        }
        assert_eq!(receiver.hints.recv().await.map(|id| id.to_string()).as_deref(), Some("run-87654321"));
        assert!(receiver.hints.try_recv().is_err());
    }

    #[tokio::test]
    async fn silent_connections_do_not_block_a_callback() {
        let (mut receiver, url) = receiver();
        let mut silent = Vec::new();
        for _ in 0..2 * MAX_CONNECTIONS {
            silent.push(connect(&url).await);
        }
        assert_eq!(post(&url, url.path(), r#"{"run_id":"run-87654321"}"#).await, Some(204));
        assert!(receiver.hints.recv().await.is_some());
        // The oldest connection was closed.
        assert_eq!(status(&mut silent[0]).await, None);
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_rejected_with_or_without_its_length() {
        let (mut receiver, url) = receiver();
        let mut stream = connect(&url).await;
        let head = format!("POST {} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n", url.path());
        let announced = format!("{head}content-length: {}\r\n\r\n", request::MAX_BODY_BYTES + 1);
        stream.write_all(announced.as_bytes()).await.expect("a connection");
        assert_eq!(status(&mut stream).await, Some(413));

        let mut stream = connect(&url).await;
        stream.write_all(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes()).await.expect("a connection");
        let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "x".repeat(1 << 20));
        for _ in 0..17 {
            // It may be rejected before all of it is sent.
            let _ = stream.write_all(chunk.as_bytes()).await;
        }
        assert!(matches!(status(&mut stream).await, Some(413) | None));
        assert!(receiver.hints.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_sender_is_disconnected() {
        let (_receiver, url) = receiver();
        for begun in ["", "POST / HTTP/1.1\r\nhost: x\r\n", "body"] {
            let head = format!(
                "POST {} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{{",
                url.path()
            );
            let begun = if begun == "body" { &head } else { begun };
            let mut stream = connect(&url).await;
            let began = tokio::time::Instant::now();
            stream.write_all(begun.as_bytes()).await.expect("a connection");
            assert_eq!(status(&mut stream).await, None);
            assert!(
                began.elapsed() >= CONNECTION_TIMEOUT && began.elapsed() < 2 * CONNECTION_TIMEOUT,
                "{:?}",
                began.elapsed()
            );
        }
    }

    #[test]
    fn the_url_has_a_random_token_and_may_be_public() {
        let bound = |public: Option<&str>| {
            let public = public.map(|url| Url::parse(url).expect("a URL"));
            Bound::new(([127, 0, 0, 1], 0).into(), public.as_ref()).expect("a free port")
        };
        let one = bound(None);
        let two = bound(Some("https://hooks.example.org/in/"));
        assert!(one.url().starts_with("http://127.0.0.1:") && one.token.len() == 64, "{}", one.url());
        assert_eq!(two.url(), format!("https://hooks.example.org/in/{}", two.token));
        assert_ne!(one.token, two.token);
    }
}
