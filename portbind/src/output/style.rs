//! Settings of the text formats.

use jiff::tz::TimeZone;

use crate::secrets::Secrets;

/// Settings of the text formats.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Style {
    /// Use colours.
    pub color: bool,
    /// Columns of the terminal; `None` if the length of lines is unlimited.
    pub width: Option<usize>,
    /// Time zone of the clock times; JSON is always in UTC.
    pub zone: TimeZone,
    /// With every event, show earlier events on the port.
    pub history: bool,
    /// Show passwords and tokens in arguments; only JSON contains arguments.
    pub secrets: Secrets,
}

impl Default for Style {
    /// No colour, unlimited width, UTC, no secrets.
    fn default() -> Self {
        Self { color: false, width: None, zone: TimeZone::UTC, history: false, secrets: Secrets::Masked }
    }
}
