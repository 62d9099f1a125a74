//! The types that the layers of the server share: requests, tool calls, approvals, run errors, ids, the clock, budgets.
//!
//! Decides how each is written and stored. It depends on no other layer.

pub mod agent;
pub mod approval;
pub mod behaviour;
pub mod callback_target;
pub mod clock;
pub mod host_name;
pub mod ids;
pub mod memory_budget;
pub mod message;
pub mod model_info;
pub mod order;
pub mod python_repr;
pub mod request;
pub mod run_error;
pub mod run_kind;
pub mod tool_call;
