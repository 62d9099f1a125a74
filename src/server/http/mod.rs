//! Decides how a request becomes a call, and a row an answer: the listener, the middleware, the routes, validation,
//! rendering and error answers. It speaks HTTP and JSON, and stores nothing itself.

pub mod access;
pub mod error_response;
pub mod idempotency_headers;
pub mod internal_error;
pub mod listener;
pub mod routes;
pub mod validate;
pub mod write_timeout;
