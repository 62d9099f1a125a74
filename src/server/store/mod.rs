//! What the server keeps: one file per noun, over one database.

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
pub use page::Page;
pub use schema::IDENTITY;
pub use writer::try_in_savepoint;
