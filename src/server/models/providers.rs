//! Endpoints with OpenAI's chat completions API, which many programs implement.

use std::time::Duration;

use http::HeaderValue;
use http::header::AUTHORIZATION;
use serde_json::Value;
use tokio::time::timeout;
use url::Url;

use crate::net::client::PlainHttp;
use crate::net::proxy::Proxies;
use crate::net::{ConnectionSettings, tls};
use crate::report::Failure;
use crate::server::types::model_info::{CONTEXT_WINDOW, ModelInfo};

/// The endpoints of a server.
#[derive(Clone, Debug, Default)]
pub struct Providers(Vec<Provider>);

/// An endpoint.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The part of its models' handles before the slash.
    pub name: &'static str,
    /// Its name in error messages.
    pub title: &'static str,
    base: Url,
    /// Marked as sensitive, so that it cannot be printed.
    pub authorization: Option<HeaderValue>,
    proxies: Proxies,
    names_roots: bool,
}

/// The timeout for listing the models of an endpoint.
const LIST_TIMEOUT: Duration = Duration::from_secs(2);

/// The largest list of models that is read, in bytes.
const MOST_BYTES: usize = 4 << 20;

/// The variables and the default address of a kind of endpoint.
struct ProviderKind {
    name: &'static str,
    title: &'static str,
    address: &'static str,
    key: Option<&'static str>,
    default: Option<&'static str>,
    /// Whether its address is commonly given without the `/v1` of its API.
    without_v1: bool,
}

const KINDS: [ProviderKind; 3] = [
    ProviderKind {
        name: "openai",
        title: "OpenAI",
        address: "OPENAI_BASE_URL",
        key: Some("OPENAI_API_KEY"),
        default: Some("https://api.openai.com/v1"),
        without_v1: false,
    },
    ProviderKind {
        name: "ollama",
        title: "Ollama",
        address: "OLLAMA_BASE_URL",
        key: None,
        default: None,
        without_v1: true,
    },
    ProviderKind { name: "vllm", title: "vLLM", address: "VLLM_BASE_URL", key: None, default: None, without_v1: true },
];

impl Providers {
    /// Reads the endpoints from environment variables: `OPENAI_API_KEY` and `OPENAI_BASE_URL`,
    /// `OLLAMA_BASE_URL`, `VLLM_BASE_URL`, and the proxies.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let proxies = Proxies::read(&get);
        let names_roots = tls::names_roots(|name| get(name).is_some());
        let given = |name: &str| get(name).filter(|value| !value.is_empty());
        let all = KINDS.iter().filter_map(|kind| kind.provider(given, &proxies, names_roots).transpose());
        Ok(Self(all.collect::<Result<_, _>>()?))
    }

    /// Every endpoint.
    pub fn all(&self) -> &[Provider] {
        &self.0
    }

    /// Returns the endpoint of a handle, and the model's name there.
    pub fn find<'a>(&self, handle: &'a str) -> Option<(&Provider, &'a str)> {
        let (name, model) = handle.split_once('/').filter(|(_, model)| !model.is_empty())?;
        Some((self.0.iter().find(|provider| provider.name == name)?, model))
    }

    /// Returns the variable to set for a handle whose endpoint is not configured.
    pub fn missing_variable(&self, handle: &str) -> Option<&'static str> {
        let kind = KINDS.iter().find(|kind| handle.split_once('/').is_some_and(|(name, _)| name == kind.name))?;
        let known = self.0.iter().any(|provider| provider.name == kind.name);
        (!known).then_some(kind.key.unwrap_or(kind.address))
    }
}

impl ProviderKind {
    fn provider(
        &self,
        given: impl Fn(&str) -> Option<String>,
        proxies: &Proxies,
        names_roots: bool,
    ) -> Result<Option<Provider>, Failure> {
        let address = given(self.address);
        let key = self.key.and_then(&given);
        let default = || key.as_ref().and(self.default).map(str::to_owned);
        let Some(address) = address.or_else(default) else { return Ok(None) };
        let authorization = key.map(|key| self.bearer(&key)).transpose()?;
        let base = self.base(&address)?;
        let proxies = proxies.clone();
        Ok(Some(Provider { name: self.name, title: self.title, base, authorization, proxies, names_roots }))
    }

    fn base(&self, address: &str) -> Result<Url, Failure> {
        let url = address.trim_end_matches('/').parse::<Url>().ok();
        let usable = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
        let mut url = url.filter(usable).ok_or_else(|| {
            Failure::usage(format!("{} is not a usable URL", self.address)).hint("it looks like http://localhost:11434")
        })?;
        if self.without_v1 && !url.path().ends_with("/v1") {
            let path = format!("{}/v1", url.path().trim_end_matches('/'));
            url.set_path(&path);
        }
        Ok(url)
    }

    fn bearer(&self, key: &str) -> Result<HeaderValue, Failure> {
        let name = self.key.unwrap_or_default();
        let mut value = HeaderValue::from_str(&format!("Bearer {}", key.trim())).map_err(|_| {
            Failure::usage(format!("the key in {name} has a character that cannot be sent"))
                .hint("set it anew, without line ends")
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl Provider {
    /// Returns the URL of a path of its API.
    pub fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", self.base.path().trim_end_matches('/')));
        url
    }

    /// Its address.
    pub fn address(&self) -> &str {
        self.base.as_str()
    }

    /// Lists its models; empty if it does not answer within [`LIST_TIMEOUT`].
    pub async fn models(&self) -> Vec<ModelInfo> {
        let models = timeout(LIST_TIMEOUT, self.list()).await.ok().flatten().unwrap_or_default();
        models.iter().filter_map(|model| self.model_info(model)).collect()
    }

    async fn list(&self) -> Option<Vec<Value>> {
        let mut request = self.client().await.ok()?.get(self.url("models"));
        if let Some(key) = &self.authorization {
            request = request.header(AUTHORIZATION, key.clone());
        }
        let mut response = request.send().await.ok().filter(|response| response.status().is_success())?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.ok()? {
            body.extend_from_slice(&chunk);
            if body.len() > MOST_BYTES {
                return None;
            }
        }
        let list: Value = serde_json::from_slice(&body).ok()?;
        list.get("data")?.as_array().cloned()
    }

    fn model_info(&self, model: &Value) -> Option<ModelInfo> {
        let handle = format!("{}/{}", self.name, model.get("id")?.as_str()?);
        // Only some endpoints report the context window.
        let context_window = model.get("max_model_len").and_then(Value::as_i64).unwrap_or(CONTEXT_WINDOW);
        Some(ModelInfo { handle, endpoint: Some(self.base.to_string()), context_window })
    }

    /// A client for it: no redirects, no proxy for this machine, a key over plain http only to private addresses.
    pub async fn client(&self) -> Result<reqwest::Client, Failure> {
        let plain_http = if self.authorization.is_some() { PlainHttp::PrivateOnly } else { PlainHttp::Anywhere };
        let proxies = self.proxies.clone();
        let connection =
            ConnectionSettings { proxies, names_roots: self.names_roots, plain_http, ..ConnectionSettings::default() };
        crate::net::build(&self.base, &connection).await.map(|client| client.inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Providers, Failure> {
        let pairs: Vec<(String, String)> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Providers::read(|name| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()))
    }

    #[test]
    fn a_provider_is_found_only_if_its_variables_are_set() {
        for (pairs, handle, url) in [
            (&[("OPENAI_API_KEY", "k")][..], "openai/gpt-4o-mini", Some("https://api.openai.com/v1/chat/completions")),
            (
                &[("OPENAI_BASE_URL", "http://127.0.0.1:1/v1/")],
                "openai/x",
                Some("http://127.0.0.1:1/v1/chat/completions"),
            ),
            (
                &[("OLLAMA_BASE_URL", "http://localhost:11434")],
                "ollama/a:1b",
                Some("http://localhost:11434/v1/chat/completions"),
            ),
            (&[("VLLM_BASE_URL", "http://h:8000/v1")], "vllm/org/name", Some("http://h:8000/v1/chat/completions")),
            (&[("VLLM_BASE_URL", "http://h:8000/v1")], "ollama/x", None),
            (&[("OLLAMA_BASE_URL", "")], "ollama/x", None),
            (&[("OLLAMA_BASE_URL", "http://localhost:11434")], "ollama/", None),
            (&[], "openai/x", None),
        ] {
            let providers = read(pairs).expect("read");
            let found = providers.find(handle).map(|(provider, _)| provider.url("chat/completions").to_string());
            assert_eq!(found.as_deref(), url, "{pairs:?} {handle}");
        }
        assert_eq!(read(&[]).expect("read").missing_variable("openai/x"), Some("OPENAI_API_KEY"));
        assert_eq!(read(&[]).expect("read").missing_variable("nobody/x"), None);
    }

    #[test]
    fn invalid_settings_are_rejected_and_keys_are_never_shown() {
        for pairs in [
            &[("OLLAMA_BASE_URL", "localhost:11434")][..],
            &[("VLLM_BASE_URL", "ftp://h")],
            &[("OPENAI_API_KEY", "se\u{1b}cret")],
        ] {
            let failure = read(pairs).expect_err("refused");
            assert!(!failure.message.contains("cret"), "{failure:?}");
        }
        let providers = read(&[("OPENAI_API_KEY", "secret")]).expect("read");
        assert!(!format!("{providers:?}").contains("secret"));
    }
}
