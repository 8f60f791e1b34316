//! Events and answers, written in one format.

use std::io;

use super::format::{Document, EventFormat};
use super::formats::Format;
use super::style::Style;
use crate::event::{Refusal, Release, Repeat};
use crate::wire::Summary;

/// Writes events in one format, whole and flushed one by one.
///
/// # Errors
/// Every method returns the writer's errors unchanged: a closed pipe is [`io::ErrorKind::BrokenPipe`].
#[derive(Debug)]
pub struct Printer<W> {
    format: Box<dyn EventFormat>,
    style: Style,
    out: W,
}

impl<W: io::Write> Printer<W> {
    /// A printer that writes to `out`.
    pub fn new(format: Format, style: Style, out: W) -> Self {
        Self { format: format.writer(), style, out }
    }

    /// Writes the header above the first event, if the format has one. Without this call, the header is written with
    /// the first event.
    pub fn begin(&mut self) -> io::Result<()> {
        self.format.begin(&self.style, &mut self.out)?;
        self.out.flush()
    }

    /// Writes a refusal.
    pub fn event(&mut self, refusal: &Refusal) -> io::Result<()> {
        self.format.refusal(refusal.into(), &self.style, &mut self.out)?;
        self.out.flush()
    }

    /// Writes that a refused port has become free; `brief` prints only refusals.
    pub fn release(&mut self, release: &Release) -> io::Result<()> {
        self.format.release(release.into(), &self.style, &mut self.out)?;
        self.out.flush()
    }

    /// Writes how often an equal refusal was repeated.
    pub fn repeat(&mut self, repeat: &Repeat) -> io::Result<()> {
        self.format.repeat(repeat.into(), &self.style, &mut self.out)?;
        self.out.flush()
    }

    /// Writes the summary of the run as the last line of JSON; the other formats leave it to the status line on
    /// standard error.
    pub fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        self.format.summary(summary, &self.style, &mut self.out)?;
        self.out.flush()
    }

    /// Writes the answer of a verb.
    pub fn document(&mut self, document: &dyn Document) -> io::Result<()> {
        self.format.document(document, &self.style, &mut self.out)?;
        self.out.flush()
    }

    /// Returns the writer.
    pub fn into_inner(self) -> W {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::samples;

    /// A pipe whose reader has closed it.
    struct Closed;

    impl io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_reported_as_such() {
        for &format in Format::ALL {
            let mut printer = Printer::new(format, Style::default(), Closed);
            let error = printer.event(&samples::listener()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{format:?}");
        }
    }
}
