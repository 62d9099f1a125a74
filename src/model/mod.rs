//! The nouns of the API: ids, runs, messages, request bodies, error bodies. No I/O, no decisions.
//!
//! Every answer of a server is read leniently: the document is kept as it was sent, and
//! typed accessors look into it. A field, a status or a stop reason of a newer server passes through.

pub mod approval;
pub mod document;
pub mod fault;
pub mod id;
pub mod message;
pub mod run;
pub mod status;
pub mod stop_reason;
pub mod time;

pub use document::Document;
pub use id::{AgentId, AgentRef, RunId};
pub use message::Message;
pub use run::Run;
pub use status::RunStatus;
pub use stop_reason::StopReason;
