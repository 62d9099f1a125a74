//! Invalid answers: no panic, no hang, bounded memory, and an exit code that says what is known.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::bodies::{Body, corpus};
use crate::crowd::at_once;
use crate::report::{self, Table, is_long};
use crate::support::letta::{POST_PATH, RUN, RUN_PATH};
use crate::support::{Answer, Mock, TestEnv};

/// The memory limit of each command, in KiB.
const MEMORY: u64 = 100 << 10;
/// The time limit of each command.
const TIME: Duration = Duration::from_secs(50);

/// The commands that read an answer, and the route that answers it.
const COMMANDS: [(&str, &str); 5] = [
    ("send", "send --agent agent-11111111-1111-4111-8111-111111111111 -m hi"),
    ("status", "status run-22222222-2222-4222-8222-222222222222"),
    ("watch", "watch run-22222222-2222-4222-8222-222222222222 --timeout 1s"),
    ("messages", "messages run-22222222-2222-4222-8222-222222222222"),
    ("agents list", "agents list"),
];

fn mock(command: &str, answer: &Answer) -> Mock {
    let mock = Mock::start();
    let messages = format!("{RUN_PATH}/messages");
    let (method, path) = match command {
        "send" => ("POST", POST_PATH),
        "messages" => ("GET", messages.as_str()),
        "agents list" => ("GET", "/v1/agents/"),
        _ => ("GET", RUN_PATH),
    };
    mock.on(method, path, [answer.clone()]);
    mock
}

#[test]
fn agt_12_no_answer_makes_a_command_panic_hang_or_grow() {
    let bodies = corpus();
    assert!(bodies.len() >= 61, "{} bodies", bodies.len());
    let every = if is_long() { 1 } else { 3 };
    let pairs = bodies.iter().flat_map(|body| COMMANDS.map(|command| (body, command)));
    let cases: Vec<(&Body, (&str, &str))> = pairs.step_by(every).collect();
    let seen = at_once(16, &cases, |(body, (command, line))| {
        let (env, mock) = (TestEnv::new(), mock(command, &Answer::body(200, body.kind, body.bytes.clone())));
        let began = Instant::now();
        let measured = env.agentctl(line.split(' ')).server(&mock.url()).limit(TIME).run_measured();
        (measured, began.elapsed())
    });
    let mut table = Table::new("answers", &["command", "answers", "panics", "hangs", "largest peak", "exit codes"]);
    for (command, _) in COMMANDS {
        let of_command = || cases.iter().zip(&seen).filter(|((_, (of, _)), _)| *of == command);
        let (mut codes, mut largest) = (Vec::new(), 0);
        for ((body, _), ((output, peak), took)) in of_command() {
            let place = format!("{command}, {}\n{output}", body.name);
            assert!(!output.stderr.contains("panicked") && output.code() != 70, "{place}");
            assert!(*took < TIME && *peak < MEMORY, "{took:?}, {peak} KiB: {place}");
            assert!(output.stderr.chars().count() < 4000 && !output.stderr.contains('\u{1b}'), "{place}");
            let is_good = body.name.starts_with("a good run");
            assert!(!is_good || !matches!(command, "send" | "status" | "watch") || output.code() == 0, "{place}");
            codes.push(output.code());
            largest = largest.max(*peak);
        }
        let count = codes.len().to_string();
        codes.sort_unstable();
        codes.dedup();
        let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
        let peak = format!("{} MiB", largest >> 10);
        table.row(&[command, &count, "0", "0", &peak, &codes.join(", ")]);
    }
    let bomb = bomb_row();
    table.row(&bomb.each_ref().map(String::as_str));
    table.publish(&format!("Bad answers, each to a process of its own. {}.", report::circumstances()));
}

/// A body of 2 MiB that unpacks to 2 GiB, made as it is sent.
fn bomb_row() -> [String; 6] {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| _ = send_bomb(&stream)));
    let env = TestEnv::new();
    let (output, peak) = env.agentctl(["status", RUN]).server(&url).limit(TIME).run_measured();
    assert!(output.code() == 11 && peak < MEMORY, "{peak} KiB\n{output}");
    assert!(output.stderr.contains("gzip"), "{output}");
    ["status, gzip bomb of 2 GiB", "1", "0", "0", &format!("{} MiB", peak >> 10), "11"].map(str::to_owned)
}

fn send_bomb(mut stream: &TcpStream) -> std::io::Result<()> {
    let mut request = [0; 4096];
    std::io::Read::read(&mut stream, &mut request)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\r\n")?;
    let mut gzip = flate2::write::GzEncoder::new(stream, flate2::Compression::fast());
    let block = vec![b' '; 1 << 20];
    (0..2048).try_for_each(|_| gzip.write_all(&block))
}

#[test]
fn a_body_without_end_is_read_up_to_its_limit() {
    for (command, endless) in [("status", "["), ("agents list", "[{\"a\":\"")] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let endless = endless.repeat(1 << 16);
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| _ = send_endless(&stream, &endless)));
        let env = TestEnv::new();
        let line = COMMANDS.iter().find(|(name, _)| *name == command).expect("a command").1;
        let (output, peak) = env.agentctl(line.split(' ')).server(&url).limit(TIME).run_measured();
        assert!(output.code() == 11 && peak < MEMORY, "{peak} KiB\n{output}");
        assert!(output.stderr.contains("larger than"), "{output}");
    }
}

fn send_endless(mut stream: &TcpStream, piece: &str) -> std::io::Result<()> {
    let mut request = [0; 4096];
    std::io::Read::read(&mut stream, &mut request)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")?;
    loop {
        stream.write_all(piece.as_bytes())?;
    }
}
