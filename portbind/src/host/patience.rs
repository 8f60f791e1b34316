//! Reads that a process can keep from coming to an end.
//!
//! `/proc/PID/cmdline` and `environ` are read from the memory of the process (access_remote_vm in mm/memory.c, 6.18).
//! Where that memory is a mapping of a file that does not answer (FUSE, NFS), the reader waits, and no signal but
//! SIGKILL ends it. So another thread reads, and is waited for no longer than a moment.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::sys::signals;

/// How long a read may take.
const DEADLINE: Duration = Duration::from_millis(100);
/// How long nothing is read of the processes of a user, one of whose reads took longer.
const DISTRUST: Duration = Duration::from_secs(10);
/// How long nothing is read of anybody after that: at most a tenth of the time goes to such reads.
const REST: Duration = Duration::from_secs(1);
/// Threads that may be stuck at once.
const STUCK: usize = 8;
/// Users who are not trusted at once.
const USERS: usize = 64;

type Work = Box<dyn FnOnce() + Send>;

/// Reads with a deadline.
#[derive(Debug, Default)]
pub(super) struct Patience(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The thread that reads, while it is not stuck.
    reader: Option<Sender<Work>>,
    /// What the stuck threads will say when they have come to an end.
    stuck: Vec<Receiver<()>>,
    distrusted: HashMap<u32, Instant>,
    rests_until: Option<Instant>,
}

/// A read that has begun.
#[derive(Debug)]
pub(super) struct Pending<'a, T> {
    patience: &'a Patience,
    uid: u32,
    deadline: Instant,
    answered: Receiver<T>,
    ended: Receiver<()>,
}

impl Patience {
    /// Begins to read in the memory of a process of this user; `None` if such a read took too long a moment ago.
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
            // Whether anybody still waits for it is not known here.
            let _waited_for = answer.send(read());
            drop(end);
        });
        state.reader()?.send(work).ok()?;
        Some(Pending { patience: self, uid, deadline: now + DEADLINE, answered, ended })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Pending<'_, T> {
    /// What was found; `None` if that takes too long.
    pub(super) fn finish(self) -> Option<T> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let answer = self.answered.recv_timeout(left);
        let Err(error) = answer else { return answer.ok() };
        let mut state = self.patience.lock();
        match error {
            // The read has failed, and the thread with it.
            RecvTimeoutError::Disconnected => state.reader = None,
            RecvTimeoutError::Timeout => state.give_up(self.uid, self.ended, Instant::now()),
        }
        None
    }
}

impl State {
    fn may_read(&mut self, uid: u32, now: Instant) -> bool {
        self.stuck.retain(|ended| ended.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty));
        self.distrusted.retain(|_, until| *until > now);
        let rests = self.rests_until.is_some_and(|until| until > now);
        !rests && self.stuck.len() < STUCK && !self.distrusted.contains_key(&uid)
    }

    fn reader(&mut self) -> Option<&Sender<Work>> {
        if self.reader.is_none() {
            let (sender, works) = channel::<Work>();
            let run = move || {
                signals::leave_to_the_first_thread();
                works.into_iter().for_each(|work| work());
            };
            thread::Builder::new().name("portbind-read".to_owned()).spawn(run).ok()?;
            self.reader = Some(sender);
        }
        self.reader.as_ref()
    }

    /// Leaves the thread alone: it ends when its read does.
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
        // The stuck thread has come to an end, or is about to.
        while patience.0.lock().unwrap().stuck.len() > 1 {
            thread::yield_now();
        }
        assert_eq!(read(&patience, 7, || true), Some(true));
    }

    #[test]
    fn a_read_that_fails_takes_no_other_with_it() {
        let patience = Patience::default();
        // A panic without its message, which takes long where it comes with a backtrace.
        assert_eq!(read(&patience, 7, || -> u8 { std::panic::resume_unwind(Box::new(())) }), None);
        assert_eq!(read(&patience, 7, || 1), Some(1));
    }
}
