//! What the server keeps: one file per noun, over one database.

pub(super) mod agents;
pub(super) mod approvals;
pub(super) mod claims;
mod database;
pub(super) mod idempotency;
pub(super) mod lists;
pub(super) mod messages;
pub(super) mod outbox;
mod readers;
pub(super) mod runs;
mod schema;
pub(super) mod spots;
pub(super) mod steps;
mod writer;

pub(super) use database::{Database, Result, StoreError};
pub(super) use lists::Page;
pub(super) use schema::IDENTITY;
pub(super) use writer::beside;
