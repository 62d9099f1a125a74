//! A base URL: what is taken can be taken again, and every request made from it goes to its host.
#![no_main]

use agentctl::config::base_url::base_url;
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|text: &str| {
    let Ok(url) = base_url(text, "the fuzzer") else { return };
    assert!(matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty()));
    assert!(url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none());
    let base = url.as_str().trim_end_matches('/');
    let request = Url::parse(&format!("{base}/v1/runs/run-12345678")).expect("a URL");
    assert_eq!(request.origin(), url.origin());
    assert!(request.path().ends_with("/v1/runs/run-12345678"));
    assert_eq!(base_url(base, "the fuzzer").expect("what was taken is taken again").origin(), url.origin());
});
