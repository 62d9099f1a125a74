//! Requests that are too large or too slow.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::{Count, Target};
use crate::overload::room_for;
use crate::report::is_long;
use crate::support::serve::status;

/// The largest body that is accepted.
const MOST: usize = 32 << 20;

/// Bodies with a large Content-Length: refused before they are sent, with and without a key.
pub fn declared(open: &Target) -> Count {
    let keyed = Target::start(&[]);
    for (target, expected) in [(open, 413), (&keyed, 401)] {
        let mut stream = connect(target);
        let head = head(target, &format!("Content-Length: {}", 1 << 30));
        stream.write_all(head.as_bytes()).expect("sent");
        assert_eq!(answer(&mut stream), expected, "with all of the body still to come");
    }
    open.count("1 GiB announced", 2, 0)
}

/// Bodies that are too large, one of them chunked.
pub fn sent(open: &Target) -> Count {
    let mut chunked = connect(open);
    chunked.write_all(head(open, "Transfer-Encoding: chunked").as_bytes()).expect("sent");
    let chunk = [format!("{:x}\r\n", 1 << 20).into_bytes(), vec![b' '; 1 << 20], b"\r\n".to_vec()].concat();
    let cut = (0..=MOST >> 20).find(|_| chunked.write_all(&chunk).is_err());
    let refused = answer(&mut chunked);
    assert!(refused == 413, "{refused}, cut off at {cut:?} MiB");
    let mut whole = connect(open);
    whole.write_all(head(open, &format!("Content-Length: {}", MOST + 1)).as_bytes()).expect("sent");
    // It may be cut off while this still sends.
    let _ = whole.write_all(&vec![b' '; MOST + 1]);
    assert_eq!(answer(&mut whole), 413);
    open.count("32 MiB and more", 2, 0)
}

/// Requests that do not come to their end, or only a byte at a time. In a long run there are more of them than the server
/// serves at once, and they are waited for.
pub fn slow(open: &Target) -> Count {
    let mut slow: Vec<TcpStream> = (0..room_for(if is_long() { 1100 } else { 100 })).map(|_| connect(open)).collect();
    for (number, stream) in slow.iter_mut().enumerate() {
        let start = match number % 3 {
            0 => String::new(),
            1 => "GET /v1/health/ HTTP/1.1\r\nHo".to_owned(),
            _ => head(open, "Content-Length: 1400") + "{",
        };
        stream.write_all(start.as_bytes()).expect("sent");
    }
    // Others are served meanwhile.
    let count = open.count("never finished", slow.len(), 0);
    if is_long() {
        drip(&mut slow);
        for stream in &mut slow {
            assert!(matches!(answer(stream), 0 | 400 | 408), "it is not waited for for ever");
        }
    }
    count
}

/// Sends a byte a second on each connection, for longer than a request may take.
fn drip(slow: &mut [TcpStream]) {
    for _ in 0..35 {
        std::thread::sleep(Duration::from_secs(1));
        // Some are closed by now.
        slow.iter_mut().for_each(|stream| _ = stream.write_all(b" "));
    }
}

fn head(target: &Target, framing: &str) -> String {
    let (send, host) = (target.send(), target.serve.address());
    format!("{send} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{framing}\r\n\r\n")
}

fn connect(target: &Target) -> TcpStream {
    let stream = TcpStream::connect(target.serve.address()).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time limit");
    stream
}

/// The status of what is answered; 0 if the connection just ends.
fn answer(stream: &mut TcpStream) -> u16 {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    while !text.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => text.extend_from_slice(&buffer[..count]),
            _ => break,
        }
    }
    status(&String::from_utf8_lossy(&text))
}
