//! `config.toml`: read or refused with a place, and changed without losing what is not understood.
#![no_main]

use agentctl::config::Env;
use agentctl::config::config_file::ConfigFile;
use agentctl::config::edit::{Edit, apply};
use agentctl::config::setting_name::SettingName;
use agentctl::config::setting_path::SettingPath;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder");
    let env = Env::from([("AGENTCTL_CONFIG_DIR", dir.path().to_str().expect("UTF-8"))]);
    let path = dir.path().join("config.toml");
    std::fs::write(&path, text).expect("written");
    let file = match ConfigFile::load(&env) {
        Ok(file) => file,
        Err(failure) => {
            assert!(failure.message.contains("config.toml"), "{}", failure.message);
            return;
        }
    };
    let _ = file.active(None, &env);
    let unknown = file.unknown_keys();
    let set = Edit::Set(SettingPath { profile: Some("p".to_owned()), setting: SettingName::Agent }, "x".to_owned());
    if apply(&env, None, &set).is_ok() {
        let file = ConfigFile::load(&env).expect("what was written can be read");
        assert_eq!(file.unknown_keys(), unknown);
        let profile = file.active(Some("p"), &env).expect("the profile").expect("the profile");
        assert_eq!(profile.get(SettingName::Agent).map(|given| given.value).as_deref(), Some("x"));
    }
});
