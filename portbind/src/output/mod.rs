//! Prints refusals: for people ([`text`]), for columns ([`brief`]) and for programs ([`jsonl`]).
//!
//! Events go to the writer they are given, whole and flushed one by one. Strings that other
//! programs chose are escaped here, but for those that a sentence was made with ([`escape`](crate::escape)).

use std::io;
use std::str::FromStr;

use clap::ValueEnum;

use crate::event::{Refusal, Release, Repeat};

pub mod answer;
#[cfg(test)]
mod answer_tests;
pub mod brief;
pub mod ci;
pub mod color;
pub mod comparison;
pub mod explanation;
#[cfg(test)]
mod explanation_tests;
#[cfg(test)]
mod imitation_tests;
pub mod jsonl;
pub(crate) mod line;
#[cfg(test)]
mod named_tests;
mod recorded;
pub mod recorder;
pub mod style;
#[cfg(test)]
mod tests;
pub mod text;
mod words;
pub(crate) mod wrap;

pub use crate::wire::Summary;
pub use color::ColorChoice;
pub use style::Style;

/// How events are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ValueEnum)]
pub enum Format {
    /// A few lines an event, for people
    #[default]
    Text,
    /// One line an event, in columns
    Brief,
    /// One JSON object a line
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        <Self as ValueEnum>::from_str(word, true)
    }
}

/// Writes events in one format.
#[derive(Debug)]
pub struct Printer<W> {
    writer: Writer,
    style: Style,
    out: W,
}

#[derive(Debug)]
enum Writer {
    Text(text::TextWriter),
    Brief(brief::BriefWriter),
    Json,
}

impl<W: io::Write> Printer<W> {
    /// A printer that writes to `out`.
    pub fn new(format: Format, style: Style, out: W) -> Self {
        let writer = match format {
            Format::Text => Writer::Text(text::TextWriter::default()),
            Format::Brief => Writer::Brief(brief::BriefWriter::default()),
            Format::Json => Writer::Json,
        };
        Self { writer, style, out }
    }

    /// Writes what stands above the first event, for formats that have such a thing. Without this
    /// call it is written together with the first event.
    ///
    /// # Errors
    ///
    /// Those of the writer, unchanged: a closed pipe is [`io::ErrorKind::BrokenPipe`].
    pub fn begin(&mut self) -> io::Result<()> {
        if let Writer::Brief(writer) = &mut self.writer {
            writer.header(&self.style, &mut self.out)?;
        }
        self.out.flush()
    }

    /// Writes one event and flushes it.
    ///
    /// # Errors
    ///
    /// Those of the writer, unchanged: a closed pipe is [`io::ErrorKind::BrokenPipe`].
    pub fn event(&mut self, refusal: &Refusal) -> io::Result<()> {
        match &mut self.writer {
            Writer::Text(writer) => writer.write(refusal, &self.style, &mut self.out)?,
            Writer::Brief(writer) => writer.write(refusal, &self.style, &mut self.out)?,
            Writer::Json => jsonl::write(refusal, &self.style, &mut self.out)?,
        }
        self.out.flush()
    }

    /// Writes that a refused port has become free, and flushes it; `brief` is about refusals only.
    ///
    /// # Errors
    ///
    /// Those of the writer, unchanged: a closed pipe is [`io::ErrorKind::BrokenPipe`].
    pub fn release(&mut self, release: &Release) -> io::Result<()> {
        match &mut self.writer {
            Writer::Text(writer) => writer.write_release(release, &self.style, &mut self.out)?,
            Writer::Brief(_) => {}
            Writer::Json => jsonl::write_release(release, &mut self.out)?,
        }
        self.out.flush()
    }

    /// Writes how often the same was refused again, and flushes it.
    ///
    /// # Errors
    ///
    /// Those of the writer, unchanged: a closed pipe is [`io::ErrorKind::BrokenPipe`].
    pub fn repeat(&mut self, repeat: &Repeat) -> io::Result<()> {
        match &mut self.writer {
            Writer::Text(writer) => writer.write_repeat(repeat, &self.style, &mut self.out)?,
            Writer::Brief(writer) => writer.write_repeat(repeat, &self.style, &mut self.out)?,
            Writer::Json => jsonl::write_repeat(repeat, &mut self.out)?,
        }
        self.out.flush()
    }

    /// Writes the account of the run as a last line of JSON; the other formats leave it to the
    /// status line on standard error.
    ///
    /// # Errors
    ///
    /// Those of the writer, unchanged: a closed pipe is [`io::ErrorKind::BrokenPipe`].
    pub fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        if let Writer::Json = self.writer {
            jsonl::write_summary(summary, &mut self.out)?;
        }
        self.out.flush()
    }

    /// The writer, when all is written.
    pub fn into_inner(self) -> W {
        self.out
    }
}
