//! A recording: every line of a run, in the order in which things happened.

use std::io;

use super::jsonl;
use super::wire::{self, Summary};
use crate::diagnosis::event::{Command, CommandEnd, Leak, Outcome, Refusal, Release, Repeat};

/// Writes JSON lines, and flushes each.
#[derive(Debug)]
pub struct Recorder<W> {
    out: W,
}

/// One of the things that are recorded.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'a> {
    /// A command was started.
    Command(&'a Command),
    /// A call was refused.
    Refusal(&'a Refusal),
    /// A refused port has become free.
    Release(&'a Release),
    /// More was refused, and only counted.
    Repeat(&'a Repeat),
    /// How the process of a refusal went on.
    Outcome(&'a Outcome),
    /// A socket outlived the command.
    Leak(&'a Leak),
    /// The command has ended.
    End(&'a CommandEnd),
    /// The account of the run.
    Summary(&'a Summary),
}

impl<W: io::Write> Recorder<W> {
    /// A recording that is written to `out`.
    pub const fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes one line.
    ///
    /// # Errors
    /// Those of the writer, unchanged.
    pub fn write(&mut self, entry: Entry<'_>) -> io::Result<()> {
        let out = &mut self.out;
        match entry {
            Entry::Command(command) => jsonl::line(&wire::Command::from(command), out),
            Entry::Refusal(refusal) => jsonl::line(&wire::Refusal::from(refusal), out),
            Entry::Release(release) => jsonl::line(&wire::Release::from(release), out),
            Entry::Repeat(repeat) => jsonl::line(&wire::Repeat::from(repeat), out),
            Entry::Outcome(outcome) => jsonl::line(&wire::Outcome::from(outcome), out),
            Entry::Leak(leak) => jsonl::line(&wire::Leak::from(leak), out),
            Entry::End(end) => jsonl::line(&wire::End::from(end), out),
            Entry::Summary(summary) => jsonl::line(summary, out),
        }?;
        self.out.flush()
    }
}
