//! Nothing that a server, a file or an argument says acts on the terminal: what every view prints is read back with a
//! parser of terminal sequences, which must find printable text, line ends and this program's own colours.

use std::collections::BTreeSet;

use agentctl::text::show::{clip, show};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;
use vte::{Params, Parser, Perform};

use crate::support::letta::{self, AGENT, POST_PATH, RUN, RUN_PATH};
use crate::support::pty::Pty;
use crate::support::{Answer, Mock, TestEnv};

/// Characters that are not controls and yet change what is seen, or cannot be seen: bidirectional controls, zero-width
/// characters, separators, fillers, tags, interlinear marks.
const FORMAT: &str = "\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180b}\u{180c}\u{180d}\u{180e}\u{180f}\
    \u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\
    \u{2060}\u{2061}\u{2062}\u{2063}\u{2064}\u{2066}\u{2067}\u{2068}\u{2069}\u{206a}\u{206f}\
    \u{3164}\u{feff}\u{ffa0}\u{fff9}\u{fffa}\u{fffb}\u{1d173}\u{1d17a}\u{e0001}\u{e0020}\u{e0041}\u{e007f}\u{e0100}";

/// What has been used to take over terminals: titles, links, clipboards, answers that a shell then reads as typed.
const PAYLOADS: [&str; 42] = [
    "\u{1b}]0;title\u{7}",
    "\u{1b}]2;title\u{1b}\\",
    "\u{1b}]4;1;?\u{7}",
    "\u{1b}]7;file://evil/\u{7}",
    "\u{1b}]8;;http://evil.example/\u{1b}\\link\u{1b}]8;;\u{1b}\\",
    "\u{1b}]9;notify\u{7}",
    "\u{1b}]10;?\u{7}",
    "\u{1b}]11;?\u{1b}\\",
    "\u{1b}]50;?\u{7}",
    "\u{1b}]52;c;cm0gLXJmIC8=\u{7}",
    "\u{1b}]52;c;?\u{1b}\\",
    "\u{1b}]104\u{7}",
    "\u{1b}]133;A\u{7}",
    "\u{1b}]777;notify;a;b\u{7}",
    "\u{1b}]1337;File=name=eA==:eA==\u{7}",
    "\u{1b}[c",
    "\u{1b}[>c",
    "\u{1b}[=c",
    "\u{1b}[5n",
    "\u{1b}[6n",
    "\u{1b}[?6n",
    "\u{1b}[14t",
    "\u{1b}[18t",
    "\u{1b}[21t",
    "\u{1b}[2J\u{1b}[H",
    "\u{1b}[3J",
    "\u{1b}[1;1r",
    "\u{1b}[!p",
    "\u{1b}[?1049h",
    "\u{1b}[?1000h",
    "\u{1b}[35;5;7m",
    "\u{1b}[9999b",
    "\u{1b}c",
    "\u{1b}#8",
    "\u{1b}(0",
    "\u{1b}P$qm\u{1b}\\",
    "\u{1b}P+q544e\u{1b}\\",
    "\u{1b}Pq#0;2;0;0;0\u{1b}\\",
    "\u{1b}_Gi=1;AAAA\u{1b}\\",
    "\u{1b}^pm\u{1b}\\\u{1b}Xsos\u{1b}\\",
    "\u{9b}6n\u{9d}52;c;?\u{9c}\u{90}q\u{9c}",
    "\u{5}\u{7}\u{8}\u{8}\u{e}\u{f}\rover",
];

/// Follows every character of a hostile text: found right behind a control in what was printed, it tells on it.
const MARK: char = '¤';

/// Texts that hold, between them, every character from 0x00 to 0xA0, the format characters and the payloads.
fn hostile() -> Vec<String> {
    let marked = |chars: &mut dyn Iterator<Item = char>| chars.flat_map(|c| [c, MARK]).collect::<String>();
    let mut texts =
        vec![marked(&mut ('\u{0}'..='\u{40}')), marked(&mut ('\u{41}'..='\u{a0}')), marked(&mut FORMAT.chars())];
    texts.extend(PAYLOADS.chunks(14).map(|chunk| chunk.concat()));
    texts
}

/// What a terminal was told to do that nobody may tell it.
#[derive(Default)]
struct Offences(BTreeSet<String>);

impl Offences {
    fn in_bytes(bytes: &[u8]) -> Self {
        let (mut parser, mut offences) = (Parser::new(), Self::default());
        parser.advance(&mut offences, bytes);
        let text = String::from_utf8_lossy(bytes);
        // These are this program's to write, too, but never in front of the mark.
        for (name, control) in [("carriage return", '\r'), ("escape", '\u{1b}')] {
            if text.contains(&format!("{control}{MARK}")) {
                offences.found(format!("a raw {name}"));
            }
        }
        offences
    }

    fn found(&mut self, what: String) {
        self.0.insert(what);
    }
}

impl Perform for Offences {
    fn print(&mut self, c: char) {
        if FORMAT.contains(c) || c.is_control() {
            self.found(format!("printed {c:?}"));
        }
    }

    fn execute(&mut self, byte: u8) {
        if !matches!(byte, b'\n' | b'\r' | b'\t') {
            self.found(format!("control {byte:#x}"));
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _: bool, action: char) {
        let params: Vec<u16> = params.iter().flatten().copied().collect();
        let ours = match (action, intermediates) {
            // Bold, faint, red, green, yellow, cyan.
            ('m', []) => params.iter().all(|code| matches!(code, 0..=2 | 31..=33 | 36)),
            // Lines of the display: up, to the beginning, to the end.
            ('A' | 'B' | 'C' | 'D' | 'G' | 'K', []) => true,
            ('J', []) => params == [0],
            ('h' | 'l', [b'?']) => params == [25],
            _ => false,
        };
        if !ours {
            self.found(format!("CSI {intermediates:?} {params:?} {action}"));
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        self.found(format!("OSC {:?}", params.first().map(|first| String::from_utf8_lossy(first))));
    }

    fn hook(&mut self, _: &Params, _: &[u8], _: bool, action: char) {
        self.found(format!("DCS {action}"));
    }

    fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
        self.found(format!("ESC {:?}", byte as char));
    }
}

/// A server that says this wherever it can say anything.
fn server(text: &str) -> Mock {
    let mock = Mock::start();
    let mut run = letta::failed(text);
    run["stop_reason"] = text.into();
    for key in ["callback_url", "callback_error", "conversation_id", "base_template_id"] {
        run[key] = text.into();
    }
    run["metadata"]["run_type"] = text.into();
    mock.on("POST", POST_PATH, [Answer::json(200, &run)]);
    mock.on("GET", RUN_PATH, [Answer::json(200, &run)]);
    mock.on("GET", "/v1/runs/", [Answer::json(200, &json!([run, run]))]);
    let kinds = ["user_message", "assistant_message", "reasoning_message", "system_message", text];
    let mut messages: Vec<Value> = kinds.iter().map(|kind| letta::message(kind, text)).collect();
    messages.iter_mut().for_each(|message| message["reasoning"] = text.into());
    let mut call = letta::message("tool_call_message", text);
    call["tool_call"] = json!({"name": text, "arguments": text, "tool_call_id": text});
    let mut answer = letta::message("tool_return_message", text);
    (answer["tool_return"], answer["name"], answer["status"]) = (text.into(), text.into(), text.into());
    messages.extend([call, answer]);
    mock.on("GET", &format!("{RUN_PATH}/messages"), [Answer::json(200, &messages.into())]);
    let step = json!({"id": text, "status": "failed", "error_type": text, "stop_reason": text, "model": text, "error_data": {"message": text}});
    mock.on("GET", &format!("{RUN_PATH}/steps"), [Answer::json(200, &json!([step]))]);
    let agent = json!({"id": AGENT, "name": text, "agent_type": text, "system": text, "model": text,
        "created_at": text, "description": text, "llm_config": {"handle": text, "model": text}});
    mock.on("GET", "/v1/agents/", [Answer::json(200, &json!([agent, agent]))]);
    mock.on("GET", &format!("/v1/agents/{AGENT}"), [Answer::json(200, &agent)]);
    mock
}

/// A server that refuses everything with these words.
fn refusing(answer: Answer) -> Mock {
    let mock = Mock::start();
    for method in ["GET", "POST"] {
        mock.on(method, "*", [answer.clone()]);
    }
    mock
}

fn printed(env: &TestEnv, server: &Mock, args: &[&str]) -> Vec<u8> {
    // Wide enough that next to nothing is cut off.
    let terminal = Pty::agentctl(env, args).server(&server.url()).columns(1000);
    terminal.spawn().wait().raw().into_bytes()
}

fn check(env: &TestEnv, server: &Mock, args: &[&str]) {
    let bytes = printed(env, server, args);
    let offences = Offences::in_bytes(&bytes).0;
    let shown = String::from_utf8_lossy(&bytes);
    assert!(offences.is_empty(), "{args:?}: {offences:?}\n{}", shown.escape_debug());
    assert!(!shown.contains("panicked") && !bytes.is_empty(), "{args:?}: {shown}");
}

#[test]
fn what_a_server_says_is_only_ever_printed() {
    for text in hostile() {
        let (env, server) = (TestEnv::new(), server(&text));
        for args in [
            &["status", RUN][..],
            &["status", RUN, RUN],
            &["status", RUN, "-o", "json"],
            &["status", RUN, "-o", "json", "--pretty"],
            &["status", RUN, "--jq", ".stop_reason, .metadata"],
            &["watch", RUN],
            &["watch", RUN, "--progress", "plain"],
            &["watch", RUN, "--follow"],
            &["watch", RUN, "--events"],
            &["watch", RUN, "--reply"],
            &["send", "--agent", AGENT, "-m", "hi", "--watch"],
            &["send", "--agent", AGENT, "-m", "hi", "-vv"],
            &["messages", RUN],
            &["messages", RUN, "-o", "json"],
            &["messages", RUN, "--reply"],
            &["list"],
            &["agents", "list"],
            &["agents", "show", AGENT],
        ] {
            check(&env, &server, args);
        }
    }
}

#[test]
fn what_a_server_says_about_an_error_is_only_ever_printed() {
    for text in hostile() {
        let env = TestEnv::new();
        // A header holds no control.
        let in_header: String = text.chars().filter(|c| *c >= ' ' && *c != '\u{7f}').collect();
        let redirect = format!("HTTP/1.1 302 Found\r\nlocation: http://h/{in_header}\r\ncontent-length: 0\r\n\r\n");
        // Who asks for that much patience is not asked again.
        let later = |answer: Answer| answer.header("retry-after", "3600");
        for answer in [
            Answer::json(422, &json!({"detail": text})),
            Answer::json(401, &json!({"detail": [{"loc": [text], "msg": text, "type": text}]})),
            later(Answer::json(429, &json!({"error": {"message": text, "type": text}, "run_id": text}))),
            Answer::raw(redirect),
        ] {
            check(&env, &refusing(answer), &["send", "--agent", AGENT, "-m", "hi", "-o", "human"]);
        }
        for answer in [
            later(Answer::json(500, &json!({"error": {"message": text, "type": text}, "run_id": text}))),
            later(Answer::body(502, "text/html", format!("<html><title>{text}</title>"))),
            Answer::json(404, &json!({"detail": text})),
        ] {
            check(&env, &refusing(answer), &["status", RUN, "-vv"]);
        }
    }
}

/// An answer that cannot be read is asked for again, which takes its time: one text holds everything here.
#[test]
fn what_cannot_be_read_is_only_ever_printed() {
    let text = hostile().concat();
    std::thread::scope(|scope| {
        for answer in [
            Answer::body(200, "text/html", format!("<html><title>{text}</title>")),
            Answer::body(200, "application/json", text.clone()),
            Answer::json(200, &json!({"id": text, "status": text})),
            Answer::raw(format!("HTTP/1.1 302 {text}\r\nlocation: http://h/{text}\r\n\r\n")),
            Answer::raw(format!("{text}\r\n\r\n")),
        ] {
            scope.spawn(move || check(&TestEnv::new(), &refusing(answer), &["status", RUN, "-vv"]));
        }
    });
}

#[test]
fn what_is_given_on_the_command_line_is_only_ever_printed() {
    for text in hostile() {
        // The system takes no NUL in an argument.
        let text = text.replace('\0', "");
        let (env, server) = (TestEnv::new(), letta::done());
        let (at_file, url) = (format!("@{text}"), format!("http://{text}"));
        for args in [
            &["status", text.as_str()][..],
            &["send", "--agent", &text, "-m", "hi"],
            &["send", "--agent", AGENT, "-F", &text],
            &["send", "--agent", AGENT, "-m", "hi", "--set", &text],
            &["send", "--agent", AGENT, "-m", "hi", "--callback-url", &text],
            &["watch", RUN, "--timeout", &text],
            &["status", RUN, "--base-url", &url],
            &["status", RUN, "--base-url", &text],
            &["status", RUN, "--profile", &text],
            &["status", RUN, "--ca-cert", &text],
            &["status", RUN, "--api-key-file", &text],
            &["status", RUN, "-H", &text],
            &["status", RUN, "-H", &at_file],
            &["status", RUN, "-o", &text],
            &["status", RUN, "--jq", &text],
            &["config", "get", &text],
            &["config", "set", "agent", &text],
            &["config", "use", &text],
            &["agents", "show", &text],
            &[text.as_str()],
            &["--", &text],
        ] {
            check(&env, &server, args);
        }
        let terminal = Pty::agentctl(&env, ["config", "list"]).env("LETTA_AGENT_ID", &text).columns(1000);
        let bytes = terminal.spawn().wait().raw().into_bytes();
        assert_eq!(Offences::in_bytes(&bytes).0, BTreeSet::new(), "config list");
    }
}

#[test]
fn the_parser_tells_on_every_payload_that_is_printed_raw() {
    for payload in PAYLOADS {
        assert!(!Offences::in_bytes(payload.as_bytes()).0.is_empty(), "{payload:?}");
    }
    for c in ('\u{0}'..='\u{1f}').chain('\u{7f}'..='\u{9f}').chain(FORMAT.chars()) {
        let text = format!("a{c}{MARK}");
        let fine = matches!(c, '\t' | '\n');
        assert!(fine || !Offences::in_bytes(text.as_bytes()).0.is_empty(), "{c:?}");
    }
    assert!(Offences::in_bytes("plain \u{1b}[31mred\u{1b}[0m text\r\n".as_bytes()).0.is_empty());
}

#[test]
fn a_payload_is_shown_as_what_it_is() {
    for payload in PAYLOADS {
        let expected: String = payload
            .chars()
            .map(|c| if c.is_control() { format!("\\u{{{:x}}}", u32::from(c)) } else { c.to_string() })
            .collect();
        assert_eq!(show(payload).as_str(), expected);
    }
}

#[test]
fn what_is_too_wide_or_too_high_for_a_cell_is_cut_down() {
    let zalgo: String =
        "zalgo".chars().flat_map(|c| std::iter::once(c).chain(std::iter::repeat_n('\u{301}', 500))).collect();
    for text in ["x".repeat(10_000), "日".repeat(10_000), "👩‍👩‍👧‍👦".repeat(3000), zalgo, "مرحبا ".repeat(2000)]
    {
        assert!(clip(&text, 40).width() <= 40, "{}", text.chars().take(9).collect::<String>());
        let (env, server) = (TestEnv::new(), server(&text));
        for args in [&["agents", "list"][..], &["list"], &["status", RUN, RUN]] {
            let screen = Pty::agentctl(&env, args).server(&server.url()).columns(80).spawn().wait();
            let raw = screen.raw();
            for line in raw.lines() {
                let plain = line
                    .replace("\u{1b}[1m", "")
                    .replace("\u{1b}[2m", "")
                    .replace("\u{1b}[31m", "")
                    .replace("\u{1b}[0m", "");
                let marks = plain.split(|c| c != '\u{301}').map(str::len).max().unwrap_or(0) / '\u{301}'.len_utf8();
                assert!(plain.width() <= 80 && marks <= 8, "{args:?}: {} columns: {plain}", plain.width());
            }
        }
    }
}
