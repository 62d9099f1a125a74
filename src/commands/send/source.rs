//! Reads the parts of a request: files, images, standard input.

use std::path::Path;

use base64::Engine as _;
use serde_json::{Value, json};

use super::args::Args;
use super::texts::Text;
use crate::commands::Ctx;
use crate::commands::support::stdin;
use crate::exit::Exit;
use crate::report::Failure;

/// The parts of a request that were read.
#[derive(Debug, Default)]
pub struct Sources {
    /// The JSON document of `--body` or standard input.
    pub document: Option<Value>,
    /// The texts of `-m` and `-F`, in the order in which they were given.
    pub texts: Vec<String>,
    /// The images, as content parts.
    pub images: Vec<Value>,
}

/// Reads the inputs that the arguments name. Standard input is read at most once.
pub fn read(ctx: &Ctx, args: &Args) -> Result<Sources, Failure> {
    check_stdin_once(ctx, args)?;
    let texts = args.texts.0.iter().map(|text| read_text(ctx, text)).collect::<Result<_, _>>()?;
    let images = args.image.iter().map(|image| read_image(image)).collect::<Result<_, _>>()?;
    let document = match &args.body {
        Some(file) if file == Path::new("-") => Some(read_stdin(ctx)?),
        Some(file) => Some(parse(&stdin::read_file(file)?, &file.display().to_string())?),
        None if args.has_message() => None,
        None => Some(read_stdin(ctx)?),
    };
    Ok(Sources { document, texts, images })
}

/// The hint for a missing message.
const GIVE: &str = "give the message with -m TEXT, or pipe JSON in";

fn check_stdin_once(ctx: &Ctx, args: &Args) -> Result<(), Failure> {
    let dash = Path::new("-");
    let texts = args.texts.0.iter().filter(|text| matches!(text, Text::File(file) if file == dash)).count();
    let body = usize::from(args.body.as_deref() == Some(dash) || !args.has_message());
    if texts + body + usize::from(ctx.key_is_on_stdin()) > 1 {
        return Err(Failure::usage("standard input can be read only once").hint("name - in one place"));
    }
    Ok(())
}

fn read_text(ctx: &Ctx, text: &Text) -> Result<String, Failure> {
    match text {
        Text::Given(text) => stdin::no_nul(text, "-m").map(|()| text.clone()),
        Text::File(file) if file == Path::new("-") => {
            let text = stdin::read_all(ctx, "the message")?;
            if text.is_empty() {
                Err(Failure::usage("no message: standard input was empty").hint(GIVE))
            } else {
                Ok(text)
            }
        }
        Text::File(file) => stdin::read_file(file),
    }
}

fn read_stdin(ctx: &Ctx) -> Result<Value, Failure> {
    if ctx.io.terminals.stdin {
        let failure = Failure::usage("no message: standard input is a terminal");
        return Err(failure.hint("give the message with -m TEXT, -F FILE or --body FILE, or pipe JSON in"));
    }
    let text = stdin::read_all(ctx, "the request (JSON)")?;
    if text.trim().is_empty() {
        let failure = Failure::usage("no message: standard input was empty");
        return Err(failure.hint(GIVE));
    }
    parse(&text, "standard input")
}

/// Reads one JSON document.
fn parse(text: &str, name: &str) -> Result<Value, Failure> {
    let mut documents = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let document = match documents.next() {
        Some(Ok(document)) => document,
        Some(Err(error)) => return Err(not_json(name, &error)),
        None => return Err(Failure::usage(format!("no message: {name} is empty")).hint(GIVE)),
    };
    match documents.next() {
        None => Ok(document),
        Some(Ok(_)) => {
            let failure = Failure::usage(format!("{name} holds more than one JSON document"));
            Err(failure
                .hint("one command sends one request; for several, give each its own, as with `while read -r line`"))
        }
        Some(Err(error)) => Err(not_json(name, &error)),
    }
}

fn not_json(name: &str, error: &serde_json::Error) -> Failure {
    let failure = Failure::usage(format!("{name} is not JSON")).cause(error);
    failure.hint("to send text as it is, use `-F -` (standard input) or `-F FILE`")
}

/// Returns an image as a content part: a URL by reference, a file with its bytes.
fn read_image(image: &str) -> Result<Value, Failure> {
    if image.starts_with("http://") || image.starts_with("https://") {
        return Ok(json!({"type": "image", "source": {"type": "url", "url": image}}));
    }
    let cannot = |cause: String| {
        let failure = Failure::new(Exit::Local, "cannot_read", format!("cannot read the image {image}")).cause(cause);
        failure.hint("name a file that can be read, or an http or https URL")
    };
    let bytes = std::fs::File::open(image).and_then(stdin::read_capped).map_err(|error| cannot(error.to_string()))?;
    if bytes.len() > stdin::BODY_CAP {
        return Err(Failure::usage(format!("the image {image} is larger than 32 MiB, the largest request"))
            .hint("name it by a URL"));
    }
    let Some(kind) = media_type(&bytes) else {
        let failure = Failure::usage(format!("{image} is not an image format that models accept"));
        return Err(failure.hint("use PNG, JPEG, GIF or WebP"));
    };
    let data = base64::engine::general_purpose::STANDARD.encode(&bytes);
    Ok(json!({"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}))
}

/// Detects the media type of an image by its first bytes; its name may be wrong.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_document_is_read_and_anything_else_explained() {
        assert_eq!(parse(" {\"a\": 1}\n", "x").expect("a document"), json!({"a": 1}));
        assert!(parse("{} {}", "x").expect_err("two").message.contains("more than one"));
        assert!(parse("hello", "x").expect_err("text").hint.expect("a hint").contains("-F -"));
    }

    #[test]
    fn an_image_is_known_by_its_bytes() {
        assert_eq!(media_type(b"\x89PNG\r\n"), Some("image/png"));
        assert_eq!(media_type(b"RIFFxxxxWEBPVP8 "), Some("image/webp"));
        assert_eq!(media_type(b"<svg"), None);
    }
}
