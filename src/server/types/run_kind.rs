//! The kinds of runs.

use serde::{Deserialize, Serialize};

/// The kinds of runs: how their senders receive the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunKind {
    /// Not at all; they poll, or get a callback.
    #[default]
    Async,
    /// As one response, at the end.
    Sync,
    /// As a stream.
    Stream,
    /// As a stream that others may join.
    BackgroundStream,
}

impl RunKind {
    const ALL: [Self; 4] = [Self::Async, Self::Sync, Self::Stream, Self::BackgroundStream];

    /// Returns the word that is stored for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Async => "async",
            Self::Sync => "sync",
            Self::Stream => "stream",
            Self::BackgroundStream => "background_stream",
        }
    }

    /// Returns the kind of a stored word.
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).unwrap_or_default()
    }

    /// Returns the words of all kinds in the background, or of all others.
    pub fn words(background: bool) -> Vec<String> {
        let kinds = Self::ALL.into_iter().filter(|kind| kind.is_background() == background);
        kinds.map(|kind| kind.as_str().to_owned()).collect()
    }

    /// Returns its `run_type`.
    pub fn run_type(self) -> &'static str {
        match self {
            Self::Async => "send_message_async",
            Self::Sync => "send_message",
            Self::Stream | Self::BackgroundStream => "send_message_streaming",
        }
    }

    /// Whether the run is in the background, so that its stream can be joined later.
    pub fn is_background(self) -> bool {
        matches!(self, Self::Async | Self::BackgroundStream)
    }

    /// Whether the answer is a stream.
    pub fn streams(self) -> bool {
        matches!(self, Self::Stream | Self::BackgroundStream)
    }
}
