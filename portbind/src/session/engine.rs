//! A run of tracing with its ring buffer: driven by `trace`, `run` and [`Session`](super::stream::Session).

use super::error::Error;
use super::run::{Records, Run, Settings};
use super::sink::{End, Sink};
use crate::diagnosis::history::History;
use crate::host::Host;
use crate::kernel::error::{AttachError, TraceError};
use crate::kernel::tracer::Tracer;

/// A run of tracing, driven step by step.
pub(crate) struct Engine<S> {
    run: Run<S>,
    records: Records,
}

impl<S: Sink> Engine<S> {
    /// Prepares a run. Requires a tokio runtime with time and I/O.
    pub(crate) fn new(settings: Settings, host: Host, tracer: Tracer, records: Records, sink: S) -> Self {
        Self { run: Run::new(settings, host, tracer, sink), records }
    }

    /// Logs every bind and listen system call.
    ///
    /// # Errors
    /// If the kernel refuses the program for it.
    pub(crate) fn follow_debug_lines(&mut self) -> Result<(), AttachError> {
        self.run.follow_debug_lines()
    }

    /// Announces that tracing has begun; with `is_verbose`, also the backends tried and what is missing.
    pub(crate) fn begin(&mut self, is_verbose: bool) -> Result<(), Error> {
        self.run.announce(is_verbose)
    }

    /// Waits for the next event and handles it. Returns why the run ends, if it does.
    pub(crate) async fn step(&mut self) -> Result<Option<End>, Error> {
        self.run.step(&mut self.records).await
    }

    /// Handles events until `stop` is ready.
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

    /// Handles the records that are in the ring buffer now.
    pub(crate) fn catch_up(&mut self) -> Result<(), Error> {
        self.run.catch_up(&mut self.records)
    }

    /// Detaches, shows the remaining events as far as time permits, and accounts for every refusal.
    pub(crate) async fn close(&mut self, end: End) -> Result<(), Error> {
        self.run.close(&mut self.records, end).await
    }

    /// The living processes of the wrapped command.
    pub(crate) fn descendants(&self) -> Vec<u32> {
        self.run.tracer.descendants()
    }

    /// Also follows a process, and what it starts from now on.
    ///
    /// # Errors
    /// If the kernel refuses to add it.
    pub(crate) fn adopt(&self, pid: u32) -> Result<(), TraceError> {
        self.run.tracer.adopt(pid)
    }

    /// The recorded port events.
    pub(crate) const fn history(&self) -> &History {
        self.run.history()
    }

    /// The sink that receives the run's events.
    pub(crate) const fn sink_mut(&mut self) -> &mut S {
        &mut self.run.sink
    }

    /// Ends tracing and returns the sink.
    pub(crate) fn into_sink(self) -> S {
        self.run.tracer.detach();
        self.run.sink
    }
}
