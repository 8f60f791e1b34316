//! What a format does.

use std::fmt::Debug;
use std::io;

use super::style::Style;
use crate::wire::{Refusal, Release, Repeat, Summary};

/// Writes events in one format, as they come, and what verbs answer. What a format has no words for, it leaves out.
///
/// # Errors
/// Of every method those of the writer, unchanged: a closed pipe is [`io::ErrorKind::BrokenPipe`].
pub trait EventFormat: Debug {
    /// Writes what stands above the first event, unless it has been written.
    fn begin(&mut self, _: &Style, _: &mut dyn io::Write) -> io::Result<()> {
        Ok(())
    }

    /// Writes a refusal.
    fn refusal(&mut self, refusal: Refusal<'_>, style: &Style, out: &mut dyn io::Write) -> io::Result<()>;

    /// Writes that a refused port has become free.
    fn release(&mut self, _: Release<'_>, _: &Style, _: &mut dyn io::Write) -> io::Result<()> {
        Ok(())
    }

    /// Writes how often the same was refused again.
    fn repeat(&mut self, repeat: Repeat<'_>, style: &Style, out: &mut dyn io::Write) -> io::Result<()>;

    /// Writes the account of a run. Formats for people leave it to the status line on standard error.
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

/// What a verb answers.
///
/// # Errors
/// Of both methods those of the writer, unchanged.
pub trait Document {
    /// Writes it for people.
    fn text(&self, style: &Style, out: &mut dyn io::Write) -> io::Result<()>;

    /// Writes it as one line of JSON.
    fn json(&self, style: &Style, out: &mut dyn io::Write) -> io::Result<()>;
}
