//! The events of a session as a stream, for programs that combine streams.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::FusedStream;

use super::error::Error;
use super::stream::{Event, Session};

/// The events of a session as a `Stream`, made by [`Session::events`]. After an error, or after the last event, the
/// stream has ended.
#[expect(missing_debug_implementations, reason = "a session does not implement Debug")]
pub struct Events<'a>(Steps<'a, Session>);

impl Session {
    /// The events as a `Stream` of the crate `futures-core`, for the methods of `StreamExt` in `tokio-stream` and
    /// `futures`. It yields the same events as [`next`](Self::next) and is equally safe to drop: nothing is lost, and
    /// the session continues with `next`, another stream or [`finish`](Self::finish).
    ///
    /// ```no_run
    /// # async fn watch() -> Result<(), portbind::session::Error> {
    /// use portbind::session::{Event, Session};
    /// use tokio_stream::StreamExt as _;
    ///
    /// let mut session = Session::builder().start()?;
    /// let mut events = session.events().take(3);
    /// while let Some(event) = events.next().await {
    ///     if let Event::Refusal(refusal) = event? {
    ///         println!("{} was refused: {}", refusal.process.comm, refusal.cause.summary);
    ///     }
    /// }
    /// drop(events);
    /// println!("{} refused", session.finish().await?.summary.account.refused);
    /// # Ok(())
    /// # }
    /// ```
    pub fn events(&mut self) -> Events<'_> {
        Events(Steps::of(self))
    }
}

impl Stream for Events<'_> {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.0).poll_next(context)
    }
}

impl FusedStream for Events<'_> {
    fn is_terminated(&self) -> bool {
        self.0.0.is_none()
    }
}

/// A source of consecutive events: a session, or a test double.
trait Source {
    /// As [`Session::next`].
    fn next(&mut self) -> impl Future<Output = Result<Option<Event>, Error>>;
}

impl Source for Session {
    fn next(&mut self) -> impl Future<Output = Result<Option<Event>, Error>> {
        self.next()
    }
}

/// Waits for one event. Returns the source together with the event.
type Step<'a, S> = Pin<Box<dyn Future<Output = (&'a mut S, Result<Option<Event>, Error>)> + 'a>>;

/// One step at a time. The step is kept from poll to poll, because dropping it would lose its wakeup.
struct Steps<'a, S>(Option<Step<'a, S>>);

impl<'a, S: Source> Steps<'a, S> {
    fn of(source: &'a mut S) -> Self {
        Self(Some(Box::pin(async move {
            let event = source.next().await;
            (source, event)
        })))
    }
}

impl<S: Source> Stream for Steps<'_, S> {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(step) = &mut self.0 else { return Poll::Ready(None) };
        let (source, event) = ready!(step.as_mut().poll(context));
        let item = event.transpose();
        *self = if matches!(item, Some(Ok(_))) { Steps::of(source) } else { Steps(None) };
        Poll::Ready(item)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io;

    use tokio::task::yield_now;
    use tokio_stream::StreamExt as _;

    use super::*;
    use crate::event::{Release, samples};

    /// Yields each event at its second poll and, with `fails`, an error at the end.
    #[derive(Default)]
    struct MadeUp {
        events: VecDeque<Event>,
        fails: bool,
    }

    impl Source for MadeUp {
        async fn next(&mut self) -> Result<Option<Event>, Error> {
            yield_now().await;
            match self.events.pop_front() {
                None if self.fails => Err(Error::Write(io::ErrorKind::BrokenPipe.into())),
                event => Ok(event),
            }
        }
    }

    /// A source with events of the processes 1, 2 and so on.
    fn made_up(count: u32) -> MadeUp {
        let refusal = samples::listener();
        let event = |pid| {
            let mut process = (*refusal.process).clone();
            process.pid = pid;
            let (time, socket) = (refusal.time, refusal.socket.clone());
            Event::Release(Box::new(Release { time, refused: time, process: process.into(), socket }))
        };
        MadeUp { events: (1..=count).map(event).collect(), fails: false }
    }

    fn pid(event: &Event) -> u32 {
        let Event::Release(release) = event else { panic!("{event:?}") };
        release.process.pid
    }

    #[tokio::test(flavor = "current_thread")]
    async fn events_come_in_order_and_end() {
        let mut source = made_up(3);
        let mut steps = Steps::of(&mut source);
        let mut pids = Vec::new();
        while let Some(event) = steps.next().await {
            pids.push(pid(&event.unwrap()));
        }
        assert_eq!(pids, [1, 2, 3]);
        assert!(steps.next().await.is_none());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_error_is_given_once_and_ends_the_stream() {
        let mut source = MadeUp { fails: true, ..made_up(1) };
        let mut steps = Steps::of(&mut source);
        assert_eq!(pid(&steps.next().await.unwrap().unwrap()), 1);
        assert!(matches!(steps.next().await, Some(Err(Error::Write(_)))));
        assert!(steps.next().await.is_none());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_stream_that_is_dropped_loses_nothing() {
        let mut source = made_up(2);
        let mut steps = Steps::of(&mut source);
        assert!(
            Pin::new(&mut steps).poll_next(&mut Context::from_waker(std::task::Waker::noop())).is_pending()
        );
        drop(steps);
        assert_eq!(pid(&Steps::of(&mut source).next().await.unwrap().unwrap()), 1);
        assert_eq!(pid(&source.next().await.unwrap().unwrap()), 2);
    }
}
