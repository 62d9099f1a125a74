//! The requests of the attacks.

use std::net::SocketAddr;

/// Hosts that are not this server.
pub fn hosts(port: u16) -> Vec<String> {
    [
        "",
        "evil.example",
        "evil.example:PORT",
        "localhost",
        "localhost:",
        "localhost:1",
        "localhost:0PORT",
        "localhost.:PORT",
        "localhost:PORT.",
        "LOCALHOST.EVIL.EXAMPLE:PORT",
        "127.0.0.1.evil.example:PORT",
        "127.0.0.1",
        "127.1:PORT",
        "2130706433:PORT",
        "0x7f000001:PORT",
        "0.0.0.0:PORT",
        "[::]:PORT",
        "[::ffff:127.0.0.1]:PORT",
        "user@127.0.0.1:PORT",
        "127.0.0.1:PORT,evil.example",
        "127.0.0.1:PORT evil.example",
        "127.0.0.1:PORT/",
        "http://127.0.0.1:PORT",
    ]
    .map(|host| host.replace("PORT", &port.to_string()))
    .to_vec()
}

/// The headers of a request that a foreign web page makes in a browser.
pub fn pages(port: u16) -> Vec<String> {
    [
        "Origin: https://evil.example",
        "Origin: http://evil.example:PORT",
        "Origin: null",
        "Origin: ",
        "Origin: file://",
        "Origin: https://127.0.0.1:PORT",
        "Origin: http://localhost:3000",
        "Origin: http://127.0.0.1:PORT@evil.example",
        "Origin: http://127.0.0.1:PORT.evil.example",
        "Origin: http://127.0.0.1:PORT\r\nOrigin: https://evil.example",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
    ]
    .map(|head| head.replace("PORT", &port.to_string()))
    .to_vec()
}

/// Headers with no key, a wrong one, or more than one.
pub fn keys(key: &str) -> Vec<String> {
    let shorter = &key[..key.len() - 1];
    let upper = key.to_ascii_uppercase();
    [
        String::new(),
        "Authorization: \r\n".to_owned(),
        "Authorization: Bearer\r\n".to_owned(),
        "Authorization: Bearer wrong\r\n".to_owned(),
        format!("Authorization: Bearer {shorter}\r\n"),
        format!("Authorization: Bearer {key}x\r\n"),
        format!("Authorization: Bearer {upper}\r\n"),
        format!("Authorization: Basic {key}\r\n"),
        format!("Authorization: {key}\r\n"),
        format!("Authorization: Bearer {key}, Bearer {key}\r\n"),
        format!("Authorization: Bearer {key}\r\nAuthorization: Bearer {key}\r\n"),
        format!("Authorization: Bearer wrong\r\nAuthorization: Bearer {key}\r\n"),
        format!("Authorization: Bearer {key}\r\nX-BARE-PASSWORD: password {key}\r\n"),
        format!("X-BARE-PASSWORD: {key}\r\n"),
        format!("X-API-Key: {key}\r\n"),
    ]
    .to_vec()
}

/// Callback URLs that lead to this server itself, to other machines, or nowhere that callbacks may go.
pub fn callback_urls(own: u16, canary: &str) -> Vec<String> {
    let canary = canary.trim_start_matches("http://");
    let canary_port = canary.rsplit(':').next().unwrap_or_default();
    [
        "http://127.0.0.1:OWN/v1/agents/",
        "http://localhost:OWN/",
        "http://LOCALHOST:OWN/",
        "http://[::1]:OWN/",
        "http://[0000:0000::0001]:OWN/",
        "http://[::ffff:127.0.0.1]:OWN/",
        "http://[::ffff:7f00:1]:OWN/",
        "http://127.0.0.2:OWN/",
        "http://127.1:OWN/",
        "http://2130706433:OWN/",
        "http://0x7f000001:OWN/",
        "http://0x7f.0x0.0x0.0x1:OWN/",
        "http://0177.0.0.1:OWN/",
        "http://017700000001:OWN/",
        "http://%31%32%37.0.0.1:OWN/",
        "http://１２７.０.０.１:OWN/",
        "http://127。0。0。1:OWN/",
        "http://a:b@127.0.0.1:OWN/",
        "http://0.0.0.0:CANARY/",
        "http://0:CANARY/",
        "http://[::]:CANARY/",
        "http://[::127.0.0.1]:CANARY/",
        "http://[64:ff9b::7f00:1]:CANARY/",
        "http://[2002:7f00:1::]:CANARY/",
        "http://localhost.:CANARY/",
        "http://a.localhost:CANARY/",
        "http://localhost.localdomain:CANARY/",
        "http://127.0.0.1.evil.example:CANARY/",
        "http://127.0.0.1:CANARY@evil.example/",
        "http://evil.example#@127.0.0.1:CANARY/",
        "http://evil.example\\@127.0.0.1:CANARY/",
        "http://127.0.0.1:CANARY\\@evil.example/",
        "http://127.0.0.1:CANARY/\r\nX-Injected: yes",
        "http://127.0.0.1:CANARY/ HTTP/1.1",
        "\thttp://127.0.0.1:CANARY/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://metadata.google.internal/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.0.1/",
        "https://evil.example/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:CANARY/_GET",
        "ftp://127.0.0.1:CANARY/",
        "ws://127.0.0.1:CANARY/",
        "unix:/run/docker.sock",
        "//127.0.0.1:CANARY/",
        "127.0.0.1:CANARY",
        "http:///127.0.0.1.evil.example/",
        "http://127.0.0.1:99999/",
        "http://",
    ]
    .map(|url| url.replace("OWN", &own.to_string()).replace("CANARY", canary_port))
    .to_vec()
}

/// Bodies that are not valid requests.
pub fn not_json(send: &str, host: SocketAddr) -> Vec<String> {
    let post = |kind: &str, body: &str| {
        format!(
            "{send} HTTP/1.1\r\nHost: {host}\r\n{kind}Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let json = "Content-Type: application/json\r\n";
    let deep = "[".repeat(100_000);
    let mut requests = vec![
        post("Content-Type: text/plain\r\n", r#"{"input":"hi"}"#),
        post("Content-Type: application/x-www-form-urlencoded\r\n", r#"{"input":"hi"}"#),
        post("Content-Type: multipart/form-data; boundary=x\r\n", r#"{"input":"hi"}"#),
        post("", r#"{"input":"hi"}"#),
        format!("{send} HTTP/1.1\r\nHost: {host}\r\n{}Connection: close\r\n\r\n", "X-A: b\r\n".repeat(10_000)),
        format!("{send} HTTP/1.1\r\nHost: {host}\r\nX-A: {}\r\nConnection: close\r\n\r\n", "b".repeat(1 << 20)),
        format!("{send}?{} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", "b".repeat(1 << 20)),
    ];
    let deep_value = format!(r#"{{"input":{deep}"#);
    let bodies = ["", "{", "null", "[]", "7", "\"hi\"", "{\"input\":\"hi\"}{}", "{'input':'hi'}", "\u{feff}{}", "\0"];
    let more = [&deep, &deep_value, r#"{"input":"\ud800"}"#, r#"{"input":1e400}"#, r#"{"input":NaN}"#];
    requests.extend(bodies.iter().chain(&more).map(|body| post(json, body)));
    requests
}

/// Request smuggling: a second request after the body of a first one, whose length two readers understand differently.
pub fn smuggling(agent: &str, host: SocketAddr) -> Vec<String> {
    let hidden = format!(
        "POST /v1/agents/{agent}/messages/async HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Content-Length: 14\r\n\r\n{{\"input\":\"hi\"}}"
    );
    let length = hidden.len();
    let first = |framing: &str, body: &str| {
        format!("GET /v1/health/ HTTP/1.1\r\nHost: {host}\r\n{framing}\r\n\r\n{body}{hidden}")
    };
    let chunked = "0\r\n\r\n";
    vec![
        first("Content-Length: 5\r\nTransfer-Encoding: chunked", chunked),
        first("Transfer-Encoding: chunked\r\nContent-Length: 5", chunked),
        first(&format!("Content-Length: {}\r\nTransfer-Encoding: chunked", length + 5), chunked),
        first(&format!("Content-Length: 0\r\nContent-Length: {length}"), ""),
        first(&format!("Content-Length: {length}\r\nContent-Length: 0"), ""),
        first(&format!("Content-Length: 0, {length}"), ""),
        first("Content-Length: -1", ""),
        first("Content-Length: +0", ""),
        first("Content-Length: 0x0", ""),
        first("Content-Length: ", ""),
        first("Content-Length: 18446744073709551616", ""),
        first("Content-Length : 0", ""),
        first(" Content-Length: 0", ""),
        first("X: y\r\n Content-Length: 0", ""),
        first("Transfer-Encoding: xchunked", chunked),
        first("Transfer-Encoding: chunked, identity", chunked),
        first("Transfer-Encoding : chunked", chunked),
        first("Transfer-Encoding\t: chunked", chunked),
        first("Transfer-Encoding: \u{b}chunked", chunked),
        first("Transfer-Encoding: chunked", "-1\r\n\r\n"),
        first("Transfer-Encoding: chunked", "0x0\r\n\r\n"),
        first("Transfer-Encoding: chunked", "10000000000000000\r\n"),
        first("Transfer-Encoding: chunked", "0;\n\r\n"),
        first("X\0: y", ""),
        first("X: y\0", ""),
        first("X: y\rZ: z", ""),
        format!("GET /v1/health/ HTTP/1.0\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}{hidden}"),
        format!("GET /v1/health/ HTTP/9.9\r\nHost: {host}\r\n\r\n{hidden}"),
        format!("GET /v1/health/\r\n\r\n{hidden}"),
        format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{hidden}"),
        format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n{hidden}"),
    ]
}

/// SQL injection in ids, cursors, filters and names.
pub fn metacharacters(agent: &str, host: SocketAddr) -> Vec<String> {
    let words = [
        "'",
        "\"",
        "';DROP TABLE runs;--",
        "' OR '1'='1",
        "' OR 1=1--",
        "1) OR (1=1",
        "%' OR '%'='",
        "%",
        "_",
        "*",
        "\\",
        "\0",
        "a' UNION SELECT sql FROM sqlite_schema--",
        "'||(SELECT hex(randomblob(9)))||'",
        "x'; ATTACH DATABASE '/tmp/x' AS x;--",
        "?1",
        ":name",
        "$$",
        "999999999999999999999999",
        "-1",
        "1e9",
        "NaN",
        "../runs",
        "%2e%2e",
        "\u{202e}",
    ];
    let get = |path: String| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    words
        .iter()
        .map(|word| percent(word))
        .flat_map(|word| {
            [
                format!("/v1/runs/{word}"),
                format!("/v1/agents/{word}"),
                format!("/v1/agents/?name={word}"),
                format!("/v1/agents/?query_text={word}x"),
                format!("/v1/agents/?tags={word}"),
                format!("/v1/runs/?agent_id={word}"),
                format!("/v1/runs/?after={word}&agent_id=x"),
                format!("/v1/runs/?statuses={word}"),
                format!("/v1/runs/?stop_reason={word}"),
                format!("/v1/runs/?order={word}&agent_id=x"),
                format!("/v1/runs/?limit={word}&agent_id=x"),
                format!("/v1/agents/{agent}/messages?before={word}"),
            ]
        })
        .map(get)
        .collect()
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
