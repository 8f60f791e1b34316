//! Errors on standard error, each with a hint.

use std::fmt::Display;

use crate::cli::error::Error;
pub(crate) use crate::writer::stderr::say_unless;
use crate::writer::stderr::{self, write};

/// Prints a sentence on standard error.
pub fn say(sentence: impl Display) {
    stderr::say(sentence);
}

/// Reports why a verb failed, and what the user can do next.
pub fn report(error: &Error) {
    say(error);
    if let Some(hint) = error.hint() {
        write(&format!("hint: {hint}\n"));
    }
}
