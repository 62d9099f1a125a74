//! Lookup of settings by precedence: flag, environment, profile, default.

use url::Url;

use super::base_url::base_url;
use super::config_file::ConfigFile;
use super::profile::Profile;
use super::secret::missing_key;
use super::setting_name::SettingName;
use super::settings::{Base, ConnectionFlags, Settings};
use super::{Env, Given, Provenance, Secret, credentials, headers, key_file, server_registry};
use crate::net::proxy::Proxies;
use crate::report::Failure;

/// The address of the cloud.
pub const CLOUD: &str = "https://api.letta.com";
/// The default address of a self-hosted server.
pub const SELF_HOSTED: &str = "http://localhost:8283";
/// The provenance of a missing key.
pub const NO_KEY: Provenance = Provenance::Default("none");

/// All sources of settings.
pub struct SettingSources<'a> {
    flags: &'a ConnectionFlags,
    env: &'a Env,
    file: ConfigFile,
    profile: Option<Profile>,
}

impl<'a> SettingSources<'a> {
    /// Reads the configuration file.
    pub fn read(flags: &'a ConnectionFlags, env: &'a Env) -> Result<Self, Failure> {
        let file = ConfigFile::load(env)?;
        let profile = file.active(flags.profile.as_deref(), env)?;
        Ok(Self { flags, env, file, profile })
    }

    /// Returns the base URL from flag, environment or profile.
    pub fn named_base(&self) -> Result<Option<Given<Url>>, Failure> {
        let flag = self.flags.base_url.clone().map(|url| Given::new(url, Provenance::Flag("--base-url")));
        let named =
            flag.or_else(|| self.env_value("LETTA_BASE_URL")).or_else(|| self.profile_value(SettingName::BaseUrl));
        let parse = |given: Given<String>| {
            base_url(&given.value, &given.provenance.to_string()).map(|url| Given::new(url, given.provenance))
        };
        named.map(parse).transpose()
    }

    /// Returns the default base URL: the cloud if there is a key for it, else `localhost`.
    pub fn default_base(&self) -> Result<Given<Url>, Failure> {
        let has_file = self.flags.api_key_file.is_some();
        let variable = self.env.get("LETTA_API_KEY");
        if variable.as_ref().is_some_and(|key| key.trim().is_empty()) && !has_file {
            return Err(missing_key("LETTA_API_KEY is set but empty"));
        }
        let cloud = cloud("the default with a key")?;
        if has_file || variable.is_some() || credentials::key_for(self.env, &cloud.value)?.is_some() {
            return Ok(cloud);
        }
        let provenance = "the default";
        Ok(Given::new(base_url(SELF_HOSTED, provenance)?, Provenance::Default(provenance)))
    }

    /// Returns the key for a server: from flag or environment, from the agentctl server that runs at this address, or from
    /// `login`.
    pub fn key(&self, base: &Url) -> Result<Given<Option<Secret>>, Failure> {
        if let Some(file) = &self.flags.api_key_file {
            return Ok(Given::new(Some(key_file::read(file)?), Provenance::Flag("--api-key-file")));
        }
        if let Some(key) = self.env.given("LETTA_API_KEY").filter(|key| !key.trim().is_empty()) {
            return Ok(Given::new(Some(Secret::new(key, "LETTA_API_KEY")?), Provenance::Variable("LETTA_API_KEY")));
        }
        // The registry lists running servers only, and each accepts no other key.
        if let Some(key) = server_registry::find_key(self.env, base) {
            return Ok(Given::new(Some(key), Provenance::Default("the server that runs here")));
        }
        let saved = credentials::key_for(self.env, base)?;
        let provenance = if saved.is_some() { Provenance::Login } else { NO_KEY };
        Ok(Given::new(saved, provenance))
    }

    /// Builds the settings for a server.
    pub fn settings(self, base: Given<Url>, key: Given<Option<Secret>>) -> Result<Settings, Failure> {
        Ok(Settings {
            base: Base::Server(base.value),
            base_provenance: base.provenance,
            key: key.value,
            key_provenance: key.provenance,
            agent: self.env_value("LETTA_AGENT_ID").or_else(|| self.profile_value(SettingName::Agent)),
            headers: headers::collect(&self.flags.headers, self.env, self.profile.as_ref())?,
            unknown_keys: self.file.unknown_keys(),
            proxies: Proxies::read(|name| self.env.get(name)),
            ca_cert: self.flags.ca_cert.clone(),
            allow_plain_http: self.flags.allow_plain_http,
            request_timeout: self.flags.request_timeout,
            profile: self.profile.map(|profile| profile.name),
        })
    }

    fn env_value(&self, name: &'static str) -> Option<Given<String>> {
        self.env.given(name).map(|value| Given::new(value, Provenance::Variable(name)))
    }

    fn profile_value(&self, setting: SettingName) -> Option<Given<String>> {
        self.profile.as_ref()?.get(setting)
    }
}

/// Returns the address of the cloud. `why` describes the default.
pub fn cloud(why: &'static str) -> Result<Given<Url>, Failure> {
    Ok(Given::new(base_url(CLOUD, why)?, Provenance::Default(why)))
}
