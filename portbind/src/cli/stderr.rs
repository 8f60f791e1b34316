//! Errors on standard error, each with a hint.

use crate::cli::error::Error;
use crate::writer::stderr::write;
pub use crate::writer::stderr::{say, say_unless};

/// Reports why a verb failed, and what the user can do next.
pub fn report(error: &Error) {
    say(error);
    if let Some(hint) = error.hint() {
        write(&format!("hint: {hint}\n"));
    }
}
