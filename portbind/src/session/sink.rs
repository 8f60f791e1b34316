//! Where a run puts what it sees, and what ends it.

use std::io;
use std::time::Duration;

use tokio::time::Instant;

use super::error::Error;
use crate::event::{Ended, Refusal, Release, Repeat, Summary};

/// Why a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A signal, a limit, the end of what was watched.
    Asked,
    /// The reader of events is gone.
    ClosedPipe,
}

/// Where a run puts what it sees. A sink that has no room is given no refusal; a refusal waits in the queue of the run then.
pub(crate) trait Sink {
    /// Tracing has begun.
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }
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
    /// A sentence about the run itself.
    fn note(&mut self, _: &str) {}
    /// Whether the sink takes one more event now.
    fn has_room(&self) -> bool;
    /// Waits until there may be more room than before.
    async fn changed(&self);
    /// Reports what went wrong with what was written before, if that ends the run.
    fn check(&mut self) -> io::Result<()> {
        Ok(())
    }
    /// Waits until all is written, as long as something is written in each `pause`, and not after `deadline`. Returns how
    /// many refusals were not written.
    async fn finish(&self, pause: Duration, deadline: Instant) -> u64;
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
