//! The smallest server that agentctl must work with: it has the two documented routes.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// `POST /v1/agents/{agent_id}/messages/async` and `GET /v1/runs/{run_id}`; 404 for all else.
pub struct Seed(pub String);

impl Seed {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let mut looks = 0;
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| _ = answer(&stream, &mut looks)));
        Self(url)
    }
}

fn answer(mut stream: &TcpStream, looks: &mut u32) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let head: Vec<String> = reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let length = head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    reader.take(length.unwrap_or(0)).read_to_end(&mut vec![])?;
    let (code, status, stop_reason) = match head[0].split(['/', ' ']).collect::<Vec<_>>()[..] {
        ["POST", "", "v1", "agents", _, "messages", "async", ..] => (200, "created", "null"),
        ["GET", "", "v1", "runs", "run-12345678", "HTTP", _] if *looks < 2 => (200, "running", "null"),
        ["GET", "", "v1", "runs", "run-12345678", "HTTP", _] => (200, "completed", "\"end_turn\""),
        _ => (404, "", "null"),
    };
    *looks += u32::from(status == "running");
    let run = format!(
        r#"{{"id": "run-12345678", "agent_id": "agent-1", "background": true, "status": "{status}",
             "stop_reason": {stop_reason}, "ttft_ns": 310000000, "total_duration_ns": 4200000000}}"#
    );
    let body = if code == 200 { run } else { r#"{"detail": "Not Found"}"#.to_owned() };
    write!(stream, "HTTP/1.1 {code} -\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}
