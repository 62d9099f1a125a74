//! A connection that several threads use.

use std::sync::{Arc, Mutex};

use rusqlite::Connection;

/// A connection that several threads use, one after another.
pub type SharedConnection = Arc<Mutex<Connection>>;
