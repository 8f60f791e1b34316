//! Reads that a process can block.
//!
//! `/proc/PID/cmdline` and `environ` are read from the memory of the process (access_remote_vm in mm/memory.c, 6.18).
//! If that memory maps a file of a file system that does not answer (FUSE, NFS), the reader blocks, and no signal
//! except SIGKILL ends the wait. So a separate thread reads, with a deadline.

use std::collections::HashMap;
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::gettid;

use super::stat::Stat;
use crate::sys::signals;

/// The longest time that a read may take. In unit tests longer: on a busy machine, a new thread may wait that long for
/// a processor.
const DEADLINE: Duration = Duration::from_millis(if cfg!(test) { 1000 } else { 100 });
/// The longest time that a read may take while its thread waits for a processor and for nothing else.
const BUSY: Duration = Duration::from_secs(1);
/// After a slow read from a process of a user, the time without reads from this user's processes.
const DISTRUST: Duration = Duration::from_secs(10);
/// After a slow read, the time without reads from any process: such reads take at most a tenth of the time.
const REST: Duration = Duration::from_secs(1);
/// The most blocked threads at once.
const STUCK: usize = 8;
/// The most distrusted users at once.
const USERS: usize = 64;

type Work = Box<dyn FnOnce() + Send>;

/// Reads with a deadline.
#[derive(Debug, Default)]
pub(super) struct Patience(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The thread that reads, unless it is blocked.
    reader: Option<Reader>,
    /// Channels of the blocked threads; each disconnects when its thread ends.
    stuck: Vec<Receiver<()>>,
    distrusted: HashMap<u32, Instant>,
    rests_until: Option<Instant>,
}

/// A thread that reads.
#[derive(Debug)]
struct Reader {
    works: Sender<Work>,
    /// Its thread id; 0 until it runs.
    thread: Arc<AtomicU32>,
}

/// A started read.
#[derive(Debug)]
pub(super) struct Pending<'a, T> {
    patience: &'a Patience,
    uid: u32,
    deadline: Instant,
    thread: Arc<AtomicU32>,
    answered: Receiver<T>,
    ended: Receiver<()>,
}

impl Patience {
    /// Starts a read from the memory of a process of this user; `None` if such a read was too slow a moment ago.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        uid: u32,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Option<Pending<'_, T>> {
        let mut state = self.lock();
        let now = Instant::now();
        if !state.may_read(uid, now) {
            return None;
        }
        let (answer, answered) = channel();
        let (end, ended) = channel();
        let work = Box::new(move || {
            // The receiver may have given up already.
            let _waited_for = answer.send(read());
            drop(end);
        });
        let reader = state.reader()?;
        let thread = Arc::clone(&reader.thread);
        reader.works.send(work).ok()?;
        Some(Pending { patience: self, uid, deadline: now + DEADLINE, thread, answered, ended })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Pending<'_, T> {
    /// The result of the read; `None` if the read takes too long.
    pub(super) fn finish(self) -> Option<T> {
        let answer = self.wait();
        let Err(error) = answer else { return answer.ok() };
        let mut state = self.patience.lock();
        match error {
            // The read panicked and ended its thread.
            RecvTimeoutError::Disconnected => state.reader = None,
            RecvTimeoutError::Timeout => state.give_up(self.uid, self.ended, Instant::now()),
        }
        None
    }

    /// Waits until the deadline. Beyond it, only for a thread that lacks nothing but a processor: on a busy machine,
    /// that is no fault of the process whose memory is read.
    fn wait(&self) -> Result<T, RecvTimeoutError> {
        let mut left = self.deadline.saturating_duration_since(Instant::now());
        loop {
            match self.answered.recv_timeout(left) {
                Err(RecvTimeoutError::Timeout)
                    if Instant::now() < self.deadline + BUSY && self.is_runnable() =>
                {
                    left = DEADLINE;
                }
                answer => return answer,
            }
        }
    }

    /// Whether the thread runs or waits for a processor, or has not begun yet.
    fn is_runnable(&self) -> bool {
        let thread = self.thread.load(Ordering::Relaxed);
        let stat = || Stat::parse(&fs::read(format!("/proc/self/task/{thread}/stat")).ok()?);
        thread == 0 || stat().is_some_and(|stat| stat.is_runnable())
    }
}

impl State {
    fn may_read(&mut self, uid: u32, now: Instant) -> bool {
        self.stuck.retain(|ended| ended.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty));
        self.distrusted.retain(|_, until| *until > now);
        let rests = self.rests_until.is_some_and(|until| until > now);
        !rests && self.stuck.len() < STUCK && !self.distrusted.contains_key(&uid)
    }

    fn reader(&mut self) -> Option<&Reader> {
        if self.reader.is_none() {
            let (sender, works) = channel::<Work>();
            let thread = Arc::new(AtomicU32::new(0));
            let own = Arc::clone(&thread);
            let run = move || {
                own.store(gettid().as_raw_nonzero().get().cast_unsigned(), Ordering::Relaxed);
                signals::leave_to_the_first_thread();
                works.into_iter().for_each(|work| work());
            };
            thread::Builder::new().name("portbind-read".to_owned()).spawn(run).ok()?;
            self.reader = Some(Reader { works: sender, thread });
        }
        self.reader.as_ref()
    }

    /// Abandons the thread: it ends when its read ends.
    fn give_up(&mut self, uid: u32, ended: Receiver<()>, now: Instant) {
        self.reader = None;
        self.stuck.push(ended);
        self.rests_until = Some(now + REST);
        if self.distrusted.len() < USERS {
            self.distrusted.insert(uid, now + DISTRUST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Send + 'static>(
        patience: &Patience,
        uid: u32,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        patience.begin(uid, read)?.finish()
    }

    #[test]
    fn all_that_is_quick_is_read() {
        let patience = Patience::default();
        for number in 0..100 {
            assert_eq!(read(&patience, 7, move || number), Some(number));
        }
    }

    #[test]
    fn who_keeps_a_reader_waiting_is_left_alone() {
        let patience = Patience::default();
        let (release, blocked) = channel::<()>();
        let begin = Instant::now();
        assert_eq!(read(&patience, 7, move || blocked.recv().is_ok()), None);
        assert_eq!(read(&patience, 7, || true), None);
        assert_eq!(read(&patience, 8, || true), None, "there is no rest");
        assert!(begin.elapsed() < 3 * DEADLINE);
        {
            let mut state = patience.0.lock().unwrap();
            state.rests_until = None;
            assert_eq!(state.stuck.len(), 1);
        }
        assert_eq!(read(&patience, 8, || true), Some(true), "the others are read");
        assert_eq!(read(&patience, 7, || true), None);
        drop(release);
        patience.0.lock().unwrap().distrusted.clear();
        // The blocked thread has ended, or is about to end.
        while patience.0.lock().unwrap().stuck.len() > 1 {
            thread::yield_now();
        }
        assert_eq!(read(&patience, 7, || true), Some(true));
    }

    #[test]
    fn a_read_that_fails_takes_no_other_with_it() {
        let patience = Patience::default();
        // A panic without a message: a message with a backtrace takes long.
        assert_eq!(read(&patience, 7, || -> u8 { std::panic::resume_unwind(Box::new(())) }), None);
        assert_eq!(read(&patience, 7, || 1), Some(1));
    }
}
