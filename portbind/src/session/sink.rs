//! The receiver of a run's events, and why a run ends.

use std::io;
use std::time::Duration;

use tokio::time::Instant;

use super::error::Error;
use crate::event::{Ended, Refusal, Release, Repeat, Summary};

/// Why a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A signal, a limit, or the end of the traced command.
    Asked,
    /// The reader of events is gone.
    ClosedPipe,
}

/// The receiver of a run's events. While a sink has no room, it gets no refusals; they wait in the queue of the run.
pub(crate) trait Sink {
    /// Tracing has begun.
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }
    /// A call was refused.
    fn refusal(&mut self, refusal: &Refusal) -> io::Result<()>;
    /// Whether a refusal is to be shown; a refusal that is not counts as filtered. The sink may complete it.
    /// `descendants` returns the living processes that the run follows.
    fn wants(&mut self, _: &mut Refusal, _descendants: &dyn Fn() -> Vec<u32>) -> bool {
        true
    }
    /// Whether refusals that were counted are to be shown.
    fn wants_repeat(&mut self, _: &Repeat) -> bool {
        true
    }
    /// A refused port has become free.
    fn release(&mut self, release: &Release) -> io::Result<()>;
    /// Refusals were counted without being shown.
    fn repeat(&mut self, repeat: &Repeat) -> io::Result<()>;
    /// Refusals were lost: nothing is known of them but their number.
    fn lost(&mut self, _: u64) {}
    /// A process of the wrapped command has ended.
    fn ended(&mut self, _: Ended) -> io::Result<()> {
        Ok(())
    }
    /// A message about the run itself.
    fn note(&mut self, _: &str) {}
    /// Whether the sink accepts another event now.
    fn has_room(&self) -> bool;
    /// Whether the run is to end without a further wait for a reader.
    fn is_in_haste(&self) -> bool {
        false
    }
    /// Waits until there may be more room.
    async fn changed(&self);
    /// Returns the error of an earlier write, if it ends the run.
    fn check(&mut self) -> io::Result<()> {
        Ok(())
    }
    /// Waits until everything is written, as long as each `pause` makes progress, and at most until `deadline`. Returns
    /// how many refusals were not written.
    async fn finish(&self, pause: Duration, deadline: Instant) -> u64;
    /// Tracing has ended.
    fn summary(&mut self, summary: &Summary) -> io::Result<()>;
}

/// A closed pipe ends the run without an error; any other error is returned.
pub(super) fn written(result: io::Result<()>) -> Result<Option<End>, Error> {
    match result {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Some(End::ClosedPipe)),
        Err(error) => Err(Error::Write(error)),
    }
}
