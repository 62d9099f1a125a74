//! The flags for following runs.

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
    /// How the run is followed.
    #[command(flatten)]
    pub options: FollowFlags,
}

/// How runs are followed.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct FollowFlags {
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
    /// Poll at this interval instead of one that grows with the run's age
    #[arg(long, value_name = "DURATION", help_heading = "Waiting", value_parser = interval)]
    pub interval: Option<Duration>,
    /// How long the server may fail to answer, in a row (exit 124) [default: 5m]
    #[arg(long, value_name = "DURATION", help_heading = "Waiting", value_parser = duration::parse)]
    pub max_outage: Option<Duration>,
    /// Count a truncated run as failed (exit 1)
    #[arg(long, help_heading = "Waiting")]
    pub strict: bool,
    /// Report a run as stalled if its status and messages have not changed for this long
    #[arg(long, value_name = "DURATION", help_heading = "Waiting", value_parser = interval)]
    pub stall_after: Option<Duration>,
    /// Whether to only report a stall, or to stop following the run (exit 124)
    #[arg(long, value_name = "WHAT", help_heading = "Waiting", value_enum, default_value_t, requires = "stall_after")]
    pub on_stall: OnStall,
    /// Wait until the run's callback was attempted, too, and show how it was answered
    #[arg(long, help_heading = "Waiting")]
    pub wait_callback: bool,
    /// Cancel the runs on Ctrl-C instead of leaving them running
    #[arg(long, help_heading = "Waiting")]
    pub cancel_on_interrupt: bool,
    /// Ring the terminal's bell at the end
    #[arg(long, help_heading = "Waiting")]
    pub bell: bool,
}

/// The reaction to a stalled run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum OnStall {
    /// Report it
    #[default]
    Warn,
    /// Stop following the run
    Exit,
}

/// Parses a polling interval. Shorter ones would flood the server.
fn interval(text: &str) -> Result<Duration, String> {
    let interval = duration::parse(text)?;
    if interval < Duration::from_millis(50) { Err("the shortest interval is 50ms".to_owned()) } else { Ok(interval) }
}

impl FollowArgs {
    /// Whether the run is followed.
    pub fn follows(&self) -> bool {
        self.watch || self.wait || self.options.reply || self.options.follow || self.options.events
    }

    /// Refuses flags that contradict each other or have no effect.
    pub fn check(&self, ctx: &Ctx) -> Result<(), Failure> {
        let options = &self.options;
        let times =
            [options.timeout, options.interval, options.max_outage, options.stall_after].iter().any(Option::is_some);
        let waits = times || options.strict || options.wait_callback || options.cancel_on_interrupt || options.bell;
        if waits && !self.follows() {
            let failure = Failure::usage("flags such as --timeout and --strict only work when the run is followed");
            return Err(failure.hint("add --watch, --wait or --reply"));
        }
        options.check(ctx)
    }
}

/// Refuses `--reply` together with JSON output: a reply is plain text.
pub fn check_reply(ctx: &Ctx) -> Result<(), Failure> {
    let other = if ctx.global.jq.is_some() {
        "--jq filters JSON"
    } else if ctx.format_is_given(Format::Json) {
        "-o json asks for JSON"
    } else {
        return Ok(());
    };
    Err(Failure::usage(format!("--reply prints text, and {other}")).hint("leave one of them out"))
}

impl FollowFlags {
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
