//! The lines of a script: what each directive means, and what is wrong with those that mean nothing.

use std::time::Duration;

use serde_json::Value;

use super::{Act, Call};
use crate::model::StopReason;
use crate::text::{duration, show};

/// How often one line can be repeated; a script is kept in memory whole.
const MOST_REPEATS: usize = 10_000;
/// How many bytes all repetitions of a script may take.
const MOST_REPEATED: usize = 64 << 20;

/// The part of a script up to and with one thing that a step ends with.
#[derive(Clone, Debug, PartialEq)]
pub struct Beat {
    /// What happens before it.
    pub before: Vec<Prelude>,
    /// The thing itself.
    pub end: End,
}

/// What happens on the way to it.
#[derive(Clone, Debug, PartialEq)]
pub enum Prelude {
    /// `@sleep`: time passes.
    Sleep(Duration),
    /// `@ttft`: time passes, then output begins.
    FirstOutput(Duration),
    /// `@think`: a thought.
    Think(String),
}

/// What a beat ends with.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// `@reply`, `@tool`, `@ask`.
    Act(Act),
    /// `@stop`, or the last line was behind us.
    Stop(StopReason),
    /// `@fail`.
    Fail(String),
    /// `@hang`.
    Hang,
}

/// One directive.
#[derive(Clone, Debug)]
enum Directive {
    Before(Prelude),
    End(End),
    Repeat(usize),
}

impl Directive {
    /// How often the line above is copied.
    fn copies(&self) -> usize {
        if let Self::Repeat(times) = self { times - 1 } else { 0 }
    }

    /// About how many bytes a copy of it takes; none where it stands for the line above.
    fn size(&self, line: &str) -> Option<usize> {
        (!matches!(self, Self::Repeat(_))).then_some(line.len() + size_of::<Self>())
    }
}

/// Reads a script. A text without directives is none, and gives nothing.
pub fn script(text: &str) -> Result<Option<Vec<Beat>>, String> {
    if !text.lines().any(|line| line.trim_start().starts_with('@')) {
        return Ok(None);
    }
    let mut directives: Vec<Directive> = Vec::new();
    let (mut above, mut room) = (0, MOST_REPEATED);
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let directive = directive(line.trim()).and_then(|directive| {
            room =
                room.checked_sub(directive.copies() * above).ok_or_else(|| "makes the script too long".to_owned())?;
            above = directive.size(line).unwrap_or(above);
            unroll(directive, &directives)
        });
        let wrong = |why| format!("line {}: `{}` {why}", n + 1, show::clip(line.trim(), 60));
        directives.extend(directive.map_err(wrong)?);
    }
    Ok(Some(beats(directives)))
}

/// What a directive adds to those before it.
fn unroll(directive: Directive, before: &[Directive]) -> Result<Vec<Directive>, String> {
    match (directive, before.last()) {
        (Directive::Repeat(_), None) => Err("has no line above it to repeat".to_owned()),
        (Directive::Repeat(times), Some(last)) => Ok(vec![last.clone(); times - 1]),
        (directive, _) => Ok(vec![directive]),
    }
}

fn beats(directives: Vec<Directive>) -> Vec<Beat> {
    let mut beats = Vec::new();
    let mut before = Vec::new();
    for directive in directives {
        match directive {
            Directive::Before(prelude) => before.push(prelude),
            Directive::End(end) => beats.push(Beat { before: std::mem::take(&mut before), end }),
            Directive::Repeat(_) => {}
        }
    }
    beats.push(Beat { before, end: End::Stop(StopReason::EndTurn) });
    beats
}

fn directive(line: &str) -> Result<Directive, String> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let end = |end| Ok(Directive::End(end));
    match word {
        "@sleep" => duration::parse(rest).map(|time| Directive::Before(Prelude::Sleep(time))).map_err(because),
        "@ttft" => duration::parse(rest).map(|time| Directive::Before(Prelude::FirstOutput(time))).map_err(because),
        "@think" => text(rest).map(|thought| Directive::Before(Prelude::Think(thought))),
        "@reply" => text(rest).map(|reply| Directive::End(End::Act(Act::Reply(reply)))),
        "@tool" => call(rest).map(|call| Directive::End(End::Act(Act::Tool(call)))),
        "@ask" => call(rest).map(|call| Directive::End(End::Act(Act::Ask(call)))),
        "@repeat" => times(rest).map(Directive::Repeat),
        "@stop" => text(rest).and_then(|word| end(End::Stop(StopReason::from(word.as_str())))),
        "@fail" => text(rest).and_then(|why| end(End::Fail(why))),
        "@hang" if rest.is_empty() => end(End::Hang),
        _ => Err("is not a directive of a script".to_owned()),
    }
}

fn because(why: String) -> String {
    format!("cannot be read: {why}")
}

fn text(rest: &str) -> Result<String, String> {
    if rest.is_empty() { Err("needs a text behind it".to_owned()) } else { Ok(rest.to_owned()) }
}

fn call(rest: &str) -> Result<Call, String> {
    let (name, arguments) = rest.split_once(char::is_whitespace).unwrap_or((rest, "{}"));
    if name.is_empty() {
        return Err("needs the name of a tool".to_owned());
    }
    match serde_json::from_str::<Value>(arguments.trim()) {
        Ok(Value::Object(_)) => Ok(Call { name: name.to_owned(), arguments: arguments.trim().to_owned() }),
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

    fn ends(text: &str) -> Vec<End> {
        let beats = script(text).expect("a script").expect("directives");
        beats.into_iter().map(|beat| beat.end).collect()
    }

    fn reply(text: &str) -> End {
        End::Act(Act::Reply(text.to_owned()))
    }

    #[test]
    fn a_text_without_directives_is_no_script() {
        assert_eq!(script("hello\nmail me at a@b.c"), Ok(None));
        assert_eq!(script(""), Ok(None));
    }

    #[test]
    fn repeat_makes_the_line_above_happen_that_often_in_all() {
        let end = End::Stop(StopReason::EndTurn);
        assert_eq!(ends("@reply a\n@repeat 3"), [reply("a"), reply("a"), reply("a"), end.clone()]);
        assert_eq!(ends("@reply a\n@repeat 1\n@reply b"), [reply("a"), reply("b"), end.clone()]);
        assert_eq!(ends("@reply a\n@repeat 2\n@repeat 2").len(), 4);
    }

    #[test]
    fn what_stands_before_an_act_belongs_to_its_step() {
        let text = "@sleep 2s\n\n  @think hm\n@ttft 500ms\n@ask rm {\"path\": \"x\"}\n@stop tool_rule\n@hang";
        let beats = script(text).expect("a script").expect("directives");
        assert_eq!(
            beats[0].before,
            [
                Prelude::Sleep(Duration::from_secs(2)),
                Prelude::Think("hm".to_owned()),
                Prelude::FirstOutput(Duration::from_millis(500)),
            ]
        );
        let call = Call { name: "rm".to_owned(), arguments: "{\"path\": \"x\"}".to_owned() };
        assert_eq!(beats[0].end, End::Act(Act::Ask(call)));
        assert_eq!(beats[1].end, End::Stop(StopReason::ToolRule));
        assert_eq!(beats[2].end, End::Hang);
    }

    #[test]
    fn a_line_that_means_nothing_is_named_with_its_number() {
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
    fn repetitions_do_not_fill_the_memory() {
        let large = format!("@reply {}\n@repeat 10000", "x".repeat(10_000));
        let many = format!("@reply a\n{}", "@repeat 10000\n".repeat(1000));
        for text in [large, many] {
            assert!(script(&text).expect_err("too long").contains("makes the script too long"));
        }
        assert!(script(&format!("@reply {}\n@repeat 10000", "x".repeat(1000))).is_ok());
    }
}
