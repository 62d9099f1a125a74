//! What a model answers, put together from its pieces.

use serde_json::Value;

use crate::model::StopReason;
use crate::server::models::{Act, Call, Step, Used};

/// An answer so far.
#[derive(Debug, Default)]
pub struct Answer {
    content: String,
    thoughts: String,
    calls: Vec<Call>,
    finish: Option<String>,
    used: Option<Used>,
    error: Option<Value>,
}

/// Why an answer is of no use.
#[derive(Debug, PartialEq)]
pub enum Useless {
    /// It says nothing.
    Empty,
    /// It ended before it was whole.
    Cut,
    /// An error stands in it.
    Error(Value),
}

impl Answer {
    /// Adds a piece: a chunk of a stream, or a whole answer.
    pub fn add(&mut self, piece: &Value) {
        if let Some(error) = piece.get("error").filter(|error| !error.is_null()) {
            self.error = Some(error.clone());
        }
        if let Some(usage) = piece.get("usage").filter(|usage| usage.is_object()) {
            let count = |key: &str| usage.get(key).and_then(Value::as_i64).unwrap_or(0);
            self.used = Some(Used { prompt: count("prompt_tokens"), completion: count("completion_tokens") });
        }
        let Some(choice) = piece.pointer("/choices/0") else { return };
        if let Some(said) = choice.get("delta").or_else(|| choice.get("message")) {
            self.say(said);
        }
        if let Some(finish) = choice.get("finish_reason").and_then(Value::as_str) {
            self.finish = Some(finish.to_owned());
        }
    }

    fn say(&mut self, said: &Value) {
        let text = |key: &str| said.get(key).and_then(Value::as_str).unwrap_or_default();
        self.content.push_str(text("content"));
        // Endpoints have two names for it; one that uses both says the same twice.
        let thought = if text("reasoning_content").is_empty() { text("reasoning") } else { text("reasoning_content") };
        self.thoughts.push_str(thought);
        for (n, call) in said.get("tool_calls").and_then(Value::as_array).into_iter().flatten().enumerate() {
            self.call(n, call);
        }
    }

    /// Adds a piece of a tool call, whose name comes first and whose arguments come in parts.
    fn call(&mut self, n: usize, piece: &Value) {
        let index =
            piece.get("index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok()).unwrap_or(n);
        // Calls come in their order; one far behind the others would be a fault of the endpoint.
        if index >= self.calls.len() {
            self.calls.push(Call::default());
        }
        let Some(call) = self.calls.get_mut(index) else { return };
        let text = |path: &str| piece.pointer(path).and_then(Value::as_str).unwrap_or_default();
        call.name.push_str(text("/function/name"));
        call.arguments.push_str(text("/function/arguments"));
    }

    /// Whether something was said already.
    pub fn has_begun(&self) -> bool {
        !self.content.is_empty() || !self.thoughts.is_empty() || !self.calls.is_empty()
    }

    /// The step that it makes. Its tool calls ask for tools that nobody offered.
    pub fn step(self, thinking: bool) -> Result<Step, Useless> {
        if let Some(error) = self.error {
            return Err(Useless::Error(error));
        }
        let Some(finish) = self.finish else { return Err(Useless::Cut) };
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
            return Err(Useless::Empty);
        }
        let thoughts = (thinking && !self.thoughts.is_empty()).then_some(self.thoughts).into_iter().collect();
        Ok(Step { thoughts, acts, stop, used: self.used })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(pieces: &[Value]) -> Answer {
        let mut answer = Answer::default();
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
    fn pieces_make_a_reply_with_its_thoughts_and_its_usage() {
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
        assert_eq!((step.stop, step.used), (Some(StopReason::EndTurn), Some(Used { prompt: 7, completion: 2 })));
        assert!(answer(&pieces).step(false).expect("a step").thoughts.is_empty());
    }

    #[test]
    fn a_whole_answer_is_read_like_its_pieces() {
        let whole = json!({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}], "usage": null});
        assert_eq!(answer(&[whole]).step(false).expect("a step").acts, [Act::Reply("hi".to_owned())]);
    }

    #[test]
    fn calls_come_in_parts_and_the_turn_goes_on_behind_them() {
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
        let call =
            |name: &str, arguments: &str| Act::Unknown(Call { name: name.to_owned(), arguments: arguments.to_owned() });
        assert_eq!((step.acts, step.stop), (vec![call("a", "{\"x\": 1}"), call("b", "{}")], None));
        assert!(answer(&[piece(u64::MAX, "a", "")]).calls.len() <= 1, "an index that is no index");
    }

    #[test]
    fn an_answer_that_is_cut_empty_or_an_error_is_of_no_use() {
        let cut = answer(&[delta(json!({"content": "he"})), finish("length")]).step(false).expect("a step");
        assert_eq!(cut.stop, Some(StopReason::MaxTokensExceeded));
        for (pieces, why) in [
            (vec![finish("stop")], Useless::Empty),
            (vec![delta(json!({"content": "he"}))], Useless::Cut),
            (vec![json!({"error": {"message": "x"}})], Useless::Error(json!({"message": "x"}))),
        ] {
            assert_eq!(answer(&pieces).step(false).expect_err("useless"), why);
        }
    }
}
