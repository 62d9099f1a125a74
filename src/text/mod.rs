//! Text for people: what may be shown, how wide it is, how durations, times and counts read. Pure.

pub mod ascii;
pub mod count;
pub mod duration;
pub mod page;
pub mod shell;
pub mod show;
pub mod since;
pub mod style;
pub mod time;
pub mod wrap;
