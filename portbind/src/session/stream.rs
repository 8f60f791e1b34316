//! Tracing for programs that embed portbind: events one by one, and the account at the end.

use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::time::Duration;

use tokio::time::Instant;

use super::engine::Engine;
use super::error::Error;
use super::sink::{End, Sink};
use crate::event::{Refusal, Release, Repeat, Summary};

/// Limit for events waiting to be taken; beyond it, refusals wait in the bounded queue of the run or are counted.
const ROOM: usize = 64;

/// An event of a session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A call was refused.
    Refusal(Box<Refusal>),
    /// Refusals that were only counted, because they came too fast to be described one by one. They are no
    /// [`Event::Refusal`].
    Repeat(Box<Repeat>),
    /// The port of an earlier refusal has become free. Not every refusal is followed by one.
    Release(Box<Release>),
}

/// Active tracing, from [`Builder::start`](super::Builder::start) until it is dropped or [`finish`](Self::finish) is
/// called.
///
/// A session makes progress only in [`next`](Self::next) or in the stream of [`events`](Self::events): if a program
/// calls neither for a long time, refusals are counted instead of described. A session is not `Send`; it runs on a
/// current-thread runtime of tokio, or in a `LocalSet`. It drops no privilege of the process, installs no signal
/// handler, and writes nothing.
#[expect(missing_debug_implementations, reason = "the kernel half does not implement Debug")]
pub struct Session {
    engine: Engine<Waiting>,
    has_ended: bool,
}

/// The end of a session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finished {
    /// The events that [`Session::next`] has not returned, oldest first. The account contains them as shown.
    pub events: Vec<Event>,
    /// The account of every refusal, and what is missing in it.
    pub summary: Summary,
}

impl Session {
    pub(super) const fn of(engine: Engine<Waiting>) -> Self {
        Self { engine, has_ended: false }
    }

    /// Waits for the next event. Without [`Builder::count`](super::Builder::count), it waits for ever: the caller
    /// decides when to [`finish`](Self::finish). With it, this is `None` after the last refusal, and from then on.
    ///
    /// The future may be dropped at any time, as `tokio::select!` does, without losing events.
    ///
    /// # Errors
    /// If the kernel fails, for example because the limit of locked memory or descriptors is too low.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            if let Some(event) = self.engine.sink_mut().events.pop_front() {
                return Ok(Some(event));
            }
            if self.has_ended {
                return Ok(None);
            }
            self.has_ended = self.engine.step().await?.is_some();
        }
    }

    /// Ends tracing, describes the remaining refusals within the time limit
    /// ([`Builder::last_words`](super::Builder::last_words)), and returns their events and the account. It may be
    /// called at any time, also after [`next`](Self::next) has returned `None`. A session that is dropped instead ends
    /// at once, without an account.
    ///
    /// # Errors
    /// If the kernel fails.
    pub async fn finish(mut self) -> Result<Finished, Error> {
        self.engine.sink_mut().is_unbounded = true;
        self.engine.close(End::Asked).await?;
        let Waiting { events, summary, .. } = self.engine.into_sink();
        Ok(Finished { events: events.into(), summary: summary.unwrap_or_default() })
    }
}

/// Events waiting to be taken.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    events: VecDeque<Event>,
    summary: Option<Summary>,
    is_unbounded: bool,
}

impl Waiting {
    fn push(&mut self, event: Event) {
        self.events.push_back(event);
    }
}

impl Sink for Waiting {
    fn refusal(&mut self, refusal: &Refusal) -> io::Result<()> {
        self.push(Event::Refusal(Box::new(refusal.clone())));
        Ok(())
    }

    fn release(&mut self, release: &Release) -> io::Result<()> {
        self.push(Event::Release(Box::new(release.clone())));
        Ok(())
    }

    fn repeat(&mut self, repeat: &Repeat) -> io::Result<()> {
        self.push(Event::Repeat(Box::new(repeat.clone())));
        Ok(())
    }

    fn has_room(&self) -> bool {
        self.is_unbounded || self.events.len() < ROOM
    }

    async fn changed(&self) {
        // Events are taken between steps, never during a step.
        pending::<()>().await;
    }

    async fn finish(&self, _: Duration, _: Instant) -> u64 {
        0
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        self.summary = Some(summary.clone());
        Ok(())
    }
}
