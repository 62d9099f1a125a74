//! What the server keeps: one file per noun, over one database.

pub mod agents;
pub mod approvals;
pub mod claims;
mod database;
pub mod idempotency;
pub mod lists;
pub mod message_refs;
pub mod messages;
pub mod outbox;
mod readers;
pub mod runs;
mod schema;
pub mod steps;
mod writer;

pub use database::{Database, Result, StoreError};
pub use lists::Page;
pub use schema::IDENTITY;
pub use writer::beside;
