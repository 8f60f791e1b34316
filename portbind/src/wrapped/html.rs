//! The HTML page of a wrapped command (`--report`).

use std::io::{self, BufWriter, Write as _};

use crate::output::recorder::Entry;
use crate::report::Collector;
use crate::report::print as report;
use crate::wire;
use crate::writer::{Replacement, Writer};

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

    /// Writes the page; an earlier page stays until the new one is complete.
    pub(crate) fn write(self, writer: &mut Writer) -> io::Result<()> {
        let report = self.collector.finish();
        writer.finish(self.file, |file| {
            let mut out = BufWriter::new(file);
            report::html(&report, &mut out)?;
            out.flush()
        })
    }
}
