//! The stop reasons of runs, each with the status that the API's documentation gives it.

use std::fmt;

use super::RunStatus;

macro_rules! stop_reasons {
    ($($variant:ident = $word:literal => $status:ident, $doc:literal;)*) => {
        /// Why a run stopped. The API documents thirteen words; unknown ones are kept.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum StopReason {
            $(#[doc = $doc] $variant,)*
            /// A word this program does not know.
            Unknown(String),
        }

        impl StopReason {
            /// The reasons that this program knows.
            pub const KNOWN: &[Self] = &[$(Self::$variant,)*];

            /// Returns the word in the API.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Unknown(word) => word,
                }
            }

            /// Returns the documented status of a run with this stop reason; `None` for an unknown word.
            pub fn status(&self) -> Option<RunStatus> {
                match self {
                    $(Self::$variant => Some(RunStatus::$status),)*
                    Self::Unknown(_) => None,
                }
            }
        }

        impl From<&str> for StopReason {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    other => Self::Unknown(other.to_owned()),
                }
            }
        }
    };
}

stop_reasons! {
    EndTurn = "end_turn" => Completed, "The agent finished its turn.";
    ToolRule = "tool_rule" => Completed, "A tool that ends the turn ran.";
    MaxSteps = "max_steps" => Completed, "The step budget was used up.";
    RequiresApproval = "requires_approval" => Completed, "A tool call waits for a person's decision.";
    MaxTokensExceeded = "max_tokens_exceeded" => Failed, "The model's answer was cut at its token limit.";
    InsufficientCredits = "insufficient_credits" => Failed, "The account has no credits left.";
    InvalidToolCall = "invalid_tool_call" => Failed, "The model called a tool in a way that cannot be carried out.";
    Error = "error" => Failed, "An exception on the server.";
    LlmApiError = "llm_api_error" => Failed, "The model's provider answered with an error.";
    InvalidLlmResponse = "invalid_llm_response" => Failed, "The model's answer could not be used.";
    NoToolCall = "no_tool_call" => Failed, "The model called no tool where it had to.";
    ContextWindowOverflow = "context_window_overflow_in_system_prompt" => Failed, "The system prompt alone is larger than the context window.";
    Cancelled = "cancelled" => Cancelled, "A cancel request.";
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_word_survives_the_round_trip() {
        for reason in StopReason::KNOWN {
            assert_eq!(&StopReason::from(reason.as_str()), reason);
            assert!(reason.status().is_some_and(|status| status.is_terminal()));
        }
        assert_eq!(StopReason::from("tomorrow").as_str(), "tomorrow");
    }
}
