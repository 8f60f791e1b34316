//! What the formats for people depend on.

use jiff::tz::TimeZone;

use crate::secrets::Secrets;

/// What the formats for people depend on, besides the event.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Style {
    /// Use colours.
    pub color: bool,
    /// Columns of the terminal; `None` where lines may be of any length.
    pub width: Option<usize>,
    /// Time zone of the clock times; JSON is always in UTC.
    pub zone: TimeZone,
    /// Show what happened on the port before with every event.
    pub history: bool,
    /// Show passwords and tokens in arguments; only JSON has arguments.
    pub secrets: Secrets,
}

impl Default for Style {
    /// Without colour, of any width, in UTC, without secrets.
    fn default() -> Self {
        Self { color: false, width: None, zone: TimeZone::UTC, history: false, secrets: Secrets::Masked }
    }
}
