//! TLS that does not hold: nothing is sent, nothing is tried again, and the exit code says that it was for safety.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::TestEnv;
use crate::support::letta::{RUN, run};

/// How a server meets those who speak TLS to it.
enum Meets {
    With(Arc<ServerConfig>),
    /// It speaks HTTP and no TLS.
    InPlainText,
}

/// A server, who connected to it, and what it was told.
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
                ours.fetch_add(1, SeqCst);
                // A client that turns away is what is wanted.
                let _ = meet(stream, &meets, &hears);
            }
        });
        Self { url, connections, told }
    }
}

fn meet(mut stream: TcpStream, meets: &Meets, told: &Mutex<String>) -> std::io::Result<()> {
    match meets {
        Meets::InPlainText => {
            let _ = stream.read(&mut [0; 4096])?;
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        }
        Meets::With(config) => {
            let connection = ServerConnection::new(Arc::clone(config)).expect("a connection");
            let mut stream = StreamOwned::new(connection, stream);
            let mut request = [0; 4096];
            let count = stream.read(&mut request)?;
            told.lock().expect("no panic").push_str(&String::from_utf8_lossy(&request[..count]));
            let body = run("completed", Some("end_turn")).to_string();
            write!(stream, "HTTP/1.1 200 -\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())?;
            stream.conn.send_close_notify();
            stream.flush()
        }
    }
}

/// A certificate for a host, and the PEM text of it.
fn certificate(host: &str, expires: i32) -> (Meets, String) {
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
    (Meets::With(Arc::new(config.expect("a certificate and its key"))), certificate.pem())
}

#[test]
fn agt_19_a_server_that_cannot_be_trusted_gets_nothing_and_is_asked_once() {
    let (good, trusted) = certificate("127.0.0.1", 2040);
    let (expired, expired_pem) = certificate("127.0.0.1", 2020);
    let (other, other_pem) = certificate("example.com", 2040);
    let (unknown, _) = certificate("127.0.0.1", 2040);
    let cases = [
        ("trusted", good, Some(&trusted), 0),
        ("expired", expired, Some(&expired_pem), 14),
        ("of another host", other, Some(&other_pem), 14),
        ("signed by itself", unknown, None, 14),
        ("no TLS at all", Meets::InPlainText, Some(&trusted), 14),
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
