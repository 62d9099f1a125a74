//! Endpoints that answer with models of their own: what OpenAI's API for chat completions says, many others say too.

use std::time::Duration;

use http::HeaderValue;
use http::header::AUTHORIZATION;
use serde_json::Value;
use tokio::time::timeout;
use url::Url;

use crate::net::Route;
use crate::net::client::Secure;
use crate::net::proxy::Proxies;
use crate::report::Failure;
use crate::server::types::model_info::{CONTEXT_WINDOW, ModelInfo};

/// The endpoints that a server knows, and how they are reached.
#[derive(Clone, Debug, Default)]
pub struct Providers(Vec<Provider>);

/// One endpoint.
#[derive(Clone, Debug)]
pub struct Provider {
    /// What handles of its models begin with.
    pub name: &'static str,
    /// What errors call it.
    pub title: &'static str,
    base: Url,
    /// Marked as sensitive, so that it cannot be printed.
    pub authorization: Option<HeaderValue>,
    proxies: Proxies,
}

/// How long an endpoint may take to list its models.
const LIST_PATIENCE: Duration = Duration::from_secs(2);

/// The largest list of models that is read.
const MOST_BYTES: usize = 4 << 20;

/// What is known of an endpoint before it is set up.
struct Kind {
    name: &'static str,
    title: &'static str,
    address: &'static str,
    key: Option<&'static str>,
    default: Option<&'static str>,
    /// Whether its address is commonly given without the `/v1` that its API stands under.
    bare: bool,
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "openai",
        title: "OpenAI",
        address: "OPENAI_BASE_URL",
        key: Some("OPENAI_API_KEY"),
        default: Some("https://api.openai.com/v1"),
        bare: false,
    },
    Kind { name: "ollama", title: "Ollama", address: "OLLAMA_BASE_URL", key: None, default: None, bare: true },
    Kind { name: "vllm", title: "vLLM", address: "VLLM_BASE_URL", key: None, default: None, bare: true },
];

impl Providers {
    /// Reads what is set up through a look-up of environment variables: `OPENAI_API_KEY` and `OPENAI_BASE_URL`,
    /// `OLLAMA_BASE_URL`, `VLLM_BASE_URL`, and the proxies.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let proxies = Proxies::read(&get);
        let given = |name: &str| get(name).filter(|value| !value.is_empty());
        let all = KINDS.iter().filter_map(|kind| kind.provider(given, &proxies).transpose());
        Ok(Self(all.collect::<Result<_, _>>()?))
    }

    /// Every endpoint.
    pub fn all(&self) -> &[Provider] {
        &self.0
    }

    /// The endpoint of a handle, and the model's name there.
    pub fn find<'a>(&self, handle: &'a str) -> Option<(&Provider, &'a str)> {
        let (name, model) = handle.split_once('/').filter(|(_, model)| !model.is_empty())?;
        Some((self.0.iter().find(|provider| provider.name == name)?, model))
    }

    /// What would have to be set for a handle, if it is one of an endpoint that is not set up.
    pub fn wanting(&self, handle: &str) -> Option<&'static str> {
        let kind = KINDS.iter().find(|kind| handle.split_once('/').is_some_and(|(name, _)| name == kind.name))?;
        let known = self.0.iter().any(|provider| provider.name == kind.name);
        (!known).then_some(kind.key.unwrap_or(kind.address))
    }
}

impl Kind {
    fn provider(&self, given: impl Fn(&str) -> Option<String>, proxies: &Proxies) -> Result<Option<Provider>, Failure> {
        let (address, key) = (given(self.address), self.key.and_then(&given));
        let default = || key.as_ref().and(self.default).map(str::to_owned);
        let Some(address) = address.or_else(default) else { return Ok(None) };
        let authorization = key.map(|key| self.bearer(&key)).transpose()?;
        let base = self.base(&address)?;
        Ok(Some(Provider { name: self.name, title: self.title, base, authorization, proxies: proxies.clone() }))
    }

    fn base(&self, address: &str) -> Result<Url, Failure> {
        let url = address.trim_end_matches('/').parse::<Url>().ok();
        let usable = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
        let mut url = url.filter(usable).ok_or_else(|| {
            Failure::usage(format!("{} is not a usable URL", self.address)).hint("it looks like http://localhost:11434")
        })?;
        if self.bare && !url.path().ends_with("/v1") {
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
    /// The address of something that it has.
    pub fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", self.base.path().trim_end_matches('/')));
        url
    }

    /// Its address.
    pub fn address(&self) -> &str {
        self.base.as_str()
    }

    /// Its models; none if it does not answer soon.
    pub async fn models(&self) -> Vec<ModelInfo> {
        let models = timeout(LIST_PATIENCE, self.list()).await.ok().flatten().unwrap_or_default();
        models.iter().filter_map(|model| self.listed(model)).collect()
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

    fn listed(&self, model: &Value) -> Option<ModelInfo> {
        let handle = format!("{}/{}", self.name, model.get("id")?.as_str()?);
        // Only some endpoints say how much a model can take.
        let context_window = model.get("max_model_len").and_then(Value::as_i64).unwrap_or(CONTEXT_WINDOW);
        Some(ModelInfo { handle, endpoint: Some(self.base.to_string()), context_window })
    }

    /// A client for it: no redirects, no proxy for this machine, a key over plain http only to private addresses.
    pub async fn client(&self) -> Result<reqwest::Client, Failure> {
        let secure = if self.authorization.is_some() { Secure::Needed } else { Secure::NotNeeded };
        let route = Route { proxies: self.proxies.clone(), secure, ..Route::default() };
        crate::net::build(&self.base, &route).await.map(|line| line.client)
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
    fn an_endpoint_is_known_once_it_is_set_up() {
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
        assert_eq!(read(&[]).expect("read").wanting("openai/x"), Some("OPENAI_API_KEY"));
        assert_eq!(read(&[]).expect("read").wanting("nobody/x"), None);
    }

    #[test]
    fn what_cannot_be_used_is_refused_and_the_key_is_never_shown() {
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
