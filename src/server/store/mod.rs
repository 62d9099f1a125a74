//! Decides what is stored, and who may write it: tables, queries, leases and batched writes, on one database that several
//! processes may share. One file per noun; each function is a query or a change within a transaction of its caller. It
//! knows neither models nor the engine.

pub mod accept;
pub mod agents;
pub mod approvals;
pub mod cancel;
pub mod claims;
mod database;
mod error;
pub mod fence;
pub mod idempotency;
pub mod lists;
pub mod message_refs;
mod message_row;
pub mod messages;
pub mod new_message;
pub mod outbox;
pub mod owner;
mod page;
mod readers;
pub mod runs;
mod schema;
mod shared;
mod sql;
pub mod steps;
mod writer;

pub use database::Database;
pub use error::{Result, StoreError};
pub use page::PageRequest;
pub use schema::IDENTITY;
pub use writer::try_in_savepoint;
