//! What portbind says on standard error, beside its output.

use std::fmt::Display;
use std::io::{self, Write as _};

/// Writes a line to standard error, in one call. That it is closed, or has no room, is no reason to end: whoever
/// runs portbind still wants its output, or the command that it wraps.
pub fn say(line: impl Display) {
    let line = format!("{line}\n");
    let _written = io::stderr().write_all(line.as_bytes());
}
