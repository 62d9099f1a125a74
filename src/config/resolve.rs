//! Resolution of settings from flags, environment, profile and defaults.

use super::headers;
use super::secret::missing_key;
use super::setting_sources::{self, CLOUD, NO_KEY, SettingSources};
use super::settings::{Base, ConnectionFlags, Settings};
use super::{Env, Given, Provenance};
use crate::net::proxy::Proxies;
use crate::report::Failure;

impl Settings {
    /// Resolves the settings and reads the files that they name. Returns an error if the cloud is selected without a key.
    pub fn resolve(flags: &ConnectionFlags, env: &Env) -> Result<Self, Failure> {
        Self::resolve_allowing_no_key(flags, env)?.check_key()
    }

    /// Resolves the settings like [`Self::resolve`], also for the cloud without a key.
    pub fn resolve_allowing_no_key(flags: &ConnectionFlags, env: &Env) -> Result<Self, Failure> {
        if flags.local {
            return local(flags);
        }
        let sources = SettingSources::read(flags, env)?;
        let base = sources.named_base()?.map_or_else(|| sources.default_base(), Ok)?;
        let key = sources.key(&base.value)?;
        sources.settings(base, key)
    }

    /// Resolves the settings of `login` and `logout`: no key, and the cloud as the default server.
    pub fn for_login(flags: &ConnectionFlags, env: &Env) -> Result<Self, Failure> {
        if flags.local {
            let failure = Failure::usage("the local server needs no login: its key is found on this machine");
            return Err(failure.hint("leave --local out"));
        }
        let sources = SettingSources::read(flags, env)?;
        let base = sources.named_base()?.map_or_else(|| setting_sources::cloud("the default of login"), Ok)?;
        sources.settings(base, Given::new(None, NO_KEY))
    }

    /// Returns an error if there is no key for the cloud. Other servers may need none.
    fn check_key(self) -> Result<Self, Failure> {
        let is_cloud = matches!(&self.base, Base::Server(url) if url.host_str() == Some("api.letta.com"));
        if is_cloud && self.key.is_none() {
            return Err(missing_key(&format!("no API key for {CLOUD}")));
        }
        Ok(self)
    }
}

fn local(flags: &ConnectionFlags) -> Result<Settings, Failure> {
    let named = [("--base-url", flags.base_url.is_some()), ("--profile", flags.profile.is_some())];
    if let Some((flag, _)) = named.iter().find(|(_, given)| *given) {
        let failure = Failure::usage(format!("--local and {flag} name two different servers"));
        return Err(failure.hint("leave one of them out"));
    }
    Ok(Settings {
        base: Base::Local,
        base_provenance: Provenance::Flag("--local"),
        key: None,
        key_provenance: NO_KEY,
        agent: None,
        headers: headers::collect(&flags.headers, &Env::from([]), None)?,
        profile: None,
        unknown_keys: vec![],
        proxies: Proxies::default(),
        ca_cert: None,
        allow_plain_http: false,
        request_timeout: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::setting_sources::SELF_HOSTED;
    use crate::exit::Exit;

    fn resolve<const N: usize>(base_url: Option<&str>, env: [(&str, &str); N]) -> Result<Settings, Failure> {
        let flags = ConnectionFlags { base_url: base_url.map(str::to_owned), ..ConnectionFlags::default() };
        Settings::resolve(&flags, &Env::from(env))
    }

    fn url(settings: &Settings) -> String {
        settings.server_name()
    }

    #[test]
    fn the_base_url_comes_from_flag_then_environment_then_default() {
        let settings = resolve(Some("http://a/"), [("LETTA_BASE_URL", "http://b")]).expect("settings");
        assert_eq!((url(&settings).as_str(), settings.base_provenance), ("http://a", Provenance::Flag("--base-url")));
        let settings = resolve(None, [("LETTA_BASE_URL", "http://b:1/v1"), ("LETTA_API_KEY", "k")]).expect("settings");
        assert_eq!(
            (url(&settings).as_str(), settings.base_provenance),
            ("http://b:1", Provenance::Variable("LETTA_BASE_URL"))
        );
        assert_eq!(url(&resolve(None, [("LETTA_API_KEY", "k")]).expect("settings")), CLOUD);
        assert_eq!(url(&resolve(None, []).expect("settings")), SELF_HOSTED);
    }

    #[test]
    fn a_missing_key_is_an_error_for_the_cloud_only() {
        assert_eq!(resolve(None, [("LETTA_API_KEY", "")]).expect_err("no key").exit, Exit::NotAllowed);
        assert_eq!(resolve(Some(CLOUD), []).expect_err("no key").exit, Exit::NotAllowed);
        assert!(resolve(Some("http://a"), [("LETTA_API_KEY", "")]).expect("settings").key.is_none());
    }

    #[test]
    fn local_ignores_the_environment_and_conflicts_with_a_base_url() {
        let flags = ConnectionFlags { local: true, ..ConnectionFlags::default() };
        let env = Env::from([("LETTA_BASE_URL", "http://b"), ("LETTA_API_KEY", "k"), ("LETTA_AGENT_ID", "x")]);
        let settings = Settings::resolve(&flags, &env).expect("settings");
        assert!(settings.base == Base::Local && settings.key.is_none() && settings.agent.is_none());
        let both = ConnectionFlags { base_url: Some("http://a".into()), ..flags };
        assert_eq!(Settings::resolve(&both, &env).expect_err("a conflict").exit, Exit::Usage);
    }
}
