//! Text for people: sanitizing, wrapping, and the formats of durations, times and counts. Pure.

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
