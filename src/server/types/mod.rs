//! The nouns that the other layers share: calls, verdicts, ids, the clock, budgets. They depend on no other layer.

pub mod clock;
pub mod ids;
pub mod memory_budget;
pub mod quirks;
pub mod request;
pub mod target;
