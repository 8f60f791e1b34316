//! The interface of an output format.

use std::fmt::Debug;
use std::io;

use super::style::Style;
use crate::wire::{Refusal, Release, Repeat, Summary};

/// Writes events in one format as they arrive, and the answers of verbs. A format omits what it cannot express.
///
/// # Errors
/// Every method returns the writer's errors unchanged: a closed pipe is [`io::ErrorKind::BrokenPipe`].
pub trait EventFormat: Debug {
    /// Writes the header above the first event, unless it has been written.
    fn begin(&mut self, _: &Style, _: &mut dyn io::Write) -> io::Result<()> {
        Ok(())
    }

    /// Writes a refusal.
    fn refusal(&mut self, refusal: Refusal<'_>, style: &Style, out: &mut dyn io::Write) -> io::Result<()>;

    /// Writes that a refused port has become free.
    fn release(&mut self, _: Release<'_>, _: &Style, _: &mut dyn io::Write) -> io::Result<()> {
        Ok(())
    }

    /// Writes how often an equal refusal was repeated.
    fn repeat(&mut self, repeat: Repeat<'_>, style: &Style, out: &mut dyn io::Write) -> io::Result<()>;

    /// Writes the summary of a run. The text formats leave it to the status line on standard error.
    fn summary(&mut self, _: &Summary, _: &Style, _: &mut dyn io::Write) -> io::Result<()> {
        Ok(())
    }

    /// Writes an answer.
    fn document(
        &mut self,
        document: &dyn Document,
        style: &Style,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        document.text(style, out)
    }
}

/// The answer of a verb.
///
/// # Errors
/// Both methods return the writer's errors unchanged.
pub trait Document {
    /// Writes the answer as text.
    fn text(&self, style: &Style, out: &mut dyn io::Write) -> io::Result<()>;

    /// Writes the answer as one line of JSON.
    fn json(&self, style: &Style, out: &mut dyn io::Write) -> io::Result<()>;
}
