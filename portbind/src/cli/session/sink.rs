//! Where a run tells what it sees, and what ends it.

use std::io;

use crate::cli::error::Error;
use crate::cli::outlet::Outlets;
use crate::event::{Ended, Refusal, Release, Repeat};
use crate::output::Summary;

/// Why a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum End {
    /// A signal, a limit, the end of what was watched.
    Asked,
    /// The reader of events is gone.
    ClosedPipe,
}

/// Where a run tells what it sees.
pub(in crate::cli) trait Sink {
    /// Tracing has begun.
    fn begin(&mut self) -> io::Result<()>;
    /// A call was refused.
    fn refusal(&mut self, refusal: &Refusal) -> io::Result<()>;
    /// A refused port has become free.
    fn release(&mut self, release: &Release) -> io::Result<()>;
    /// Refusals were only counted.
    fn repeat(&mut self, repeat: &Repeat) -> io::Result<()>;
    /// A process of the wrapped command has ended.
    fn ended(&mut self, _: Ended) -> io::Result<()> {
        Ok(())
    }
    /// Where it writes.
    fn outlets(&self) -> &Outlets;
    /// Reports what went wrong with what was written before, if that ends the run.
    fn check(&mut self) -> io::Result<()> {
        Ok(())
    }
    /// Tracing has ended.
    fn summary(&mut self, summary: &Summary) -> io::Result<()>;
}

/// A closed pipe ends a run quietly; any other error is one.
pub(super) fn written(result: io::Result<()>) -> Result<Option<End>, Error> {
    match result {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Some(End::ClosedPipe)),
        Err(error) => Err(Error::Write(error)),
    }
}
