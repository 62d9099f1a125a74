//! The modules that are still part of a circle.

/// One per line. No module is added; each is deleted once it is part of no circle.
pub const IN_CIRCLES: &[&str] = &[
    "api::classify",
    "api::client",
    "api::lost_message",
    "api::recent",
    "api::retrying",
    "api::send",
    "api::transport",
    "server::engine::execute",
    "server::engine::worker",
    "server::models",
    "server::store::agents",
    "server::store::approvals",
    "server::store::claims",
    "server::store::database",
    "server::store::lists",
    "server::store::message_refs",
    "server::store::messages",
    "server::store::outbox",
    "server::store::readers",
    "server::store::runs",
    "server::store::steps",
    "server::store::writer",
    "server::types::quirks",
    "server::types::request",
];
