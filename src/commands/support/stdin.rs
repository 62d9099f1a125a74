//! Reads standard input and files as text, and refuses texts that no request can carry.

use std::io::{self, BufRead as _, Read};
use std::sync::mpsc::channel;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::ctx::Ctx;
use crate::exit::Exit;
use crate::report::Failure;
use crate::text::page::Page;

/// The largest request body, in bytes.
pub const BODY_CAP: usize = 32 << 20;
/// The hint for bytes that are not UTF-8.
const UTF_8: &str = "convert it to UTF-8";
/// The hint when the key and something else are both read from standard input.
pub const KEY_ELSEWHERE: &str = "give the key in a file, or as LETTA_API_KEY";
/// How long to wait for input before a notice says what is being read.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads standard input to its end. If nothing arrives for a while, a notice says what is being read.
pub fn read_all(ctx: &Ctx, what: &'static str) -> Result<String, Failure> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        // The receiver is gone only when the program ends.
        let _ = sender.send(read_capped(io::stdin()));
    });
    let bytes = receiver.recv_timeout(PATIENCE).or_else(|_| {
        ctx.io.notice(&Page::new().say("reading ").say(what).say(" from standard input").end());
        receiver.recv()
    });
    let bytes = bytes.map_err(|_| cannot_read("standard input", &io::ErrorKind::Other.into()))?;
    text(bytes.map_err(|error| cannot_read("standard input", &error))?, "standard input")
}

/// Reads a file to its end.
pub fn read_file(file: &std::path::Path) -> Result<String, Failure> {
    let name = file.display().to_string();
    let bytes = std::fs::File::open(file).and_then(read_capped).map_err(|error| cannot_read(&name, &error))?;
    text(bytes, &name)
}

/// Reads at most one byte more than [`BODY_CAP`], so that the caller notices input that is too large.
pub fn read_capped(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(BODY_CAP as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the lines of standard input as they arrive.
pub fn lines() -> UnboundedReceiver<Result<String, Failure>> {
    let (sender, receiver) = unbounded_channel();
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let line = line.map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData => Failure::usage("standard input is not UTF-8").hint(UTF_8),
                _ => cannot_read("standard input", &error),
            });
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Converts bytes to text: UTF-8, without NUL, at most [`BODY_CAP`] long. A byte-order mark is dropped.
pub fn text(bytes: Vec<u8>, name: &str) -> Result<String, Failure> {
    if bytes.len() > BODY_CAP {
        return Err(
            Failure::usage(format!("{name} is larger than 32 MiB, the largest request")).hint("send less at once")
        );
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Failure::usage(format!("{name} looks like UTF-16")).hint(UTF_8));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes()[at];
        Failure::usage(format!("{name} is not UTF-8 (byte {} is 0x{byte:02x})", at + 1)).hint(UTF_8)
    })?;
    no_nul(&text, name)?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Refuses NUL, which the databases of such servers cannot store.
pub fn no_nul(text: &str, name: &str) -> Result<(), Failure> {
    match text.bytes().position(|byte| byte == 0) {
        None => Ok(()),
        Some(at) => Err(Failure::usage(format!("{name} contains NUL at byte {}", at + 1))
            .hint("remove it: servers cannot store it")),
    }
}

fn cannot_read(name: &str, error: &io::Error) -> Failure {
    let what = match error.kind() {
        io::ErrorKind::NotFound => format!("{name}: no such file"),
        io::ErrorKind::IsADirectory => format!("{name} is a directory"),
        _ => format!("cannot read {name}"),
    };
    Failure::new(Exit::Local, "cannot_read", what)
        .cause(error)
        .hint("name a file that can be read, or - for standard input")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_text_are_refused_with_their_position() {
        for (bytes, message) in [
            (&b"a\xff"[..], "x is not UTF-8 (byte 2 is 0xff)"),
            (b"a\0b", "x contains NUL at byte 2"),
            (b"\xff\xfeh\0i\0", "x looks like UTF-16"),
        ] {
            assert_eq!(text(bytes.to_vec(), "x").expect_err("refused").message, message);
        }
        assert_eq!(text("\u{feff}hi".into(), "x").expect("text"), "hi");
        let large = vec![b'a'; BODY_CAP + 1];
        assert_eq!(text(large, "x").expect_err("refused").exit, Exit::Usage);
    }
}
