//! Strings of others, times and names as the parts of the page have them.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use crate::escape::{Prose, Visible};
use crate::report::print::words;
use crate::report::{Foreign, Place};

/// Times on the page, so that it says the same wherever it is made.
pub(super) const ZONE: TimeZone = TimeZone::UTC;

/// A string of another program.
pub(super) fn foreign(text: &Foreign) -> Markup {
    visible(text.unescaped())
}

/// A text that may hold strings of other programs.
pub(super) fn visible(text: &str) -> Markup {
    html! { bdi { (Visible(text).to_string()) } }
}

/// A sentence, in which the names are escaped already.
pub(super) fn sentence(text: &str) -> Markup {
    html! { bdi { (Prose(text).to_string()) } }
}

/// A port or name.
pub(super) fn place(place: &Place) -> Markup {
    sentence(&words::place(place))
}
