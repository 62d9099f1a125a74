//! Bodies that a server should not send, and those that it may.

/// A valid run; the others are broken copies of it.
pub const RUN: &str = r#"{"id":"run-22222222-2222-4222-8222-222222222222","status":"completed","stop_reason":"end_turn","created_at":"2026-11-23T14:56:08.275779Z","completed_at":"2026-11-23T14:56:09.670795","agent_id":"agent-11111111-1111-4111-8111-111111111111","background":true,"metadata":{"run_type":"send_message_async","lettuce":null},"callback_url":null,"ttft_ns":null,"total_duration_ns":3292683000}"#;

/// A body by its name: content type and bytes.
pub struct Body {
    pub name: String,
    pub kind: &'static str,
    pub bytes: Vec<u8>,
}

/// Texts that are sent as JSON.
const TEXTS: [&str; 22] = [
    "",
    " ",
    "null",
    "true",
    "7",
    "1e400",
    "\"run\"",
    "[]",
    "[null]",
    "[[]]",
    "{}",
    "{\"id\":null}",
    "{\"id\":7}",
    "{\"id\":\"../agents\"}",
    "{\"id\":\"run-1\\r\\nX: y\"}",
    "{\"id\":\"run-22222222-2222-4222-8222-222222222222\",\"id\":7}",
    "[\"run-22222222-2222-4222-8222-222222222222\",\"completed\",1,{}]",
    "{\"error\":{\"error\":{\"error\":{}}}}",
    "{\"detail\":[{\"loc\":[[]],\"msg\":7}]}",
    "{'id': 'run-22222222'}",
    "data: {\"id\":\"run-22222222-2222-4222-8222-222222222222\"}\n\n",
    "NaN",
];

/// Values for fields of a run, none of them of the kind that is documented.
const ODD: [(&str, &str); 16] = [
    ("status", "\"expired\""),
    ("status", "null"),
    ("status", "7"),
    ("status", "\"COMPLETED\""),
    ("status", "\"\\u001b]0;title\\u0007\\u202e\""),
    ("stop_reason", "{\"a\":[]}"),
    ("stop_reason", "\"\\u0000\""),
    ("created_at", "\"yesterday\""),
    ("created_at", "\"9999-99-99T99:99:99Z\""),
    ("completed_at", "-1e308"),
    ("agent_id", "[]"),
    ("metadata", "\"text\""),
    ("metadata", "{\"error\":[[[]]]}"),
    ("ttft_ns", "1e400"),
    ("total_duration_ns", "-9223372036854775809"),
    ("total_duration_ns", "99999999999999999999999999"),
];

/// Error pages of gateways and captive portals.
const PAGES: [&str; 6] = [
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center>nginx</center></body></html>",
    "<!DOCTYPE html><html lang=en><title>Just a moment...</title><meta http-equiv=refresh content=0>",
    "<html><head><title>\u{1b}[31mred</title></head></html>",
    "<title>",
    "no healthy upstream",
    "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>",
];

/// All bodies: sixty bad ones, and one good one as a control.
pub fn corpus() -> Vec<Body> {
    let json = "application/json";
    let body = |name: String, kind, bytes: Vec<u8>| Body { name, kind, bytes };
    let texts = TEXTS.iter().map(|text| body(format!("json {text:?}"), json, text.as_bytes().to_vec()));
    let odd = ODD.iter().map(|(field, value)| body(format!("{field} {value}"), json, with(field, value).into_bytes()));
    let pages = PAGES.iter().map(|page| body(format!("page {page:?}"), "text/html", page.as_bytes().to_vec()));
    let others = [
        ("a good run", json, RUN.as_bytes().to_vec()),
        ("a good run called text", "text/plain", RUN.as_bytes().to_vec()),
        ("a good run called a page", "text/html; charset=latin-1", RUN.as_bytes().to_vec()),
        ("a good run behind a byte-order mark", json, format!("\u{feff}{RUN}").into_bytes()),
        ("another run", json, RUN.replace("22222222-2222", "33333333-2222").into_bytes()),
        ("a run in a list", json, format!("[{RUN}]").into_bytes()),
        ("two runs", json, format!("{RUN}{RUN}").into_bytes()),
        ("a run and a bracket", json, format!("{RUN}]").into_bytes()),
        ("UTF-16", json, RUN.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("Latin-1", json, b"{\"id\":\"run-22222222\",\"name\":\"\xe9\"}".to_vec()),
        ("a lone surrogate", json, with("agent_id", "\"\\ud800\"").into_bytes()),
        ("NUL bytes", json, vec![0; 4096]),
        ("every byte", json, (0..=255).collect()),
        ("deep lists", json, "[".repeat(100_000).into_bytes()),
        ("deep objects", json, "{\"a\":".repeat(100_000).into_bytes()),
        ("a deep field", json, with("metadata", &("[".repeat(200) + &"]".repeat(200))).into_bytes()),
        ("a long field", json, with("agent_id", &format!("\"{}\"", "a".repeat(1 << 18))).into_bytes()),
    ];
    let others = others.into_iter().map(|(name, kind, bytes)| body(name.to_owned(), kind, bytes));
    texts.chain(odd).chain(pages).chain(others).collect()
}

/// The run with one field of another value.
fn with(field: &str, value: &str) -> String {
    let start = RUN.find(&format!("\"{field}\":")).expect("a field of a run") + field.len() + 3;
    let rest = &RUN[start..];
    // Objects of a run hold no objects.
    let end = if rest.starts_with('{') { rest.find('}').map(|at| at + 1) } else { rest.find([',', '}']) };
    format!("{}{value}{}", &RUN[..start], &rest[end.expect("something follows")..])
}
