//! Where settings come from, the strongest first: a flag, the environment, the profile, a default.

use std::io::Read as _;
use std::path::Path;

use url::Url;

use super::base_url::base_url;
use super::config_file::ConfigFile;
use super::key::Key;
use super::profile::Profile;
use super::settings::{Base, CLOUD, Flags, SELF_HOSTED, Settings, no_key};
use super::{Env, Given, Origin, Secret, credentials, headers, server_registry};
use crate::exit::Exit;
use crate::net::proxy::Proxies;
use crate::report::Failure;

/// The most bytes that a key file is read for.
const KEY_FILE_CAP: u64 = 64 << 10;
/// Where no key comes from.
pub const NO_KEY: Origin = Origin::Default("none");

/// All places at which a setting is looked for.
pub struct Sources<'a> {
    flags: &'a Flags,
    env: &'a Env,
    file: ConfigFile,
    profile: Option<Profile>,
}

impl<'a> Sources<'a> {
    /// Reads the configuration file.
    pub fn read(flags: &'a Flags, env: &'a Env) -> Result<Self, Failure> {
        let file = ConfigFile::load(env)?;
        let profile = file.active(flags.profile.as_deref(), env)?;
        Ok(Self { flags, env, file, profile })
    }

    /// The server that somebody named.
    pub fn named_base(&self) -> Result<Option<Given<Url>>, Failure> {
        let flag = self.flags.base_url.clone().map(|url| Given::new(url, Origin::Flag("--base-url")));
        let named = flag.or_else(|| self.variable("LETTA_BASE_URL")).or_else(|| self.of_profile(Key::BaseUrl));
        let read = |given: Given<String>| {
            base_url(&given.value, &given.origin.to_string()).map(|url| Given::new(url, given.origin))
        };
        named.map(read).transpose()
    }

    /// The server where nobody named one: the cloud if there is a key for it, else this machine.
    pub fn default_base(&self) -> Result<Given<Url>, Failure> {
        let has_file = self.flags.api_key_file.is_some();
        let variable = self.env.get("LETTA_API_KEY");
        if variable.as_ref().is_some_and(|key| key.trim().is_empty()) && !has_file {
            return Err(no_key("LETTA_API_KEY is set but empty"));
        }
        let cloud = cloud("the default with a key")?;
        if has_file || variable.is_some() || credentials::key_for(self.env, &cloud.value)?.is_some() {
            return Ok(cloud);
        }
        let origin = "the default";
        Ok(Given::new(base_url(SELF_HOSTED, origin)?, Origin::Default(origin)))
    }

    /// The key for a server: what was given now, the server of this program that runs there, what `login` saved for it.
    pub fn key(&self, base: &Url) -> Result<Given<Option<Secret>>, Failure> {
        if let Some(file) = &self.flags.api_key_file {
            return Ok(Given::new(Some(read_key(file)?), Origin::Flag("--api-key-file")));
        }
        if let Some(key) = self.env.given("LETTA_API_KEY").filter(|key| !key.trim().is_empty()) {
            return Ok(Given::new(Some(Secret::new(key, "LETTA_API_KEY")?), Origin::Variable("LETTA_API_KEY")));
        }
        // Its record counts only while it runs, and then no other key is right.
        if let Some(key) = server_registry::key(self.env, base) {
            return Ok(Given::new(Some(key), Origin::Default("the server that runs here")));
        }
        let saved = credentials::key_for(self.env, base)?;
        let origin = if saved.is_some() { Origin::Login } else { NO_KEY };
        Ok(Given::new(saved, origin))
    }

    /// The settings for a server.
    pub fn settings(self, base: Given<Url>, key: Given<Option<Secret>>) -> Result<Settings, Failure> {
        Ok(Settings {
            base: Base::Server(base.value),
            base_origin: base.origin,
            key: key.value,
            key_origin: key.origin,
            agent: self.variable("LETTA_AGENT_ID").or_else(|| self.of_profile(Key::Agent)),
            headers: headers::gather(&self.flags.headers, self.env, self.profile.as_ref())?,
            unknown_keys: self.file.unknown_keys(),
            proxies: Proxies::read(|name| self.env.get(name)),
            ca_cert: self.flags.ca_cert.clone(),
            allow_plain_http: self.flags.allow_plain_http,
            request_timeout: self.flags.request_timeout,
            profile: self.profile.map(|profile| profile.name),
        })
    }

    fn variable(&self, name: &'static str) -> Option<Given<String>> {
        self.env.given(name).map(|value| Given::new(value, Origin::Variable(name)))
    }

    fn of_profile(&self, key: Key) -> Option<Given<String>> {
        self.profile.as_ref()?.get(key)
    }
}

/// The cloud, for a reason.
pub fn cloud(why: &'static str) -> Result<Given<Url>, Failure> {
    Ok(Given::new(base_url(CLOUD, why)?, Origin::Default(why)))
}

/// The first line of a file, of a pipe, or of standard input (`-`).
pub fn read_key(file: &Path) -> Result<Secret, Failure> {
    let text = read_start(file).map_err(|error| {
        Failure::new(Exit::Local, "key_file", format!("cannot read the key file {}", file.display()))
            .cause(error)
            .hint("name a file that can be read; its first line is the key")
    })?;
    let secret = Secret::new(text.lines().next().unwrap_or_default().to_owned(), "--api-key-file")?;
    if secret.is_empty() {
        return Err(no_key(&format!("the key file {} is empty", file.display())));
    }
    Ok(secret)
}

fn read_start(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().take(KEY_FILE_CAP).read_to_string(&mut text)?;
    } else {
        std::fs::File::open(file)?.take(KEY_FILE_CAP).read_to_string(&mut text)?;
    }
    Ok(text)
}
