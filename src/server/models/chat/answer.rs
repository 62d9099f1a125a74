//! Assembles an answer from the chunks of a stream.

use serde_json::Value;

use crate::model::StopReason;
use crate::server::models::turn::{Act, Step, TokenCount};
use crate::server::types::tool_call::ToolCall;

/// An answer so far.
#[derive(Debug, Default)]
pub struct PartialAnswer {
    content: String,
    thoughts: String,
    calls: Vec<ToolCall>,
    finish: Option<String>,
    tokens: Option<TokenCount>,
    error: Option<Value>,
}

/// Why an answer makes no step.
#[derive(Debug, PartialEq)]
pub enum AnswerError {
    /// It has neither text nor tool calls.
    Empty,
    /// It ended before its `finish_reason`.
    Cut,
    /// It contains an error.
    Error(Value),
}

impl PartialAnswer {
    /// Adds a chunk of a stream, or a complete answer.
    pub fn add(&mut self, piece: &Value) {
        if let Some(error) = piece.get("error").filter(|error| !error.is_null()) {
            self.error = Some(error.clone());
        }
        if let Some(usage) = piece.get("usage").filter(|usage| usage.is_object()) {
            let count = |key: &str| usage.get(key).and_then(Value::as_i64).unwrap_or(0);
            self.tokens = Some(TokenCount { prompt: count("prompt_tokens"), completion: count("completion_tokens") });
        }
        let Some(choice) = piece.pointer("/choices/0") else { return };
        if let Some(message) = choice.get("delta").or_else(|| choice.get("message")) {
            self.add_message(message);
        }
        if let Some(finish) = choice.get("finish_reason").and_then(Value::as_str) {
            self.finish = Some(finish.to_owned());
        }
    }

    fn add_message(&mut self, message: &Value) {
        let text = |key: &str| message.get(key).and_then(Value::as_str).unwrap_or_default();
        self.content.push_str(text("content"));
        // Endpoints name it one way or the other; some send both, with the same text.
        let thought = if text("reasoning_content").is_empty() { text("reasoning") } else { text("reasoning_content") };
        self.thoughts.push_str(thought);
        for (n, call) in message.get("tool_calls").and_then(Value::as_array).into_iter().flatten().enumerate() {
            self.add_call(n, call);
        }
    }

    /// Adds a part of a tool call: the first part has its name, the others extend its arguments.
    fn add_call(&mut self, n: usize, piece: &Value) {
        let index =
            piece.get("index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok()).unwrap_or(n);
        // Endpoints send calls in order. A larger index is an error of theirs and must not allocate memory.
        if index >= self.calls.len() {
            self.calls.push(ToolCall::default());
        }
        let Some(call) = self.calls.get_mut(index) else { return };
        let text = |path: &str| piece.pointer(path).and_then(Value::as_str).unwrap_or_default();
        call.name.push_str(text("/function/name"));
        call.arguments.push_str(text("/function/arguments"));
    }

    /// Whether any text, reasoning or tool call arrived.
    pub fn has_begun(&self) -> bool {
        !self.content.is_empty() || !self.thoughts.is_empty() || !self.calls.is_empty()
    }

    /// Returns the step. Its tool calls are of unknown tools, since the request offered none.
    pub fn step(self, thinking: bool) -> Result<Step, AnswerError> {
        if let Some(error) = self.error {
            return Err(AnswerError::Error(error));
        }
        let Some(finish) = self.finish else { return Err(AnswerError::Cut) };
        let stop = match finish.as_str() {
            "length" => Some(StopReason::MaxTokensExceeded),
            _ if self.calls.is_empty() => Some(StopReason::EndTurn),
            _ => None,
        };
        let mut acts: Vec<Act> = (!self.content.is_empty()).then_some(Act::Reply(self.content)).into_iter().collect();
        if stop.is_none() {
            acts.extend(self.calls.into_iter().map(Act::Unknown));
        }
        if acts.is_empty() && stop != Some(StopReason::MaxTokensExceeded) {
            return Err(AnswerError::Empty);
        }
        let thoughts = (thinking && !self.thoughts.is_empty()).then_some(self.thoughts).into_iter().collect();
        Ok(Step { thoughts, acts, stop, tokens: self.tokens })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(pieces: &[Value]) -> PartialAnswer {
        let mut answer = PartialAnswer::default();
        pieces.iter().for_each(|piece| answer.add(piece));
        answer
    }

    fn delta(delta: Value) -> Value {
        json!({"choices": [{"delta": delta, "finish_reason": null}]})
    }

    fn finish(reason: &str) -> Value {
        json!({"choices": [{"delta": {}, "finish_reason": reason}]})
    }

    #[test]
    fn chunks_make_a_reply_with_its_reasoning_and_token_count() {
        let pieces = [
            delta(json!({"role": "assistant", "content": ""})),
            delta(json!({"reasoning_content": "hm", "reasoning": "hm"})),
            delta(json!({"content": "he"})),
            delta(json!({"content": "llo"})),
            finish("stop"),
            json!({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}}),
        ];
        assert!(!answer(&pieces[..1]).has_begun());
        assert!(answer(&pieces[..2]).has_begun());
        let step = answer(&pieces).step(true).expect("a step");
        assert_eq!((step.acts, step.thoughts), (vec![Act::Reply("hello".to_owned())], vec!["hm".to_owned()]));
        assert_eq!(
            (step.stop, step.tokens),
            (Some(StopReason::EndTurn), Some(TokenCount { prompt: 7, completion: 2 }))
        );
        assert!(answer(&pieces).step(false).expect("a step").thoughts.is_empty());
    }

    #[test]
    fn a_complete_answer_is_read_like_its_chunks() {
        let whole = json!({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}], "usage": null});
        assert_eq!(answer(&[whole]).step(false).expect("a step").acts, [Act::Reply("hi".to_owned())]);
    }

    #[test]
    fn tool_calls_arrive_in_parts_and_do_not_end_the_turn() {
        let piece = |index: u64, name: &str, arguments: &str| {
            delta(json!({"tool_calls": [{"index": index, "function": {"name": name, "arguments": arguments}}]}))
        };
        let pieces = [
            piece(0, "a", ""),
            piece(0, "", "{\"x\""),
            piece(0, "", ": 1}"),
            piece(1, "b", "{}"),
            finish("tool_calls"),
        ];
        let step = answer(&pieces).step(false).expect("a step");
        let call = |name: &str, arguments: &str| {
            Act::Unknown(ToolCall { name: name.to_owned(), arguments: arguments.to_owned() })
        };
        assert_eq!((step.acts, step.stop), (vec![call("a", "{\"x\": 1}"), call("b", "{}")], None));
        assert!(answer(&[piece(u64::MAX, "a", "")]).calls.len() <= 1, "an index far out of range");
    }

    #[test]
    fn an_answer_that_is_cut_empty_or_an_error_makes_no_step() {
        let cut = answer(&[delta(json!({"content": "he"})), finish("length")]).step(false).expect("a step");
        assert_eq!(cut.stop, Some(StopReason::MaxTokensExceeded));
        for (pieces, why) in [
            (vec![finish("stop")], AnswerError::Empty),
            (vec![delta(json!({"content": "he"}))], AnswerError::Cut),
            (vec![json!({"error": {"message": "x"}})], AnswerError::Error(json!({"message": "x"}))),
        ] {
            assert_eq!(answer(&pieces).step(false).expect_err("no step"), why);
        }
    }
}
