//! Output that never blocks its writer.
//!
//! A pipe without a reader, a stopped terminal or a hung network file system can block write(2) indefinitely. So bytes
//! that the kernel does not accept at once go into a buffer, and a thread writes them out. The writer checks for room
//! before it creates an event, and at the end it waits only for a limited time.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::io::{Errno, ReadWriteFlags};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::sys::signals;

/// Bytes that may wait to be written; one more event may exceed this.
const ROOM: usize = 256 * 1024;
/// Bytes of memory that are kept for the next piece.
const KEPT: usize = 64 * 1024;
/// How long a dropped outlet waits for its remaining bytes.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How long all outlets together are waited for in haste.
const HASTE: Duration = Duration::from_millis(500);

/// The outlets of a run, and the notification that their threads send.
#[derive(Debug, Default)]
pub(crate) struct Outlets {
    all: Vec<Arc<Shared>>,
    haste: Haste,
}

/// Shortens the wait for slow readers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Haste {
    until: Arc<OnceLock<Instant>>,
    changed: Arc<Notify>,
}

/// What was not written, because nobody read it in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// The pieces.
    pub(crate) pieces: usize,
    /// The events in them.
    pub(crate) events: u64,
}

/// A writer whose bytes the kernel accepts at once, or else a thread writes. The bytes up to a flush form one piece,
/// which is passed on whole.
#[derive(Debug)]
pub(crate) struct Outlet {
    shared: Arc<Shared>,
    piece: Vec<u8>,
    /// Whether the kernel supports writing without blocking here: for terminals and many file systems it does not.
    may_be_at_once: bool,
}

/// The destination of an outlet's bytes.
trait Out: Write + AsFd + Send {}
impl<T: Write + AsFd + Send> Out for T {}

struct Shared {
    state: Mutex<State>,
    /// The destination; the thread locks it while it writes.
    out: Mutex<Option<Box<dyn Out>>>,
    /// Notified when a piece is to be written, or the outlet was dropped.
    filled: Condvar,
    /// Notified when a piece has been written, or cannot be.
    emptied: Condvar,
    changed: Arc<Notify>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("waiting", &self.state().bytes).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    /// The thread has been started.
    has_thread: bool,
    pieces: VecDeque<Piece>,
    /// Bytes of all pieces, including the one that is being written.
    bytes: usize,
    /// Events in all pieces, including the one that is being written.
    events: u64,
    /// Why the outlet cannot write any more: the kind of the error, and its number.
    failed: Option<Failure>,
    next_events: u64,
    dropped: Dropped,
    is_writing: bool,
    is_closed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Failure {
    kind: io::ErrorKind,
    number: Option<i32>,
}

struct Piece {
    bytes: Vec<u8>,
    events: u64,
}

impl Haste {
    /// Ends every wait for a reader soon.
    pub(crate) fn begin(&self) {
        self.until.get_or_init(|| Instant::now() + HASTE);
        self.changed.notify_one();
    }

    /// Whether waits are shortened.
    pub(crate) fn has_begun(&self) -> bool {
        self.until.get().is_some()
    }

    fn earlier(&self, other: Instant) -> Instant {
        self.until.get().map_or(other, |until| other.min(*until))
    }
}

impl Outlets {
    /// More outlets, which share the haste and the notifications of these.
    pub(crate) fn beside(&self) -> Self {
        Self { all: Vec::new(), haste: self.haste.clone() }
    }

    /// What shortens the wait for these outlets.
    pub(crate) fn haste(&self) -> Haste {
        self.haste.clone()
    }

    /// What was not written until now.
    pub(crate) fn dropped(&self) -> Dropped {
        self.all.iter().map(|shared| shared.state().dropped).fold(Dropped::default(), |all, one| Dropped {
            pieces: all.pieces + one.pieces,
            events: all.events + one.events,
        })
    }

    /// Adds an outlet to `out`. Its thread starts with the first piece that has to wait.
    pub(crate) fn add(&mut self, out: impl Write + AsFd + Send + 'static) -> Outlet {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            out: Mutex::new(Some(Box::new(out))),
            filled: Condvar::new(),
            emptied: Condvar::new(),
            changed: Arc::clone(&self.haste.changed),
        });
        self.all.push(Arc::clone(&shared));
        Outlet { shared, piece: Vec::new(), may_be_at_once: true }
    }

    /// Whether one more event may be written: every outlet is below its limit.
    pub(crate) fn have_room(&self) -> bool {
        self.all.iter().all(|shared| shared.state().bytes < ROOM)
    }

    /// Waits until an outlet has written a piece, or cannot.
    pub(crate) async fn changed(&self) {
        self.haste.changed.notified().await;
    }

    /// The error of the first outlet that cannot write any more.
    pub(crate) fn failure(&self) -> Option<io::Error> {
        self.all.iter().find_map(|shared| shared.state().failed).map(Failure::error)
    }

    /// Waits until all pieces are written, as long as at least one piece is written per `pause`, and until `deadline`.
    /// Returns how many events were not written; they are dropped.
    pub(crate) async fn finish(&self, pause: Duration, deadline: Instant) -> u64 {
        let waiting = || self.all.iter().map(|shared| shared.state().waiting()).sum::<usize>();
        let mut left = waiting();
        while left > 0 {
            let limit = (Instant::now() + pause).min(deadline);
            let before = left;
            while left == before && Instant::now() < self.haste.earlier(limit) {
                let pause = self.haste.earlier(limit).saturating_duration_since(Instant::now());
                // Whether it was notified or timed out, the remaining pieces show the result.
                let _woken = tokio::time::timeout(pause, self.changed()).await;
                left = waiting();
            }
            if left == before {
                break;
            }
        }
        self.all.iter().map(|shared| shared.give_up()).sum()
    }
}

impl Outlet {
    /// A marker for pieces that contain an event.
    pub(crate) fn marker(&self) -> Marker {
        Marker(Arc::clone(&self.shared))
    }

    /// If nothing else waits, writes what the kernel accepts of the piece without blocking, and removes these bytes
    /// from the piece.
    fn write_at_once(&mut self) {
        let mut state = self.shared.state();
        if !self.may_be_at_once || self.piece.is_empty() || state.failed.is_some() || state.waiting() > 0 {
            return;
        }
        // The thread may still have `out` locked, for a piece that was given up.
        let Ok(out) = self.shared.out.try_lock() else { return };
        let written = out.as_ref().map_or(Ok(0), |out| write_at_once(out.as_fd(), &self.piece));
        drop(out);
        // Other errors occur again in the thread, which may block.
        self.may_be_at_once = matches!(written, Ok(_) | Err(Errno::AGAIN | Errno::INTR));
        if written == Ok(self.piece.len()) {
            state.next_events = 0;
            self.piece.clear();
            self.piece.shrink_to(KEPT);
        } else {
            self.piece.drain(..written.unwrap_or(0));
        }
    }
}

/// Writes as much as the kernel accepts without blocking (`RWF_NOWAIT`), at the descriptor's own offset.
fn write_at_once(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, Errno> {
    const OWN_OFFSET: u64 = u64::MAX;
    rustix::io::pwritev2(fd, &[IoSlice::new(bytes)], OWN_OFFSET, ReadWriteFlags::NOWAIT)
}

/// Marks the pieces of an outlet that are events, so that unwritten events can be counted.
#[derive(Clone, Debug)]
pub(crate) struct Marker(Arc<Shared>);

impl Marker {
    /// Marks the next flushed piece as an event.
    pub(crate) fn next_is_an_event(&self) {
        self.next_has(1);
    }

    /// Marks the next flushed piece as a number of events.
    pub(crate) fn next_has(&self, events: u64) {
        self.0.state().next_events = events;
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// Queues the bytes written since the last flush; returns an earlier failure.
    fn flush(&mut self) -> io::Result<()> {
        self.write_at_once();
        // An empty piece keeps its memory.
        let bytes = if self.piece.is_empty() { Vec::new() } else { std::mem::take(&mut self.piece) };
        self.shared.push(bytes)
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        // An outlet is dropped without `finish` after an error; the bytes written before are still worth a short wait.
        let _failed = self.flush();
        let mut state = self.shared.state();
        state.is_closed = true;
        if !state.has_thread {
            self.shared.out().take();
        }
        self.shared.filled.notify_one();
        let busy = |state: &mut State| state.waiting() > 0;
        let waited = self.shared.emptied.wait_timeout_while(state, LAST_WORDS, busy);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn out(&self) -> MutexGuard<'_, Option<Box<dyn Out>>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(self: &Arc<Self>, bytes: Vec<u8>) -> io::Result<()> {
        let mut state = self.state();
        let events = std::mem::take(&mut state.next_events);
        if let Some(failure) = state.failed {
            return Err(failure.error());
        }
        if bytes.is_empty() {
            return Ok(());
        }
        state.bytes += bytes.len();
        state.events += events;
        state.pieces.push_back(Piece { bytes, events });
        let has_thread = std::mem::replace(&mut state.has_thread, true);
        drop(state);
        if !has_thread {
            let shared = Arc::clone(self);
            thread::Builder::new().name("portbind-out".to_owned()).spawn(move || shared.pass_on())?;
        }
        self.filled.notify_one();
        Ok(())
    }

    /// Writes piece after piece, until the outlet is dropped or a write fails.
    fn pass_on(&self) {
        signals::leave_to_the_first_thread();
        while let Some(piece) = self.next_piece() {
            let written = match self.out().as_mut() {
                Some(out) => out.write_all(&piece.bytes).and_then(|()| out.flush()),
                None => Ok(()),
            };
            let mut state = self.state();
            // The piece was given up meanwhile; it must not be counted twice.
            if state.is_writing {
                state.is_writing = false;
                state.bytes = state.bytes.saturating_sub(piece.bytes.len());
                state.events = state.events.saturating_sub(piece.events);
            }
            if let Err(error) = written {
                state.failed = Some(Failure { kind: error.kind(), number: error.raw_os_error() });
                state.clear();
            }
            let ends = state.failed.is_some();
            drop(state);
            self.emptied.notify_all();
            self.changed.notify_one();
            if ends {
                break;
            }
        }
        self.out().take();
    }

    fn next_piece(&self) -> Option<Piece> {
        let idle = |state: &mut State| state.pieces.is_empty() && !state.is_closed;
        let state = self.filled.wait_while(self.state(), idle);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let piece = state.pieces.pop_front()?;
        state.is_writing = true;
        Some(piece)
    }

    /// Drops the unwritten pieces; returns the number of their events.
    fn give_up(&self) -> u64 {
        let mut state = self.state();
        let events = state.events;
        state.dropped.pieces += state.waiting();
        state.dropped.events += events;
        state.clear();
        events
    }
}

impl State {
    /// Number of unwritten pieces, including the one that is being written.
    fn waiting(&self) -> usize {
        self.pieces.len() + usize::from(self.is_writing)
    }

    fn clear(&mut self) {
        self.pieces.clear();
        self.is_writing = false;
        (self.bytes, self.events) = (0, 0);
    }
}

impl Failure {
    fn error(self) -> io::Error {
        self.number.map_or_else(|| self.kind.into(), io::Error::from_raw_os_error)
    }
}

#[cfg(test)]
#[path = "outlet_tests.rs"]
mod tests;
