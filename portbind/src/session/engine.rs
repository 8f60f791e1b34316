//! A run of tracing with its ring buffer: what `trace`, `run` and [`Session`](super::stream::Session) drive.

use super::error::Error;
use super::run::{Records, Run, Settings};
use super::sink::{End, Sink};
use crate::diagnosis::history::History;
use crate::host::Host;
use crate::kernel::error::AttachError;
use crate::kernel::tracer::Tracer;

/// A run of tracing, driven step by step.
pub(crate) struct Engine<S> {
    run: Run<S>,
    records: Records,
}

impl<S: Sink> Engine<S> {
    /// Makes a run ready. It takes a runtime of tokio, with time and I/O.
    pub(crate) fn new(settings: Settings, host: Host, tracer: Tracer, records: Records, sink: S) -> Self {
        Self { run: Run::new(settings, host, tracer, sink), records }
    }

    /// Has every bind and listen system call noted.
    ///
    /// # Errors
    /// If the kernel refuses the program for it.
    pub(crate) fn follow_debug_lines(&mut self) -> Result<(), AttachError> {
        self.run.follow_debug_lines()
    }

    /// Announces that tracing has begun; `is_verbose`: also what was tried, and what the run does without.
    pub(crate) fn begin(&mut self, is_verbose: bool) -> Result<(), Error> {
        self.run.announce(is_verbose)
    }

    /// Waits for what comes next, and handles it; why the run ends, if it does.
    pub(crate) async fn step(&mut self) -> Result<Option<End>, Error> {
        self.run.step(&mut self.records).await
    }

    /// Handles what comes until `stop` is ready.
    pub(crate) async fn follow(&mut self, stop: impl Future<Output = ()>) -> Result<End, Error> {
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => return Ok(End::Asked),
                end = self.step() => if let Some(end) = end? {
                    return Ok(end);
                },
            }
        }
    }

    /// Handles what is in the ring buffer by now.
    pub(crate) fn catch_up(&mut self) -> Result<(), Error> {
        self.run.catch_up(&mut self.records)
    }

    /// Detaches, shows what is left as far as there is time, and accounts for every refusal.
    pub(crate) async fn close(&mut self, end: End) -> Result<(), Error> {
        self.run.close(&mut self.records, end).await
    }

    /// The processes of the wrapped command that live.
    pub(crate) fn descendants(&self) -> Vec<u32> {
        self.run.tracer.descendants()
    }

    /// What is known of the life of ports.
    pub(crate) const fn history(&self) -> &History {
        self.run.history()
    }

    /// Where the run puts what it sees.
    pub(crate) const fn sink_mut(&mut self) -> &mut S {
        &mut self.run.sink
    }

    /// Ends tracing, and gives back where the run put what it saw.
    pub(crate) fn into_sink(self) -> S {
        self.run.tracer.detach();
        self.run.sink
    }
}
