//! A recording: every line of a run, in the order of the events.

use std::io;

use super::jsonl;
use crate::event::{Command, CommandEnd, Leak, Outcome, Refusal, Release, Repeat};
use crate::secrets::Secrets;
use crate::wire::{self, Summary};

/// Writes JSON lines, and flushes each one.
#[derive(Debug)]
pub struct Recorder<W> {
    out: W,
    secrets: Secrets,
}

/// An entry of a recording.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Entry<'a> {
    /// A command was started.
    Command(&'a Command),
    /// A call was refused.
    Refusal(&'a Refusal),
    /// A refused port has become free.
    Release(&'a Release),
    /// Repeated refusals were counted.
    Repeat(&'a Repeat),
    /// What the process of a refused bind did afterwards.
    Outcome(&'a Outcome),
    /// A socket outlived the command.
    Leak(&'a Leak),
    /// The command has ended.
    End(&'a CommandEnd),
    /// The summary of the run.
    Summary(&'a Summary),
}

impl<W: io::Write> Recorder<W> {
    /// A recording that is written to `out`, without secrets.
    pub const fn new(out: W) -> Self {
        Self { out, secrets: Secrets::Masked }
    }

    /// Sets whether secrets are written.
    #[must_use]
    pub fn with_secrets(self, secrets: Secrets) -> Self {
        Self { secrets, ..self }
    }

    /// The writer.
    #[cfg(test)]
    pub(super) fn into_inner(self) -> W {
        self.out
    }

    /// Writes one line.
    ///
    /// # Errors
    /// The writer's errors, unchanged.
    pub fn write(&mut self, entry: Entry<'_>) -> io::Result<()> {
        let (out, secrets) = (&mut self.out, self.secrets);
        match entry {
            Entry::Command(command) => jsonl::line(wire::Command::from(command), secrets, out),
            Entry::Refusal(refusal) => jsonl::line(wire::Refusal::from(refusal), secrets, out),
            Entry::Release(release) => jsonl::line(wire::Release::from(release), secrets, out),
            Entry::Repeat(repeat) => jsonl::line(wire::Repeat::from(repeat), secrets, out),
            Entry::Outcome(outcome) => jsonl::line(wire::Outcome::from(outcome), secrets, out),
            Entry::Leak(leak) => jsonl::line(wire::Leak::from(leak), secrets, out),
            Entry::End(end) => jsonl::line(wire::End::from(end), secrets, out),
            Entry::Summary(summary) => jsonl::line(summary.clone(), secrets, out),
        }?;
        self.out.flush()
    }
}
