//! `credentials.toml`: a key or none, and nothing of the file in a message.
#![no_main]

use std::os::unix::fs::PermissionsExt;

use agentctl::config::{Env, credentials};
use libfuzzer_sys::fuzz_target;
use url::Url;

/// The secret, in place of each `?` of the fuzzer. No message may repeat it.
const CANARY: &str = "canary-0123456789";

fuzz_target!(|text: &str| {
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder");
    let env = Env::from([("AGENTCTL_CONFIG_DIR", dir.path().to_str().expect("UTF-8"))]);
    let path = dir.path().join("credentials.toml");
    std::fs::write(&path, text.replace('?', CANARY)).expect("written");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("a mode");
    let url: Url = "https://h".parse().expect("a URL");
    match credentials::key_for(&env, &url) {
        Ok(key) => assert!(key.is_none_or(|key| key.expose().bytes().all(|b| b.is_ascii_graphic()))),
        Err(failure) => assert!(!format!("{failure:?}").contains(CANARY), "{failure:?}"),
    }
});
