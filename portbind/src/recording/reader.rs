//! Reads a recording, one line at a time.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::line::Line;
use super::skipped::{Damage, Skipped};
use crate::escape;

/// The longest line that is read, in bytes. A longer one is skipped without being held in memory. A line of portbind
/// has a few thousand bytes; with the arguments of hundreds of processes, 64 KiB each, it has some millions.
pub const MAX_LINE: usize = 16 << 20;

/// The file name for standard input.
pub const STDIN: &str = "-";

/// Bytes per read.
const BUFFER: usize = 1 << 18;

/// A recording cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {source}", escape::path(.path))]
#[non_exhaustive]
pub struct Error {
    /// The file, as the user named it.
    pub path: PathBuf,
    /// The reason.
    pub source: io::Error,
}

/// The lines of a recording.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    line: Vec<u8>,
    number: u64,
    skipped: Skipped,
}

/// The input of [`open`].
pub type Input = BufReader<Box<dyn io::Read>>;

/// Opens the recording at `path`; [`STDIN`] is standard input.
///
/// # Errors
///
/// If the file cannot be opened.
pub fn open(path: &Path) -> Result<Reader<Input>, Error> {
    let input: Box<dyn io::Read> = if path == Path::new(STDIN) {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(|source| Error { path: path.to_owned(), source })?)
    };
    Ok(Reader::new(BufReader::with_capacity(BUFFER, input)))
}

impl<R: BufRead> Reader<R> {
    /// Reads lines from `input`.
    pub fn new(input: R) -> Self {
        Self { input, line: Vec::new(), number: 0, skipped: Skipped::default() }
    }

    /// The lines skipped so far.
    #[must_use]
    pub const fn skipped(&self) -> &Skipped {
        &self.skipped
    }

    /// Number of the last line read; the first line is 1.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Reads the next line into `self.line`, without its newline; `None` at the end of the input.
    fn fill(&mut self) -> io::Result<Option<Fit>> {
        self.line.clear();
        let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
        let read = self.input.by_ref().take(limit.saturating_add(1)).read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            return Ok(Some(Fit::Whole));
        }
        if read <= MAX_LINE {
            return Ok(Some(Fit::Last));
        }
        self.input.skip_until(b'\n')?;
        Ok(Some(Fit::TooLong))
    }
}

/// How reading a line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// The line ended with a newline.
    Whole,
    /// The input ended.
    Last,
    /// The line is longer than [`MAX_LINE`].
    TooLong,
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let fit = match self.fill() {
                Ok(fit) => fit?,
                Err(error) => return Some(Err(error)),
            };
            if fit == Fit::TooLong {
                self.skipped.note(Damage::TooLong, self.number);
                continue;
            }
            let found = super::line::find(&self.line);
            if let Some(damage) = found.damage {
                self.skipped.note(damage, self.number);
            }
            if let Some(line) = found.line {
                return Some(Ok(line));
            }
        }
    }
}
