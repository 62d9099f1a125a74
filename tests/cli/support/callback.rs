//! Calling a listener back, as a server does at the end of a run.

use serde_json::json;

use super::serve::{exchange, status};

/// The URL that a listener printed on its standard error.
pub fn url_in(said: &str) -> String {
    said.lines().find_map(|line| line.strip_prefix("url: ")).unwrap_or_else(|| panic!("no URL: {said}")).to_owned()
}

/// The body that a server posts about a run.
pub fn about(run: &str) -> String {
    json!({"run_id": run, "status": "completed", "metadata": {}}).to_string()
}

/// Posts a callback and returns the status of the answer.
pub fn post(url: &str, body: &str) -> u16 {
    request(url, "POST", "application/json", body)
}

/// Sends a listener any request.
pub fn request(url: &str, method: &str, content_type: &str, body: &str) -> u16 {
    let (address, path) = url.strip_prefix("http://").and_then(|url| url.split_once('/')).expect("an http URL");
    let head = format!("{method} /{path} HTTP/1.1\r\nhost: x\r\ncontent-type: {content_type}\r\n");
    let request = format!("{head}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    status(&exchange(address.parse().expect("an address"), request.as_bytes()))
}
