//! An HTTP server with scripted answers and faults, which records its requests.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::net::{self, AddressFamily, SocketType};
use serde_json::Value;

/// How long a test waits for a request, or a held answer for its gate.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server on a free port of 127.0.0.1. A request without a route is answered 404.
pub struct Mock {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    routes: Mutex<Vec<Route>>,
    requests: Mutex<Vec<Request>>,
    arrived: Condvar,
    connections: AtomicUsize,
    streams: Mutex<Vec<Weak<TcpStream>>>,
    stopped: AtomicBool,
}

struct Route {
    method: String,
    path: String,
    answers: Vec<Answer>,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Mock {
    pub fn start() -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").expect("a free port"))
    }

    /// Starts on the address of a server that was stopped.
    pub fn start_at(address: SocketAddr) -> Self {
        Self::listen(once_free(|| TcpListener::bind(address)))
    }

    fn listen(listener: TcpListener) -> Self {
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let ours = Arc::clone(&shared);
        let listener = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ours.stopped.load(SeqCst) {
                    return;
                }
                ours.connections.fetch_add(1, SeqCst);
                let stream = Arc::new(stream);
                ours.streams.lock().expect("no panic").push(Arc::downgrade(&stream));
                let shared = Arc::clone(&ours);
                // A client may go away at any moment.
                thread::spawn(move || _ = shared.serve(&stream));
            }
        });
        Self { address, shared, listener: Mutex::new(Some(listener)) }
    }

    /// Starts a server that answers every GET and every POST with this.
    pub fn always(answer: Answer) -> Self {
        let mock = Self::start();
        for method in ["GET", "POST"] {
            mock.on(method, "*", [answer.clone()]);
        }
        mock
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets what a route answers, one after the other; the last answer is repeated. A path that ends in `*` matches
    /// all with that prefix. Setting a route again replaces it.
    pub fn on(&self, method: &str, path: &str, answers: impl IntoIterator<Item = Answer>) -> &Self {
        let answers: Vec<Answer> = answers.into_iter().collect();
        assert!(!answers.is_empty(), "a route needs an answer");
        let mut routes = self.shared.routes.lock().expect("no panic");
        routes.retain(|route| (route.method.as_str(), route.path.as_str()) != (method, path));
        routes.push(Route { method: method.to_owned(), path: path.to_owned(), answers });
        self
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().expect("no panic").clone()
    }

    /// The requests of a method so far.
    pub fn seen(&self, method: &str) -> Vec<Request> {
        self.requests().into_iter().filter(|request| request.method == method).collect()
    }

    /// Waits until `count` requests of a method have arrived.
    pub fn wait_for(&self, method: &str, count: usize) {
        let seen = |requests: &[Request]| requests.iter().filter(|request| request.method == method).count();
        let requests = self.shared.requests.lock().expect("no panic");
        let waits = |requests: &mut Vec<Request>| seen(requests) < count;
        let (requests, _) = self.shared.arrived.wait_timeout_while(requests, PATIENCE, waits).expect("no panic");
        assert!(seen(&requests) >= count, "{count} {method} expected: {requests:#?}");
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(SeqCst)
    }

    /// Closes the port and every connection. From now on connections are refused, since the port stays reserved.
    pub fn stop(&self) {
        self.close();
        reserve(self.address);
    }

    fn close(&self) {
        let Some(listener) = self.listener.lock().expect("no panic").take() else { return };
        self.shared.stopped.store(true, SeqCst);
        // Wakes the listener, which then drops its socket.
        let _ = TcpStream::connect(self.address);
        listener.join().expect("no panic");
        for stream in self.shared.streams.lock().expect("no panic").drain(..).filter_map(|stream| stream.upgrade()) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream);
        while let Some(request) = read(&mut reader)? {
            let answer = self.answer(&request);
            self.requests.lock().expect("no panic").push(request);
            self.arrived.notify_all();
            if !answer.send(stream)? {
                break;
            }
        }
        Ok(())
    }

    fn answer(&self, request: &Request) -> Answer {
        let mut routes = self.routes.lock().expect("no panic");
        let fits = |route: &&mut Route| {
            let prefix = route.path.strip_suffix('*');
            let path = prefix.map_or(route.path == request.path, |prefix| request.path.starts_with(prefix));
            path && route.method == request.method
        };
        match routes.iter_mut().find(fits) {
            Some(route) if route.answers.len() > 1 => route.answers.remove(0),
            Some(route) => route.answers[0].clone(),
            None => Answer::json(404, &serde_json::json!({"detail": "Not Found"})),
        }
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers: Vec<(String, String)> = vec![];
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let header = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!(header("transfer-encoding"), None, "a body of known length is expected");
    let mut body = vec![0; header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Some(Request { method, path: path.to_owned(), query: query.to_owned(), headers, body }))
}

/// The bytes that an answer sends.
#[derive(Clone)]
pub struct Answer {
    what: What,
    gate: Option<Gate>,
    delay: Duration,
}

#[derive(Clone)]
enum What {
    Http { status: u16, headers: Vec<(String, String)>, body: Vec<u8>, cut: Option<usize> },
    Raw(Vec<u8>),
    Close,
    Reset,
}

impl Answer {
    /// A JSON body.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::body(status, "application/json", body.to_string())
    }

    /// A status with a short error body, as the real server sends it.
    pub fn status(status: u16) -> Self {
        Self::json(status, &serde_json::json!({"detail": format!("status {status}")}))
    }

    /// Any body.
    pub fn body(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { what: What::Http { status, headers, body: body.into(), cut: None }, gate: None, delay: Duration::ZERO }
    }

    /// These bytes, whatever they are, and the end of the connection.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { what: What::Raw(bytes.into()), gate: None, delay: Duration::ZERO }
    }

    /// No answer: the connection is closed after the request was read.
    pub fn close() -> Self {
        Self { what: What::Close, gate: None, delay: Duration::ZERO }
    }

    /// No answer: the connection is reset after the request was read.
    pub fn reset() -> Self {
        Self { what: What::Reset, gate: None, delay: Duration::ZERO }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let What::Http { headers, .. } = &mut self.what {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Sends only so many bytes of the body that it announces, then closes.
    pub fn cut(mut self, bytes: usize) -> Self {
        if let What::Http { cut, .. } = &mut self.what {
            *cut = Some(bytes);
        }
        self
    }

    /// Waits for a gate before it is sent.
    pub fn held(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Takes this long.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sends it. True where the connection goes on.
    fn send(self, mut stream: &TcpStream) -> io::Result<bool> {
        thread::sleep(self.delay);
        if let Some(gate) = &self.gate {
            gate.wait();
        }
        match self.what {
            What::Http { status, headers, body, cut } => {
                let mut head = format!("HTTP/1.1 {status} Said So\r\ncontent-length: {}\r\n", body.len());
                for (name, value) in headers {
                    head.push_str(&format!("{name}: {value}\r\n"));
                }
                let sent = &body[..cut.unwrap_or(body.len()).min(body.len())];
                stream.write_all(&[head.as_bytes(), b"\r\n", sent].concat())?;
                Ok(cut.is_none())
            }
            What::Raw(bytes) => stream.write_all(&bytes).map(|()| false),
            What::Close => Ok(false),
            What::Reset => {
                rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO))?;
                Ok(false)
            }
        }
    }
}

/// Holds answers back until it is opened.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn open(&self) {
        *self.0.0.lock().expect("no panic") = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        let shut = self.0.0.lock().expect("no panic");
        // An answer whose gate stays closed is sent in the end, so that its thread ends.
        let _ = self.0.1.wait_timeout_while(shut, PATIENCE, |open| !*open).expect("no panic");
    }
}

/// An address at which nothing listens, now or later.
pub fn refusing() -> String {
    format!("http://{}", reserve("127.0.0.1:0".parse().expect("an address")))
}

/// Reserves a port until this process ends, and refuses connections to it: a socket that is bound and does not listen.
/// A port that is merely free may become that of the next test's server.
fn reserve(address: SocketAddr) -> SocketAddr {
    let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    // The connections of the server that had it may linger, and `start_at` may want it back.
    net::sockopt::set_socket_reuseaddr(&socket, true).expect("an option");
    once_free(|| Ok(net::bind(&socket, &address)?));
    let bound = net::getsockname(&socket).expect("an address").try_into().expect("an internet address");
    std::mem::forget(socket);
    bound
}

/// Binds a port as soon as its last socket is closed. A process that another test starts at this moment holds a copy of
/// every descriptor until it executes its program.
fn once_free<T>(bind: impl Fn() -> io::Result<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match bind() {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < deadline => thread::yield_now(),
            bound => return bound.expect("the port can be bound"),
        }
    }
}
