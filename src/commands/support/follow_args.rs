//! The flags that say whether and how runs are followed.

use std::time::Duration;

use super::ctx::Ctx;
use crate::global::Format;
use crate::report::Failure;
use crate::text::duration;

/// Whether a command follows its run.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct FollowArgs {
    /// Follow the run until it ends, with progress
    #[arg(long, help_heading = "Waiting")]
    pub watch: bool,
    /// Follow the run until it ends, without progress
    #[arg(long, help_heading = "Waiting")]
    pub wait: bool,
    /// What holds for following.
    #[command(flatten)]
    pub how: HowArgs,
}

/// How runs are followed.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct HowArgs {
    /// Print only the assistant's text; implies following
    #[arg(long, help_heading = "Waiting")]
    pub reply: bool,
    /// Print new messages as they appear
    #[arg(long, help_heading = "Waiting")]
    pub follow: bool,
    /// Print a stream of JSON events instead of runs
    #[arg(long, help_heading = "Waiting", conflicts_with_all = ["reply", "follow"])]
    pub events: bool,
    /// Stop following after this long; the run goes on (exit 124)
    #[arg(long, value_name = "DURATION", help_heading = "Waiting", value_parser = duration::parse)]
    pub timeout: Option<Duration>,
    /// Look at this interval instead of one that grows with the run's age
    #[arg(long, value_name = "DURATION", help_heading = "Waiting", value_parser = interval)]
    pub interval: Option<Duration>,
    /// How long the server may fail to answer, in a row (exit 124) [default: 5m]
    #[arg(long, value_name = "DURATION", help_heading = "Waiting", value_parser = duration::parse)]
    pub max_outage: Option<Duration>,
    /// Count a truncated run as failed (exit 1)
    #[arg(long, help_heading = "Waiting")]
    pub strict: bool,
    /// A run stalls when neither its status nor its messages have changed for this long
    #[arg(long, value_name = "DURATION", help_heading = "Waiting", value_parser = interval)]
    pub stall_after: Option<Duration>,
    /// Whether a stall is only said, or ends the following of the run (exit 124)
    #[arg(long, value_name = "WHAT", help_heading = "Waiting", value_enum, default_value_t, requires = "stall_after")]
    pub on_stall: OnStall,
    /// Wait until the run's callback was attempted, too, and show what it was answered
    #[arg(long, help_heading = "Waiting")]
    pub wait_callback: bool,
    /// Let Ctrl-C cancel the runs instead of leaving them to themselves
    #[arg(long, help_heading = "Waiting")]
    pub cancel_on_interrupt: bool,
    /// Ring the terminal's bell at the end
    #[arg(long, help_heading = "Waiting")]
    pub bell: bool,
}

/// What a stall does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum OnStall {
    /// It is said
    #[default]
    Warn,
    /// It ends the following of the run
    Exit,
}

/// An interval of nothing would be an attack.
fn interval(text: &str) -> Result<Duration, String> {
    let interval = duration::parse(text)?;
    if interval < Duration::from_millis(50) { Err("the shortest interval is 50ms".to_owned()) } else { Ok(interval) }
}

impl FollowArgs {
    /// Whether the run is followed at all.
    pub fn follows(&self) -> bool {
        self.watch || self.wait || self.how.reply || self.how.follow || self.how.events
    }

    /// Refuses flags that contradict each other or mean nothing.
    pub fn check(&self, ctx: &Ctx) -> Result<(), Failure> {
        let how = &self.how;
        let times = [how.timeout, how.interval, how.max_outage, how.stall_after].iter().any(Option::is_some);
        let waits = times || how.strict || how.wait_callback || how.cancel_on_interrupt || how.bell;
        if waits && !self.follows() {
            let failure = Failure::usage("--timeout, --strict and their kin are about following the run");
            return Err(failure.hint("add --watch, --wait or --reply"));
        }
        how.check(ctx)
    }
}

/// A reply is text: neither a JSON document nor something to filter.
pub fn check_reply(ctx: &Ctx) -> Result<(), Failure> {
    let other = match () {
        () if ctx.global.jq.is_some() => "--jq filters JSON",
        () if ctx.format_is_given(Format::Json) => "-o json asks for JSON",
        () => return Ok(()),
    };
    Err(Failure::usage(format!("--reply prints text, and {other}")).hint("leave one of them out"))
}

impl HowArgs {
    /// Refuses flags that contradict each other.
    pub fn check(&self, ctx: &Ctx) -> Result<(), Failure> {
        if self.reply {
            check_reply(ctx)?;
        }
        let other = [Format::Human, Format::Id, Format::None].into_iter().any(|format| ctx.format_is_given(format));
        if self.events && other {
            return Err(Failure::usage("--events prints JSON").hint("leave out -o, or give -o json"));
        }
        Ok(())
    }
}
