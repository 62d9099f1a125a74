//! The modules that are still part of a circle.

/// One per line. No module is added; each is deleted once it is part of no circle.
pub const IN_CIRCLES: &[&str] = &[];
