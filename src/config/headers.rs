//! Headers that go with every request to the server: the project, and what a person adds.

use std::io::Read as _;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::key::Key;
use super::profile::Profile;
use super::{Env, Origin};
use crate::exit::Exit;
use crate::report::Failure;
use crate::text::show;

/// A file of headers is read for so many bytes at most.
const FILE_CAP: u64 = 64 << 10;
/// What a person may not set: keys have a safer way, and the rest is this program's to say.
const RESERVED: [&str; 8] = [
    "authorization",
    "x-bare-password",
    "proxy-authorization",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "idempotency-key",
];

/// A header, and where it came from. A value that may be a secret is marked as sensitive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: HeaderName,
    /// Its value.
    pub value: HeaderValue,
    /// Where it came from.
    pub origin: Origin,
}

impl Header {
    /// The value, or a word in its place if it may be a secret.
    pub fn shown(&self) -> &str {
        if self.value.is_sensitive() { "(redacted)" } else { self.value.to_str().unwrap_or_default() }
    }
}

/// Puts the headers together. What is named by a stronger place replaces all of that name from weaker ones; one place
/// may give a name several times.
pub fn gather(flags: &[String], env: &Env, profile: Option<&Profile>) -> Result<Vec<Header>, Failure> {
    let of_env = env.given("LETTA_CUSTOM_HEADERS").unwrap_or_default();
    let of_env = lines(&of_env, &Origin::Variable("LETTA_CUSTOM_HEADERS"))?;
    let of_flags: Result<Vec<Vec<Header>>, Failure> = flags.iter().map(|given| flag(given)).collect();
    let places = [project(env, profile)?, of_env, of_flags?.concat()];
    let overridden = |place: usize, header: &Header| {
        places[place + 1..].iter().flatten().any(|stronger| stronger.name == header.name)
    };
    let kept =
        places.iter().enumerate().flat_map(|(at, place)| place.iter().filter(move |header| !overridden(at, header)));
    Ok(kept.cloned().collect())
}

/// The headers as they are sent.
pub fn map(headers: &[Header]) -> HeaderMap {
    headers.iter().map(|header| (header.name.clone(), header.value.clone())).collect()
}

/// The project: variables replace what the profile says, since both kinds of header would contradict each other.
fn project(env: &Env, profile: Option<&Profile>) -> Result<Vec<Header>, Failure> {
    let variables = [("LETTA_PROJECT_ID", "x-project-id"), ("LETTA_PROJECT", "x-project")];
    let mut given: Vec<_> = variables
        .into_iter()
        .filter_map(|(variable, header)| Some((header, env.given(variable)?, Origin::Variable(variable))))
        .collect();
    if let Some(of_profile) = profile.and_then(|profile| profile.get(Key::Project)).filter(|_| given.is_empty()) {
        given.push(("x-project", of_profile.value, of_profile.origin));
    }
    given
        .into_iter()
        .map(|(name, value, origin)| {
            let bad = |_| {
                Failure::usage(format!("the project (from {origin}) does not fit into a header"))
                    .hint("use visible ASCII characters")
            };
            let value = HeaderValue::from_str(&value).map_err(bad)?;
            Ok(Header { name: HeaderName::from_static(name), value, origin })
        })
        .collect()
}

/// `Name: value`, or `@FILE` with such a line per header.
fn flag(given: &str) -> Result<Vec<Header>, Failure> {
    let origin = Origin::Flag("-H");
    let Some(file) = given.strip_prefix('@') else { return Ok(vec![header(given, &origin)?]) };
    let mut text = String::new();
    std::fs::File::open(file).and_then(|file| file.take(FILE_CAP).read_to_string(&mut text)).map_err(|error| {
        Failure::new(Exit::Local, "header_file", format!("cannot read the headers in {file}"))
            .cause(error)
            .hint("name a file that can be read, with a `Name: value` a line")
    })?;
    lines(&text, &origin)
}

fn lines(text: &str, origin: &Origin) -> Result<Vec<Header>, Failure> {
    text.lines().filter(|line| !line.trim().is_empty()).map(|line| header(line, origin)).collect()
}

/// Reads `Name: value`. The value may be a secret: no failure repeats it.
fn header(line: &str, origin: &Origin) -> Result<Header, Failure> {
    let bad =
        |why: &str| Failure::usage(format!("a header (from {origin}) {why}")).hint("write it like -H 'X-Name: value'");
    let (name, value) = line.split_once(':').ok_or_else(|| bad("has no colon"))?;
    let name: HeaderName = name.trim().parse().map_err(|_| bad("has a name that is none"))?;
    if RESERVED.contains(&name.as_str()) {
        let failure =
            Failure::usage(format!("the header {} (from {origin}) is not yours to set", show::clip(name.as_str(), 60)));
        return Err(failure.hint(match name.as_str() {
            "authorization" | "x-bare-password" => {
                "give the key in LETTA_API_KEY or --api-key-file, or `agentctl login`"
            }
            _ => "agentctl sets it as the request needs it",
        }));
    }
    let unsendable = || bad(&format!("named {name} has a value that cannot be sent"));
    let mut value = HeaderValue::from_str(value.trim()).map_err(|_| unsendable())?;
    if value.as_bytes().iter().any(|b| !matches!(b, b' '..=b'~' | b'\t')) {
        return Err(unsendable());
    }
    value.set_sensitive(true);
    Ok(Header { name, value, origin: origin.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(flags: &[&str], env: &Env) -> Result<Vec<String>, Failure> {
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let text = |header: &Header| format!("{}: {}", header.name, header.value.to_str().unwrap_or("odd"));
        gather(&flags, env, None).map(|headers| headers.iter().map(text).collect())
    }

    #[test]
    fn a_stronger_place_replaces_what_weaker_ones_say() {
        let env = Env::from([
            ("LETTA_PROJECT", "p"),
            ("LETTA_PROJECT_ID", "i"),
            ("LETTA_CUSTOM_HEADERS", "X-A: 1\n\n x-b : 2 \nx-a: 3\nX-Project: q\n"),
        ]);
        assert_eq!(
            gathered(&[], &env),
            Ok(["x-project-id: i", "x-a: 1", "x-b: 2", "x-a: 3", "x-project: q"].map(str::to_owned).into())
        );
        let flags = ["X-A: 4", "X-A:5", "X-Project-Id:"];
        assert_eq!(
            gathered(&flags, &env),
            Ok(["x-b: 2", "x-project: q", "x-a: 4", "x-a: 5", "x-project-id: "].map(str::to_owned).into())
        );
    }

    #[test]
    fn what_is_not_for_a_person_to_set_is_refused_without_its_value() {
        for line in [
            "Authorization: Bearer canary",
            "authorization : canary",
            "X-BARE-PASSWORD: canary",
            "Host: canary",
            "Content-Length: 7canary",
            "Transfer-Encoding: canary",
            "Idempotency-Key: canary",
            "canary",
            "X Y: canary",
            ": canary",
            "X-Y: cana\u{7f}ry",
            "X-Y: canary\r\nX-Z: y",
            "X-Y: canarü",
            "X-Y: canary\0",
        ] {
            let failure = gathered(&[line], &Env::from([])).expect_err(line);
            assert_eq!(failure.exit, Exit::Usage, "{line}");
            assert!(!failure.message.contains("canar"), "{}", failure.message);
        }
    }

    #[test]
    fn every_byte_is_sent_as_it_is_or_refused() {
        for byte in 0..=0x7f_u8 {
            let line = format!("X-Y: a{}b", byte as char);
            let sendable = matches!(byte, b' '..=b'~' | b'\t');
            assert_eq!(header(&line, &Origin::Flag("-H")).is_ok(), sendable, "{byte:#x}");
        }
    }

    #[test]
    fn a_value_that_may_be_a_secret_is_not_printed() {
        let header = header("X-Y: canary", &Origin::Flag("-H")).expect("a header");
        assert!(!format!("{header:?}").contains("canary"));
    }
}
