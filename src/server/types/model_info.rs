//! Models as `GET /v1/models/` lists them.

/// The context window of a model whose endpoint states none, in tokens.
pub const CONTEXT_WINDOW: i64 = 128_000;

/// A listed model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    /// `provider/model`.
    pub handle: String,
    pub endpoint: Option<String>,
    /// In tokens.
    pub context_window: i64,
}

impl ModelInfo {
    /// A model of which only the handle is known.
    pub fn named(handle: &str) -> Self {
        Self { handle: handle.to_owned(), endpoint: None, context_window: CONTEXT_WINDOW }
    }
}
