//! A proxy between a real client and a real server that harms each connection in a given way.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::faultd::wait_until;

/// The harm done to a connection.
#[derive(Clone, Debug)]
pub enum Toxic {
    /// Each piece comes this much later, both ways.
    Latency(Duration),
    /// Everything comes byte by byte.
    Slicer,
    /// The connection is reset once so many bytes of the request have passed.
    ResetUp(usize),
    /// The request passes; so many bytes of the answer pass, then the connection is closed.
    CutDown(usize),
    /// The same with a reset.
    ResetDown(usize),
    /// The request is executed, and the answer never comes.
    ExecuteThenTimeout,
    /// The request is held for so long, and delivered after the client has given up.
    Hold(Duration),
}

/// The proxy. It ends with the test.
pub struct Proxy {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    /// Connections that are still open.
    open: Arc<AtomicUsize>,
}

impl Proxy {
    /// Starts in front of a server. One connection after the other gets its toxic; then all goes well.
    pub fn start(server: SocketAddr, toxics: impl IntoIterator<Item = Toxic>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let toxics: Mutex<VecDeque<Toxic>> = Mutex::new(toxics.into_iter().collect());
        let stopped = Arc::new(AtomicBool::new(false));
        let open = Arc::<AtomicUsize>::default();
        let (ours, counts) = (Arc::clone(&stopped), Arc::clone(&open));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if ours.load(SeqCst) {
                    return;
                }
                let toxic = toxics.lock().expect("no panic").pop_front();
                let open = Arc::clone(&counts);
                open.fetch_add(1, SeqCst);
                thread::spawn(move || {
                    // Either side may go away at any moment.
                    let _ = pass(&client, server, toxic.as_ref());
                    open.fetch_sub(1, SeqCst);
                });
            }
        });
        Self { address, stopped, open }
    }

    /// Waits until what it holds up has been delivered.
    pub fn settle(&self) {
        let delivered = wait_until(Duration::from_secs(30), || self.open.load(SeqCst) == 0);
        assert!(delivered, "a request is still held up");
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stopped.store(true, SeqCst);
        // Wakes the listener, which then drops its socket.
        let _ = TcpStream::connect(self.address);
    }
}

fn pass(client: &TcpStream, server: SocketAddr, toxic: Option<&Toxic>) -> io::Result<()> {
    if let Some(Toxic::Hold(delay)) = toxic {
        return hold(client, server, *delay);
    }
    let server = TcpStream::connect(server)?;
    thread::scope(|scope| {
        scope.spawn(|| {
            let (limit, manner) = match toxic {
                Some(Toxic::ResetUp(bytes)) => (*bytes, toxic),
                _ => (usize::MAX, toxic),
            };
            let passed = copy(client, &server, limit, manner);
            if passed.is_ok_and(|passed| passed == limit) {
                reset(client);
            }
            let _ = server.shutdown(Shutdown::Write);
        });
        let limit = match toxic {
            Some(Toxic::CutDown(bytes) | Toxic::ResetDown(bytes)) => *bytes,
            Some(Toxic::ExecuteThenTimeout) => 0,
            _ => usize::MAX,
        };
        // An answer cut before its first byte is awaited first, so that the request was executed.
        let _ = server.peek(&mut [0]);
        let passed = copy(&server, client, limit, toxic);
        match toxic {
            Some(Toxic::ExecuteThenTimeout) => _ = io::copy(&mut &server, &mut io::sink()),
            Some(Toxic::ResetDown(_)) if passed.is_ok() => reset(client),
            _ => _ = client.shutdown(Shutdown::Both),
        }
        let _ = server.shutdown(Shutdown::Both);
    });
    Ok(())
}

/// Passes bytes on until there are no more, or the limit is reached. Returns how many.
fn copy(mut from: &TcpStream, mut to: &TcpStream, limit: usize, manner: Option<&Toxic>) -> io::Result<usize> {
    let (mut buffer, mut passed) = ([0; 4096], 0);
    while passed < limit {
        let room = buffer.len().min(limit - passed);
        let count = from.read(&mut buffer[..room])?;
        if count == 0 {
            break;
        }
        match manner {
            Some(Toxic::Latency(delay)) => thread::sleep(*delay),
            Some(Toxic::Slicer) => buffer[..count].iter().try_for_each(|byte| to.write_all(&[*byte]))?,
            _ => {}
        }
        if !matches!(manner, Some(Toxic::Slicer)) {
            to.write_all(&buffer[..count])?;
        }
        passed += count;
    }
    Ok(passed)
}

/// Takes one request in, waits, and delivers it.
fn hold(mut client: &TcpStream, server: SocketAddr, delay: Duration) -> io::Result<()> {
    client.set_read_timeout(Some(delay))?;
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        request.extend_from_slice(&buffer[..count]);
    }
    // The client gave up before the delay was over, or did not.
    thread::sleep(delay);
    let mut server = TcpStream::connect(server)?;
    server.write_all(&request)?;
    server.set_read_timeout(Some(Duration::from_secs(10)))?;
    let _ = server.read(&mut buffer);
    Ok(())
}

fn reset(stream: &TcpStream) {
    // A closed connection cannot be reset.
    let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
    let _ = stream.shutdown(Shutdown::Both);
}
