//! The HTML page of a wrapped command (`--report`).

use std::fs::File;
use std::io::{self, BufWriter, Write as _};

use crate::output::recorder::Entry;
use crate::report::Collector;
use crate::report::print as report;
use crate::wire;
use crate::writer::outlet::{Outlet, Outlets};
use crate::writer::{Replacement, Writer};

/// A stream gets a page in pieces of this size, in bytes, so that a slow reader can be distinguished from none.
const PIECE: usize = 4096;

/// A page that is written at the end of the run.
#[derive(Debug)]
pub(crate) struct Html {
    file: Replacement,
    collector: Collector,
}

impl Html {
    /// A page that replaces the content of `file`.
    pub(crate) fn new(file: Replacement) -> Self {
        Self { file, collector: Collector::default() }
    }

    /// Adds an entry.
    pub(crate) fn push(&mut self, entry: Entry<'_>) {
        let collector = &mut self.collector;
        match entry {
            Entry::Command(command) => collector.command(&wire::Command::from(command)),
            Entry::Refusal(refusal) => collector.refusal(&wire::Refusal::from(refusal)),
            Entry::Release(release) => collector.release(&wire::Release::from(release)),
            Entry::Repeat(repeat) => collector.repeat(&wire::Repeat::from(repeat)),
            Entry::Outcome(outcome) => collector.outcome(&wire::Outcome::from(outcome)),
            Entry::Leak(leak) => collector.leak(&wire::Leak::from(leak)),
            Entry::End(end) => collector.end(&wire::End::from(end)),
            Entry::Summary(summary) => collector.summary(summary),
        }
    }

    /// Writes the page; an earlier page stays until the new one is complete. Returns the outlet of `outlets` that the
    /// page goes to if the file is a pipe or a device: its reader may stall.
    pub(crate) fn write(self, writer: &mut Writer, outlets: &mut Outlets) -> io::Result<Option<Outlet>> {
        let report = self.collector.finish();
        match self.file.into_stream() {
            Ok(stream) => {
                let mut page = Vec::new();
                report::html(&report, &mut page)?;
                let mut outlet = outlets.add(stream);
                for piece in page.chunks(PIECE) {
                    outlet.write_all(piece)?;
                    outlet.flush()?;
                }
                Ok(Some(outlet))
            }
            Err(file) => {
                let write = |file: &File| {
                    let mut out = BufWriter::new(file);
                    report::html(&report, &mut out)?;
                    out.flush()
                };
                writer.finish(file, write).map(|()| None)
            }
        }
    }
}
