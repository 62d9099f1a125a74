//! Texts that have taken over terminals, and a parser that reports every one that is printed raw.

use std::collections::BTreeSet;

use vte::{Params, Parser, Perform};

/// Characters that are not controls and yet change what is seen, or cannot be seen: bidirectional controls, zero-width
/// characters, separators, fillers, tags, interlinear marks.
const FORMAT: &str = "\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180b}\u{180c}\u{180d}\u{180e}\u{180f}\
    \u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\
    \u{2060}\u{2061}\u{2062}\u{2063}\u{2064}\u{2066}\u{2067}\u{2068}\u{2069}\u{206a}\u{206f}\
    \u{3164}\u{feff}\u{ffa0}\u{fff9}\u{fffa}\u{fffb}\u{1d173}\u{1d17a}\u{e0001}\u{e0020}\u{e0041}\u{e007f}\u{e0100}";

/// Sequences used to take over terminals: titles, links, clipboards, replies that a shell reads as typed input.
pub const PAYLOADS: [&str; 42] = [
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

/// Follows every character of a hostile text. If it follows a control in the output, that control came from the text.
const MARK: char = '¤';

/// Texts that hold, between them, every character from 0x00 to 0xA0, the format characters and the payloads.
pub fn hostile() -> Vec<String> {
    let marked = |chars: &mut dyn Iterator<Item = char>| chars.flat_map(|c| [c, MARK]).collect::<String>();
    let mut texts =
        vec![marked(&mut ('\u{0}'..='\u{40}')), marked(&mut ('\u{41}'..='\u{a0}')), marked(&mut FORMAT.chars())];
    texts.extend(PAYLOADS.chunks(14).map(|chunk| chunk.concat()));
    texts
}

/// A forbidden operation that the output asked of the terminal.
#[derive(Default)]
pub struct Offences(pub BTreeSet<String>);

impl Offences {
    pub fn in_bytes(bytes: &[u8]) -> Self {
        let (mut parser, mut offences) = (Parser::new(), Self::default());
        parser.advance(&mut offences, bytes);
        let text = String::from_utf8_lossy(bytes);
        // The program prints these itself, but never right before the mark.
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

#[test]
fn the_parser_reports_every_payload_that_is_printed_raw() {
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
