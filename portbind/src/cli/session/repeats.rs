//! Refusals that were only counted, because others like them had just been told: how many there were.

use std::hash::Hash;
use std::num::NonZeroUsize;
use std::rc::Rc;

use jiff::Timestamp;
use lru::LruCache;
use portbind_ebpf::abi::{Alike, MAX_ALIKE, MAX_SHARES};

use crate::diagnosis::event::{Process, Refusal, Repeat};

/// Kinds of refusals that are remembered: as many as the kernel half does.
const KINDS: NonZeroUsize = NonZeroUsize::new(MAX_ALIKE as usize).unwrap();
/// Processes that are remembered: the same.
const PROCESSES: NonZeroUsize = NonZeroUsize::new(MAX_SHARES as usize).unwrap();

/// What they have in common, as bytes.
type Key = [u8; size_of::<Alike>()];

/// The last one told of each kind, and of each process.
#[derive(Debug)]
pub(super) struct Repeats {
    alike: LruCache<Key, Told>,
    of_process: LruCache<u32, Told>,
}

#[derive(Debug)]
struct Told {
    /// What is told if there are more.
    repeat: Repeat,
    /// How many were counted only, and are told.
    counted: u64,
}

impl Told {
    /// What was not told yet of those that were counted by `now`.
    fn take(&mut self, counted: u64, now: Timestamp) -> Option<Repeat> {
        // The kernel half may have forgotten them, and begun anew.
        let more = counted.saturating_sub(std::mem::replace(&mut self.counted, counted));
        (more > 0).then(|| Repeat { time: now, count: more, ..self.repeat.clone() })
    }
}

impl Repeats {
    pub(super) fn new() -> Self {
        Self { alike: LruCache::new(KINDS), of_process: LruCache::new(PROCESSES) }
    }

    /// A refusal was told.
    pub(super) fn told(&mut self, alike: Alike, refusal: &Refusal) {
        // No more of it than is told of a repeat: thousands are kept.
        let Process { pid, tid, ref comm, .. } = *refusal.process;
        let process = Rc::new(Process { pid, tid, comm: comm.clone(), ..Process::default() });
        let repeat = Repeat {
            time: refusal.time,
            refused: refusal.time,
            count: 0,
            looked_at: true,
            process,
            socket: refusal.socket.clone(),
            cause: refusal.cause.code,
        };
        put(&mut self.of_process, refusal.process.pid, Repeat { looked_at: false, ..repeat.clone() });
        put(&mut self.alike, key(&alike), repeat);
    }

    /// What would be said of one more that is like this one, if such a refusal was shown.
    pub(super) fn like(&self, alike: &Alike) -> Option<&Repeat> {
        self.alike.peek(&key(alike)).map(|told| &told.repeat)
    }

    /// What would be said of one more of this process, if a refusal of it was shown.
    pub(super) fn of_process(&self, pid: u32) -> Option<&Repeat> {
        self.of_process.peek(&pid).map(|told| &told.repeat)
    }

    /// What was not told yet of those that are alike, and were counted by `now`.
    pub(super) fn take(&mut self, counted: &[(Alike, u64)], now: Timestamp) -> Vec<Repeat> {
        let counted = counted.iter().map(|(alike, count)| (key(alike), *count));
        take(&mut self.alike, counted, now)
    }

    /// The same of those that were counted by their process alone.
    pub(super) fn take_not_looked_at(&mut self, counted: &[(u32, u64)], now: Timestamp) -> Vec<Repeat> {
        take(&mut self.of_process, counted.iter().copied(), now)
    }
}

fn put<K: Hash + Eq>(told: &mut LruCache<K, Told>, key: K, repeat: Repeat) {
    let counted = told.peek(&key).map_or(0, |told| told.counted);
    told.put(key, Told { repeat, counted });
}

fn take<K: Hash + Eq>(
    told: &mut LruCache<K, Told>,
    counted: impl Iterator<Item = (K, u64)>,
    now: Timestamp,
) -> Vec<Repeat> {
    let mut repeats: Vec<_> =
        counted.filter_map(|(key, count)| told.peek_mut(&key)?.take(count, now)).collect();
    repeats.sort_by_key(|repeat| repeat.refused);
    repeats
}

fn key(alike: &Alike) -> Key {
    zerocopy::transmute!(*alike)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    #[test]
    fn each_is_told_once() {
        let (mut repeats, refusal) = (Repeats::new(), samples::listener());
        let alike = Alike { address: [0; 4], pid: 1, netns: 2, port: 8080, protocol: 6 };
        let other = Alike { port: 8081, ..alike };
        let mut counts = |counted: &[(Alike, u64)]| -> Vec<u64> {
            repeats.told(alike, &refusal);
            repeats.take(counted, refusal.time).iter().map(|repeat| repeat.count).collect()
        };
        assert_eq!(counts(&[]), [0; 0]);
        assert_eq!(counts(&[(alike, 5), (other, 3)]), [5]);
        assert_eq!(counts(&[(alike, 5)]), [0; 0]);
        assert_eq!(counts(&[(alike, 7)]), [2]);
        assert_eq!(counts(&[(alike, 1)]), [0; 0]);
        assert_eq!(counts(&[(alike, 4)]), [3]);
    }

    #[test]
    fn those_that_were_not_looked_at_are_told_by_their_process() {
        let (mut repeats, refusal) = (Repeats::new(), samples::listener());
        let pid = refusal.process.pid;
        let alike = Alike { address: [0; 4], pid: u64::from(pid), netns: 2, port: 8080, protocol: 6 };
        assert_eq!(repeats.take_not_looked_at(&[(pid, 1)], refusal.time), []);
        repeats.told(alike, &refusal);
        let told = repeats.take_not_looked_at(&[(pid + 1, 3), (pid, 7)], refusal.time);
        assert_eq!(
            told.iter().map(|repeat| (repeat.count, repeat.looked_at)).collect::<Vec<_>>(),
            [(7, false)]
        );
        assert_eq!(repeats.take(&[(alike, 2)], refusal.time).len(), 1);
        assert_eq!(repeats.take_not_looked_at(&[(pid, 7)], refusal.time), []);
    }
}
