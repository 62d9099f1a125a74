//! The receiver's port: who may keep it busy, how long, and with how much.

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

/// How many connections are open at once. One more ends the oldest: whoever sends a callback is done in a moment.
const MOST_CONNECTIONS: usize = 256;
/// How many bodies are read at once, so that their size is bounded together, too.
const MOST_BODIES: usize = 4;
/// How long a connection may take in all.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of a request's head is kept.
const HEAD_ROOM: usize = 64 << 10;
/// How long to wait when no connection can be had, as when all file descriptors are in use.
const BREATH: Duration = Duration::from_millis(100);

/// A port that was taken and is not served yet. Callbacks wait.
#[derive(Debug)]
pub struct Bound {
    socket: StdListener,
    token: String,
    url: String,
}

/// A receiver at work, until it is dropped.
#[derive(Debug)]
pub struct Receiver {
    /// The runs that callbacks are about, as they come. Nothing about them is proven.
    pub hints: UnboundedReceiver<RunId>,
    accepting: Accepting,
}

/// Keeps a receiver at work, until it is dropped.
#[derive(Debug)]
pub struct Accepting(JoinHandle<()>);

struct Shared {
    token: String,
    hints: UnboundedSender<RunId>,
    bodies: Semaphore,
}

impl Bound {
    /// Takes a port; 0 is a free one. `public` is where others reach it, if not at its own address.
    pub fn new(address: SocketAddr, public: Option<&Url>) -> io::Result<Self> {
        let socket = StdListener::bind(address)?;
        socket.set_nonblocking(true)?;
        // Twice 122 random bits.
        let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let base = match public {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{}", socket.local_addr()?),
        };
        Ok(Self { socket, url: format!("{base}/{token}"), token })
    }

    /// The callback URL. It is the secret: whoever knows it can send hints.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Begins to receive. Needs a runtime.
    pub fn start(self) -> io::Result<Receiver> {
        let socket = TcpListener::from_std(self.socket)?;
        let (sender, hints) = unbounded_channel();
        let shared = Shared { token: self.token, hints: sender, bodies: Semaphore::new(MOST_BODIES) };
        Ok(Receiver { hints, accepting: Accepting(tokio::spawn(accept(socket, Arc::new(shared)))) })
    }
}

impl Receiver {
    /// The hints, and what keeps them coming.
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
                if open.len() >= MOST_CONNECTIONS {
                    open.pop_front().inspect(AbortHandle::abort);
                }
                open.push_back(tokio::spawn(serve(stream, Arc::clone(&shared))).abort_handle());
            }
            Err(_) => sleep(BREATH).await,
        }
    }
}

/// Serves one request. What goes wrong is the client's business, and told by the connection's end.
async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let answer = service_fn(|request| answer(request, Arc::clone(&shared)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .max_buf_size(HEAD_ROOM)
        .serve_connection(TokioIo::new(stream), answer);
    let _ = timeout(PATIENCE, connection).await;
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
    let _slot = shared.bodies.acquire().await;
    let body = to_bytes(Body::new(request.into_body()), request::BODY_CAP).await;
    // A body of unknown length that does not end in time, or is too large, is refused alike.
    let run = request::hint(&body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?)?;
    // Nobody listens any more only when the command ends.
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

    /// Posts a body, and returns the status of the answer; none where there is no answer.
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
        // An answer that is followed by a reset was read all the same.
        let _ = stream.read_to_string(&mut answer).await;
        answer.split(' ').nth(1)?.parse().ok()
    }

    #[tokio::test]
    async fn ten_thousand_forged_posts_give_no_hint_and_a_good_one_among_them_does() {
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
    async fn a_flood_of_silent_connections_does_not_keep_a_callback_out() {
        let (mut receiver, url) = receiver();
        let mut silent = Vec::new();
        for _ in 0..2 * MOST_CONNECTIONS {
            silent.push(connect(&url).await);
        }
        assert_eq!(post(&url, url.path(), r#"{"run_id":"run-87654321"}"#).await, Some(204));
        assert!(receiver.hints.recv().await.is_some());
        // The oldest were ended.
        assert_eq!(status(&mut silent[0]).await, None);
    }

    #[tokio::test]
    async fn what_is_too_large_is_refused_whether_it_says_so_or_not() {
        let (mut receiver, url) = receiver();
        let mut stream = connect(&url).await;
        let head = format!("POST {} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n", url.path());
        let announced = format!("{head}content-length: {}\r\n\r\n", request::BODY_CAP + 1);
        stream.write_all(announced.as_bytes()).await.expect("a connection");
        assert_eq!(status(&mut stream).await, Some(413));

        let mut stream = connect(&url).await;
        stream.write_all(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes()).await.expect("a connection");
        let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "x".repeat(1 << 20));
        for _ in 0..17 {
            // It may be refused before all of it is sent.
            let _ = stream.write_all(chunk.as_bytes()).await;
        }
        assert!(matches!(status(&mut stream).await, Some(413) | None));
        assert!(receiver.hints.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_slow_is_cut_off() {
        let (_receiver, url) = receiver();
        for begun in ["", "POST / HTTP/1.1\r\nhost: x\r\n", "body"] {
            let head = format!(
                "POST {} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{{",
                url.path()
            );
            let begun = if begun == "body" { &head } else { begun };
            let (mut stream, began) = (connect(&url).await, tokio::time::Instant::now());
            stream.write_all(begun.as_bytes()).await.expect("a connection");
            assert_eq!(status(&mut stream).await, None);
            assert!(began.elapsed() >= PATIENCE && began.elapsed() < 2 * PATIENCE, "{:?}", began.elapsed());
        }
    }

    #[test]
    fn the_url_is_not_to_be_guessed_and_may_be_elsewhere() {
        let bound = |public: Option<&str>| {
            let public = public.map(|url| Url::parse(url).expect("a URL"));
            Bound::new(([127, 0, 0, 1], 0).into(), public.as_ref()).expect("a free port")
        };
        let (one, two) = (bound(None), bound(Some("https://hooks.example.org/in/")));
        assert!(one.url().starts_with("http://127.0.0.1:") && one.token.len() == 64, "{}", one.url());
        assert_eq!(two.url(), format!("https://hooks.example.org/in/{}", two.token));
        assert_ne!(one.token, two.token);
    }
}
