//! Output that never makes its writer wait.
//!
//! A pipe that nobody reads, a stopped terminal or a hung network file system blocks write(2) for as long as it likes.
//! So what the kernel does not take at once goes into a buffer, and a thread writes it out. The writer asks for room
//! before it makes an event, and at the end it waits for so long and no longer.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::io::{Errno, ReadWriteFlags};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::sys::signals;

/// Bytes that may wait to be written; one event more may come on top of that.
const ROOM: usize = 256 * 1024;
/// Bytes of memory that are kept for the next piece.
const KEPT: usize = 64 * 1024;
/// How long an outlet that is dropped waits for what it has not written yet.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The outlets of a run, and what their threads wake.
#[derive(Debug, Default)]
pub(crate) struct Outlets {
    all: Vec<Arc<Shared>>,
    changed: Arc<Notify>,
}

/// A writer whose bytes a thread passes on, unless the kernel takes them at once. What is written up to a flush is one
/// piece: it is passed on whole.
#[derive(Debug)]
pub(crate) struct Outlet {
    shared: Arc<Shared>,
    piece: Vec<u8>,
    /// Whether the kernel can be asked to take something at once: it cannot for terminals and many file systems.
    may_be_at_once: bool,
}

/// Where the bytes of an outlet go.
trait Out: Write + AsFd + Send {}
impl<T: Write + AsFd + Send> Out for T {}

struct Shared {
    state: Mutex<State>,
    /// Where the bytes go; the thread has it while it writes.
    out: Mutex<Option<Box<dyn Out>>>,
    /// There is a piece to write, or the outlet was dropped.
    filled: Condvar,
    /// A piece has been written, or cannot be.
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
    /// The thread was started.
    has_thread: bool,
    pieces: VecDeque<Piece>,
    /// Bytes of the pieces, the one that is being written included.
    bytes: usize,
    /// Events among the pieces, the one that is being written included.
    events: u64,
    /// Why nothing more can be written: kind of the error, and its number.
    failed: Option<Failure>,
    next_is_an_event: bool,
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

impl Outlets {
    /// An outlet to `out`. Its thread is started with the first piece that has to wait.
    pub(crate) fn add(&mut self, out: impl Write + AsFd + Send + 'static) -> Outlet {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            out: Mutex::new(Some(Box::new(out))),
            filled: Condvar::new(),
            emptied: Condvar::new(),
            changed: Arc::clone(&self.changed),
        });
        self.all.push(Arc::clone(&shared));
        Outlet { shared, piece: Vec::new(), may_be_at_once: true }
    }

    /// Whether one more event may be written: no outlet has more waiting than it should.
    pub(crate) fn have_room(&self) -> bool {
        self.all.iter().all(|shared| shared.state().bytes < ROOM)
    }

    /// Waits until an outlet has written something, or cannot.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Why an outlet cannot write any more, if one cannot.
    pub(crate) fn failure(&self) -> Option<io::Error> {
        self.all.iter().find_map(|shared| shared.state().failed).map(Failure::error)
    }

    /// Waits until all is written that can be, as long as at least one piece is written each `pause`, and not after
    /// `deadline`. Returns how many events were not written; nothing more is written then.
    pub(crate) async fn finish(&self, pause: Duration, deadline: Instant) -> u64 {
        let waiting = || self.all.iter().map(|shared| shared.state().waiting()).sum::<usize>();
        let mut left = waiting();
        while left > 0 {
            let until = (Instant::now() + pause).min(deadline);
            let before = left;
            while left == before && Instant::now() < until {
                let pause = until.saturating_duration_since(Instant::now());
                // Whether it was woken or not, what is left says how it went.
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
    /// What says that there is an event in a piece.
    pub(crate) fn marker(&self) -> Marker {
        Marker(Arc::clone(&self.shared))
    }

    /// Writes what the kernel takes of the piece without waiting, if nothing else waits; takes that off the piece.
    fn write_at_once(&mut self) {
        let mut state = self.shared.state();
        if !self.may_be_at_once || self.piece.is_empty() || state.failed.is_some() || state.waiting() > 0 {
            return;
        }
        // The thread may still have it, with a piece that was given up.
        let Ok(out) = self.shared.out.try_lock() else { return };
        let written = out.as_ref().map_or(Ok(0), |out| write_at_once(out.as_fd(), &self.piece));
        drop(out);
        // What else went wrong is found out again by the thread, which may wait.
        self.may_be_at_once = matches!(written, Ok(_) | Err(Errno::AGAIN | Errno::INTR));
        if written == Ok(self.piece.len()) {
            state.next_is_an_event = false;
            self.piece.clear();
            self.piece.shrink_to(KEPT);
        } else {
            self.piece.drain(..written.unwrap_or(0));
        }
    }
}

/// Writes as much as the kernel takes without waiting (`RWF_NOWAIT`), at the descriptor's own offset.
fn write_at_once(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, Errno> {
    const OWN_OFFSET: u64 = u64::MAX;
    rustix::io::pwritev2(fd, &[IoSlice::new(bytes)], OWN_OFFSET, ReadWriteFlags::NOWAIT)
}

/// Says which pieces of an outlet are events: those that are not written at the end are counted.
#[derive(Clone, Debug)]
pub(crate) struct Marker(Arc<Shared>);

impl Marker {
    /// There is an event in the piece that is flushed next.
    pub(crate) fn next_is_an_event(&self) {
        self.0.state().next_is_an_event = true;
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// Hands over what was written since the last time; reports an earlier failure.
    fn flush(&mut self) -> io::Result<()> {
        self.write_at_once();
        // What is empty keeps its memory.
        let bytes = if self.piece.is_empty() { Vec::new() } else { std::mem::take(&mut self.piece) };
        self.shared.push(bytes)
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        // Who drops it without finishing has met an error: what was written before is still worth a moment.
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
        let events = u64::from(std::mem::take(&mut state.next_is_an_event));
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
            // Given up meanwhile: it is not counted twice.
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

    /// Lets go of what is not written; returns how many events that are.
    fn give_up(&self) -> u64 {
        let mut state = self.state();
        let events = state.events;
        state.clear();
        events
    }
}

impl State {
    /// Pieces that are not written yet, the one that is being written included.
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
