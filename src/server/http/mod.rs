//! Decides which requests are accepted and what is answered: listener, access control, routes, validation and error
//! responses. It translates HTTP into calls of the engine and queries of the store; it runs nothing and owns no data.
//! `render` writes the documents, since callbacks carry the same ones.

pub mod access;
pub mod error_response;
pub mod idempotency_headers;
pub mod internal_error;
pub mod listener;
pub mod routes;
pub mod validate;
pub mod write_timeout;
