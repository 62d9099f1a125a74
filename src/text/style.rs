//! The style of human output: colours, character set, width and time format.

/// The style of human output, chosen once from flags, environment and terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Colour on standard output.
    pub colour_out: bool,
    /// Colour on standard error.
    pub colour_err: bool,
    /// ASCII only: the locale is not UTF-8.
    pub ascii: bool,
    /// Words instead of glyphs, and no animation (`ACCESSIBLE`).
    pub accessible: bool,
    /// The terminal can move its cursor (it is not `TERM=dumb`).
    pub moves_cursor: bool,
    /// Times as RFC 3339 in UTC instead of local and relative.
    pub utc: bool,
    /// Columns for human output on stdout; `None` means unlimited.
    pub width: Option<usize>,
}
