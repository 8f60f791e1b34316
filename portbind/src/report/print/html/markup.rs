//! Strings of other programs, times and names as elements of the page.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use crate::escape::{Prose, Visible};
use crate::report::print::words;
use crate::report::{Foreign, Place};

/// The time zone of the page, so that the page is the same wherever it is generated.
pub(super) const ZONE: TimeZone = TimeZone::UTC;

/// A string of another program.
pub(super) fn foreign(text: &Foreign) -> Markup {
    visible(text.unescaped())
}

/// A text that may contain strings of other programs.
pub(super) fn visible(text: &str) -> Markup {
    html! { bdi { (Visible(text).to_string()) } }
}

/// A sentence whose names are already escaped.
pub(super) fn sentence(text: &str) -> Markup {
    html! { bdi { (Prose(text).to_string()) } }
}

/// A port or name.
pub(super) fn place(place: &Place) -> Markup {
    sentence(&words::place(place))
}
