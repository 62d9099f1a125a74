//! Parses scripts: one directive per line.

use std::time::Duration;

use serde_json::Value;

use super::turn::Act;
use crate::model::StopReason;
use crate::server::types::tool_call::ToolCall;
use crate::text::{duration, show};

/// The largest count of `@repeat`. The expanded script is kept in memory.
const MOST_REPEATS: usize = 10_000;
/// The total size of all repeated lines of a script, in bytes.
const MOST_REPEATED: usize = 64 << 20;

/// The directives of one step: some that only take time or think, and the one that ends the step.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub before: Vec<Prelude>,
    pub end: PartEnd,
}

/// A directive before the end of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Prelude {
    /// `@sleep`.
    Sleep(Duration),
    /// `@ttft`: sleeps, then marks the first output.
    FirstOutput(Duration),
    /// `@think`.
    Think(String),
}

/// The directive that ends a step.
#[derive(Clone, Debug, PartialEq)]
pub enum PartEnd {
    /// `@reply`, `@tool`, `@ask`.
    Act(Act),
    /// `@stop`, or the end of the script.
    Stop(StopReason),
    /// `@fail`.
    Fail(String),
    /// `@hang`.
    Hang,
}

/// A directive.
#[derive(Clone, Debug)]
enum Directive {
    Before(Prelude),
    End(PartEnd),
    Repeat(usize),
}

impl Directive {
    /// Returns the number of copies that it adds.
    fn copies(&self) -> usize {
        if let Self::Repeat(times) = self { times - 1 } else { 0 }
    }

    /// Returns the approximate size of a copy of it in bytes; `None` for `@repeat`, which repeats the line before it.
    fn size(&self, line: &str) -> Option<usize> {
        (!matches!(self, Self::Repeat(_))).then_some(line.len() + size_of::<Self>())
    }
}

/// Parses a script. Returns `None` for a text without directives.
pub fn script(text: &str) -> Result<Option<Vec<Part>>, String> {
    if !text.lines().any(|line| line.trim_start().starts_with('@')) {
        return Ok(None);
    }
    let mut directives: Vec<Directive> = Vec::new();
    let mut last_size = 0;
    let mut budget = MOST_REPEATED;
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let directive = directive(line.trim()).and_then(|directive| {
            let size = directive.copies() * last_size;
            budget = budget.checked_sub(size).ok_or_else(|| "makes the script too long".to_owned())?;
            last_size = directive.size(line).unwrap_or(last_size);
            unroll(directive, &directives)
        });
        let invalid = |why| format!("line {}: `{}` {why}", n + 1, show::clip(line.trim(), 60));
        directives.extend(directive.map_err(invalid)?);
    }
    Ok(Some(parts(directives)))
}

/// Returns the directives that a line adds: one, or the copies that `@repeat` asks for.
fn unroll(directive: Directive, before: &[Directive]) -> Result<Vec<Directive>, String> {
    match (directive, before.last()) {
        (Directive::Repeat(_), None) => Err("has no line above it to repeat".to_owned()),
        (Directive::Repeat(times), Some(last)) => Ok(vec![last.clone(); times - 1]),
        (directive, _) => Ok(vec![directive]),
    }
}

fn parts(directives: Vec<Directive>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut before = Vec::new();
    for directive in directives {
        match directive {
            Directive::Before(prelude) => before.push(prelude),
            Directive::End(end) => parts.push(Part { before: std::mem::take(&mut before), end }),
            Directive::Repeat(_) => {}
        }
    }
    parts.push(Part { before, end: PartEnd::Stop(StopReason::EndTurn) });
    parts
}

fn directive(line: &str) -> Result<Directive, String> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let end = |end| Ok(Directive::End(end));
    match word {
        "@sleep" => duration::parse(rest).map(|time| Directive::Before(Prelude::Sleep(time))).map_err(unreadable),
        "@ttft" => duration::parse(rest).map(|time| Directive::Before(Prelude::FirstOutput(time))).map_err(unreadable),
        "@think" => text(rest).map(|thought| Directive::Before(Prelude::Think(thought))),
        "@reply" => text(rest).map(|reply| Directive::End(PartEnd::Act(Act::Reply(reply)))),
        "@tool" => call(rest).map(|call| Directive::End(PartEnd::Act(Act::Tool(call)))),
        "@ask" => call(rest).map(|call| Directive::End(PartEnd::Act(Act::Ask(call)))),
        "@repeat" => times(rest).map(Directive::Repeat),
        "@stop" => text(rest).and_then(|word| end(PartEnd::Stop(StopReason::from(word.as_str())))),
        "@fail" => text(rest).and_then(|why| end(PartEnd::Fail(why))),
        "@hang" if rest.is_empty() => end(PartEnd::Hang),
        _ => Err("is not a directive of a script".to_owned()),
    }
}

fn unreadable(why: String) -> String {
    format!("cannot be read: {why}")
}

fn text(rest: &str) -> Result<String, String> {
    if rest.is_empty() { Err("needs a text after it".to_owned()) } else { Ok(rest.to_owned()) }
}

fn call(rest: &str) -> Result<ToolCall, String> {
    let (name, arguments) = rest.split_once(char::is_whitespace).unwrap_or((rest, "{}"));
    if name.is_empty() {
        return Err("needs the name of a tool".to_owned());
    }
    match serde_json::from_str::<Value>(arguments.trim()) {
        Ok(Value::Object(_)) => Ok(ToolCall { name: name.to_owned(), arguments: arguments.trim().to_owned() }),
        Ok(_) => Err("has arguments that are not a JSON object".to_owned()),
        Err(error) => Err(format!("has arguments that are not JSON: {error}")),
    }
}

fn times(rest: &str) -> Result<usize, String> {
    let number = rest.parse().ok().filter(|times| (1..=MOST_REPEATS).contains(times));
    number.ok_or_else(|| format!("needs a number from 1 to {MOST_REPEATS}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(text: &str) -> Vec<PartEnd> {
        let parts = script(text).expect("a script").expect("directives");
        parts.into_iter().map(|part| part.end).collect()
    }

    fn reply(text: &str) -> PartEnd {
        PartEnd::Act(Act::Reply(text.to_owned()))
    }

    #[test]
    fn a_text_without_directives_is_not_a_script() {
        assert_eq!(script("hello\nmail me at a@b.c"), Ok(None));
        assert_eq!(script(""), Ok(None));
    }

    #[test]
    fn repeat_counts_the_line_above_it() {
        let end = PartEnd::Stop(StopReason::EndTurn);
        assert_eq!(ends("@reply a\n@repeat 3"), [reply("a"), reply("a"), reply("a"), end.clone()]);
        assert_eq!(ends("@reply a\n@repeat 1\n@reply b"), [reply("a"), reply("b"), end.clone()]);
        assert_eq!(ends("@reply a\n@repeat 2\n@repeat 2").len(), 4);
    }

    #[test]
    fn directives_before_an_act_belong_to_its_step() {
        let text = "@sleep 2s\n\n  @think hm\n@ttft 500ms\n@ask rm {\"path\": \"x\"}\n@stop tool_rule\n@hang";
        let parts = script(text).expect("a script").expect("directives");
        assert_eq!(
            parts[0].before,
            [
                Prelude::Sleep(Duration::from_secs(2)),
                Prelude::Think("hm".to_owned()),
                Prelude::FirstOutput(Duration::from_millis(500)),
            ]
        );
        let call = ToolCall { name: "rm".to_owned(), arguments: "{\"path\": \"x\"}".to_owned() };
        assert_eq!(parts[0].end, PartEnd::Act(Act::Ask(call)));
        assert_eq!(parts[1].end, PartEnd::Stop(StopReason::ToolRule));
        assert_eq!(parts[2].end, PartEnd::Hang);
    }

    #[test]
    fn an_invalid_line_is_reported_with_its_number() {
        for (text, why) in [
            ("@reply a\n@replay b", "line 2: `@replay b` is not a directive"),
            ("@reply a\nhello", "line 2: `hello` is not a directive"),
            ("@sleep soon", "line 1: `@sleep soon` cannot be read"),
            ("@repeat 3", "no line above"),
            ("@reply a\n@repeat 0", "a number from 1"),
            ("@reply a\n@repeat 99999", "a number from 1"),
            ("@reply", "needs a text"),
            ("@tool", "needs the name"),
            ("@tool t {", "not JSON"),
            ("@tool t [1]", "not a JSON object"),
            ("@hang on", "not a directive"),
        ] {
            let error = script(text).expect_err(text);
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn repeated_lines_have_a_limit_in_bytes() {
        let large = format!("@reply {}\n@repeat 10000", "x".repeat(10_000));
        let many = format!("@reply a\n{}", "@repeat 10000\n".repeat(1000));
        for text in [large, many] {
            assert!(script(&text).expect_err("too long").contains("makes the script too long"));
        }
        assert!(script(&format!("@reply {}\n@repeat 10000", "x".repeat(1000))).is_ok());
    }
}
