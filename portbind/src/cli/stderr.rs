//! Errors on standard error, each with what to do next.

use std::fmt::Display;

use crate::cli::error::Error;
pub(crate) use crate::writer::stderr::say_unless;
use crate::writer::stderr::{self, write};

/// Says a sentence on standard error.
pub fn say(sentence: impl Display) {
    stderr::say(sentence);
}

/// Reports what kept a verb from its job, and what to do next.
pub fn report(error: &Error) {
    say(error);
    if let Some(hint) = error.hint() {
        write(&format!("hint: {hint}\n"));
    }
}
