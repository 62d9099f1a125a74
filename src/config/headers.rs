//! Headers of every request to the server: the project, and custom headers.

use std::io::Read as _;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::profile::Profile;
use super::setting_name::SettingName;
use super::{Env, Provenance};
use crate::exit::Exit;
use crate::report::Failure;
use crate::text::show;

/// The largest part of a header file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 64 << 10;
/// Header names that cannot be customised: keys have safer sources, and agentctl computes the others.
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

/// A header with its provenance. A value that may be a secret is marked as sensitive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The header name.
    pub name: HeaderName,
    /// The header value.
    pub value: HeaderValue,
    /// The source of the header.
    pub provenance: Provenance,
}

impl Header {
    /// Returns the value, or `(redacted)` if it may be a secret.
    pub fn shown(&self) -> &str {
        if self.value.is_sensitive() { "(redacted)" } else { self.value.to_str().unwrap_or_default() }
    }
}

/// Collects the headers from profile, environment and flags, in order of rising precedence. A source replaces all headers
/// of the same name from earlier sources. One source may repeat a name.
pub fn collect(flags: &[String], env: &Env, profile: Option<&Profile>) -> Result<Vec<Header>, Failure> {
    let of_env = env.given("LETTA_CUSTOM_HEADERS").unwrap_or_default();
    let of_env = lines(&of_env, &Provenance::Variable("LETTA_CUSTOM_HEADERS"))?;
    let of_flags: Result<Vec<Vec<Header>>, Failure> = flags.iter().map(|given| flag(given)).collect();
    let sources = [project(env, profile)?, of_env, of_flags?.concat()];
    let is_overridden =
        |at: usize, header: &Header| sources[at + 1..].iter().flatten().any(|later| later.name == header.name);
    let kept = sources
        .iter()
        .enumerate()
        .flat_map(|(at, source)| source.iter().filter(move |header| !is_overridden(at, header)));
    Ok(kept.cloned().collect())
}

/// Converts the headers for a request.
pub fn to_map(headers: &[Header]) -> HeaderMap {
    headers.iter().map(|header| (header.name.clone(), header.value.clone())).collect()
}

/// Returns the project headers. Variables replace the profile's project: `X-Project-Id` of one and `X-Project` of the other
/// could name two projects.
fn project(env: &Env, profile: Option<&Profile>) -> Result<Vec<Header>, Failure> {
    let variables = [("LETTA_PROJECT_ID", "x-project-id"), ("LETTA_PROJECT", "x-project")];
    let mut given: Vec<_> = variables
        .into_iter()
        .filter_map(|(variable, header)| Some((header, env.given(variable)?, Provenance::Variable(variable))))
        .collect();
    if let Some(of_profile) = profile.and_then(|profile| profile.get(SettingName::Project)).filter(|_| given.is_empty())
    {
        given.push(("x-project", of_profile.value, of_profile.provenance));
    }
    given
        .into_iter()
        .map(|(name, value, provenance)| {
            let bad = |_| {
                Failure::usage(format!("the project (from {provenance}) cannot be sent in a header"))
                    .hint("use visible ASCII characters")
            };
            let value = HeaderValue::from_str(&value).map_err(bad)?;
            Ok(Header { name: HeaderName::from_static(name), value, provenance })
        })
        .collect()
}

/// Parses a `-H` flag: `Name: value`, or `@FILE` with one header per line.
fn flag(given: &str) -> Result<Vec<Header>, Failure> {
    let provenance = Provenance::Flag("-H");
    let Some(file) = given.strip_prefix('@') else { return Ok(vec![header(given, &provenance)?]) };
    let mut text = String::new();
    std::fs::File::open(file).and_then(|file| file.take(MAX_FILE_BYTES).read_to_string(&mut text)).map_err(
        |error| {
            Failure::new(Exit::Local, "header_file", format!("cannot read the headers in {file}"))
                .cause(error)
                .hint("give a readable file with one `Name: value` per line")
        },
    )?;
    lines(&text, &provenance)
}

fn lines(text: &str, provenance: &Provenance) -> Result<Vec<Header>, Failure> {
    text.lines().filter(|line| !line.trim().is_empty()).map(|line| header(line, provenance)).collect()
}

/// Parses `Name: value`. Errors never repeat the value, since it may be a secret.
fn header(line: &str, provenance: &Provenance) -> Result<Header, Failure> {
    let bad = |why: &str| {
        Failure::usage(format!("a header (from {provenance}) {why}")).hint("write it like -H 'X-Name: value'")
    };
    let (name, value) = line.split_once(':').ok_or_else(|| bad("has no colon"))?;
    let name: HeaderName = name.trim().parse().map_err(|_| bad("has an invalid name"))?;
    if RESERVED.contains(&name.as_str()) {
        let failure =
            Failure::usage(format!("the header {} (from {provenance}) cannot be set", show::clip(name.as_str(), 60)));
        return Err(failure.hint(match name.as_str() {
            "authorization" | "x-bare-password" => {
                "give the key in LETTA_API_KEY or --api-key-file, or `agentctl login`"
            }
            _ => "agentctl computes it for each request",
        }));
    }
    let unsendable = || bad(&format!("named {name} has a value that cannot be sent"));
    let mut value = HeaderValue::from_str(value.trim()).map_err(|_| unsendable())?;
    if value.as_bytes().iter().any(|b| !matches!(b, b' '..=b'~' | b'\t')) {
        return Err(unsendable());
    }
    value.set_sensitive(true);
    Ok(Header { name, value, provenance: provenance.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(flags: &[&str], env: &Env) -> Result<Vec<String>, Failure> {
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let text = |header: &Header| format!("{}: {}", header.name, header.value.to_str().unwrap_or("odd"));
        collect(&flags, env, None).map(|headers| headers.iter().map(text).collect())
    }

    #[test]
    fn a_flag_replaces_headers_of_the_environment_and_the_environment_those_of_the_project() {
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
    fn reserved_and_invalid_headers_are_refused_without_repeating_the_value() {
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
    fn every_byte_of_a_value_is_visible_ascii_space_or_tab() {
        for byte in 0..=0x7f_u8 {
            let line = format!("X-Y: a{}b", byte as char);
            let sendable = matches!(byte, b' '..=b'~' | b'\t');
            assert_eq!(header(&line, &Provenance::Flag("-H")).is_ok(), sendable, "{byte:#x}");
        }
    }

    #[test]
    fn debug_output_of_a_custom_header_hides_the_value() {
        let header = header("X-Y: canary", &Provenance::Flag("-H")).expect("a header");
        assert!(!format!("{header:?}").contains("canary"));
    }
}
