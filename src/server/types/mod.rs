//! The nouns that the other layers share: calls, verdicts, ids, the clock, budgets. They depend on no other layer.

pub mod agent;
pub mod approval;
pub mod clock;
pub mod host_name;
pub mod ids;
pub mod memory_budget;
pub mod message;
pub mod model_info;
pub mod order;
pub mod python_repr;
pub mod quirks;
pub mod request;
pub mod run_error;
pub mod run_kind;
pub mod target;
pub mod tool_call;
