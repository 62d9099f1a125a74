//! A TLS handshake that fails: nothing is sent, nothing is retried, and the exit code reports an untrusted server.
//!
//! If TLS breaks later, the message may have been accepted.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::letta::{AGENT, RUN, run};
use crate::support::{Output, TestEnv};

/// How a server treats TLS clients.
enum Meets {
    With(Arc<ServerConfig>),
    /// The same, until it has read a message; then it writes bytes that are not TLS.
    ThenGarbage(Arc<ServerConfig>),
    /// The same, after it has closed so many connections in the middle of the handshake.
    CutFirst(usize, Arc<ServerConfig>),
    /// It speaks HTTP and no TLS.
    InPlainText,
    /// It answers with the alert of a server that speaks TLS 1.0 and nothing newer.
    OnlyTls10,
}

/// A fatal alert in a TLS 1.0 record: `protocol_version` (RFC 8446, 6.2).
const PROTOCOL_VERSION: [u8; 7] = [21, 3, 1, 0, 2, 2, 70];

/// A server, its connections, and the requests that it read.
struct Server {
    url: String,
    connections: Arc<AtomicUsize>,
    told: Arc<Mutex<String>>,
}

impl Server {
    fn start(meets: Meets) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("https://{}", listener.local_addr().expect("an address"));
        let (connections, told) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<String>>::default());
        let (ours, hears) = (Arc::clone(&connections), Arc::clone(&told));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let earlier = ours.fetch_add(1, SeqCst);
                // The client is expected to close the connection.
                let _ = meet(stream, &meets, earlier, &hears);
            }
        });
        Self { url, connections, told }
    }
}

fn meet(mut stream: TcpStream, meets: &Meets, earlier: usize, told: &Mutex<String>) -> std::io::Result<()> {
    match meets {
        Meets::InPlainText => answer_hello(&mut stream, b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"),
        Meets::OnlyTls10 => answer_hello(&mut stream, &PROTOCOL_VERSION),
        Meets::CutFirst(cuts, _) if earlier < *cuts => answer_hello(&mut stream, &[]),
        Meets::With(config) | Meets::CutFirst(_, config) => {
            let (mut stream, _) = hear(stream, config, told)?;
            let body = run("completed", Some("end_turn")).to_string();
            answer(&mut stream, 200, &body)
        }
        Meets::ThenGarbage(config) => match hear(stream, config, told)? {
            (mut stream, request) if request.starts_with("POST ") => stream.sock.write_all(&[0x99; 64]),
            (mut stream, _) => answer(&mut stream, 404, "{}"),
        },
    }
}

/// Answers the first words of a client with these bytes, and closes the connection.
fn answer_hello(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    let _ = stream.read(&mut [0; 4096])?;
    stream.write_all(bytes)
}

type Secured = StreamOwned<ServerConnection, TcpStream>;

fn answer(stream: &mut Secured, status: u16, body: &str) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status} -\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// Completes the handshake, and reads a request.
fn hear(stream: TcpStream, config: &Arc<ServerConfig>, told: &Mutex<String>) -> std::io::Result<(Secured, String)> {
    let connection = ServerConnection::new(Arc::clone(config)).expect("a connection");
    let mut stream = StreamOwned::new(connection, stream);
    let mut request = [0; 4096];
    let count = stream.read(&mut request)?;
    let request = String::from_utf8_lossy(&request[..count]).into_owned();
    told.lock().expect("no panic").push_str(&request);
    Ok((stream, request))
}

/// The settings of a server with a certificate for a host, and the PEM text of it.
fn certificate(host: &str, expires: i32) -> (Arc<ServerConfig>, String) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec![host.to_owned()]).expect("a host");
    params.not_after = date_time_ymd(expires, 1, 1);
    let certificate = params.self_signed(&key).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = versions.expect("versions").with_no_client_auth().with_single_cert(
        vec![certificate.der().clone()],
        PrivateKeyDer::try_from(key.serialize_der()).expect("a key"),
    );
    (Arc::new(config.expect("a certificate and its key")), certificate.pem())
}

#[test]
fn agt_19_an_untrusted_server_gets_nothing_and_is_asked_once() {
    let (good, trusted) = certificate("127.0.0.1", 2040);
    let (expired, expired_pem) = certificate("127.0.0.1", 2020);
    let (other, other_pem) = certificate("example.com", 2040);
    let (unknown, _) = certificate("127.0.0.1", 2040);
    let cases = [
        ("trusted", Meets::With(good), Some(&trusted), 0),
        ("expired", Meets::With(expired), Some(&expired_pem), 14),
        ("of another host", Meets::With(other), Some(&other_pem), 14),
        ("signed by itself", Meets::With(unknown), None, 14),
        ("no TLS at all", Meets::InPlainText, Some(&trusted), 14),
        ("TLS 1.0 only", Meets::OnlyTls10, Some(&trusted), 14),
    ];
    for (name, meets, pem, code) in cases {
        let (env, server) = (TestEnv::new(), Server::start(meets));
        let process = env.agentctl(["status", RUN]).server(&server.url);
        let process = match pem {
            Some(pem) => process.env("SSL_CERT_FILE", env.write("ca.pem", pem)),
            None => process,
        };
        let output = process.run();
        assert_eq!((output.code(), server.connections.load(SeqCst)), (code, 1), "{name}\n{output}");
        let told = server.told.lock().expect("no panic").contains("test-key");
        assert_eq!(told, code == 0, "{name}: the key goes to a server that is trusted, and to no other");
    }
}

/// Sends a message to a server. Returns the number of connections and the requests read.
fn send_to(meets: Meets, pem: &str) -> (Output, usize, String) {
    let (env, server) = (TestEnv::new(), Server::start(meets));
    let process = env.agentctl(["send", "--agent", AGENT, "-m", "hi"]).server(&server.url);
    let output = process.env("SSL_CERT_FILE", env.write("ca.pem", pem)).run();
    let told = server.told.lock().expect("no panic").clone();
    (output, server.connections.load(SeqCst), told)
}

#[test]
fn agt_19_a_cut_handshake_is_no_connection_and_is_retried() {
    let (config, pem) = certificate("127.0.0.1", 2040);
    let (output, connections, told) = send_to(Meets::CutFirst(2, config), &pem);
    assert_eq!((output.code(), connections), (0, 3), "{output}");
    assert_eq!(told.matches("POST ").count(), 1, "{told}");
}

#[test]
fn agt_19_tls_that_breaks_after_the_request_leaves_the_message_unknown() {
    let (config, pem) = certificate("127.0.0.1", 2040);
    let (output, _, told) = send_to(Meets::ThenGarbage(config), &pem);
    assert_eq!(told.matches("POST ").count(), 1, "it was read, and is not sent again: {told}");
    assert_eq!(output.code(), 10, "{output}");
    assert_eq!(output.error()["code"], "outcome_unknown", "{output}");
}
