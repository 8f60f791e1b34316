//! Refusals that found no room in the queue: counted with one that was shown, or lost.

use std::hash::Hash;
use std::num::NonZeroUsize;

use jiff::Timestamp;
use lru::LruCache;

use crate::diagnosis::event::Repeat;

/// Kinds of refusals, and processes, that are counted between two reports.
const KINDS: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// What is counted, and what was.
#[derive(Debug)]
pub(super) struct Overflow<K: Hash + Eq> {
    counted: LruCache<K, Repeat>,
    /// Refusals that are not even counted with others: there were too many kinds.
    pub(super) lost: u64,
}

impl<K: Hash + Eq> Overflow<K> {
    pub(super) fn new() -> Self {
        Self { counted: LruCache::new(KINDS), lost: 0 }
    }

    /// One more, refused at `time`; `like` is the repeat that it would be.
    pub(super) fn count(&mut self, key: K, time: Timestamp, like: impl FnOnce() -> Repeat) {
        if let Some(counted) = self.counted.get_mut(&key) {
            counted.count = counted.count.saturating_add(1);
            counted.first = counted.first.min(time);
            counted.last = counted.last.max(time);
            return;
        }
        // What was counted and not reported yet is not given up for another kind.
        if self.counted.len() >= KINDS.get() {
            self.lost = self.lost.saturating_add(1);
            return;
        }
        self.counted.put(key, Repeat { count: 1, first: time, last: time, ..like() });
    }

    /// What was counted since the last time.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<Repeat> {
        let mut repeats: Vec<Repeat> = Vec::new();
        while let Some((_, repeat)) = self.counted.pop_lru() {
            repeats.push(Repeat { time: now, ..repeat });
        }
        repeats
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use jiff::SignedDuration;

    use super::*;
    use crate::output::samples;

    #[test]
    fn all_are_counted_once() {
        let refusal = samples::listener();
        let (time, later) = (refusal.time, refusal.time + SignedDuration::from_secs(1));
        let known = || Repeat {
            time,
            first: time,
            last: time,
            refused: Some(time),
            count: 0,
            looked_at: true,
            process: Rc::clone(&refusal.process),
            socket: refusal.socket.clone(),
            cause: Some(refusal.cause.code),
        };
        let mut overflow = Overflow::new();
        overflow.count(8, later, known);
        overflow.count(8, time, known);
        let taken = overflow.take(later);
        let parts: Vec<_> = taken.iter().map(|repeat| (repeat.count, repeat.first, repeat.last)).collect();
        assert_eq!((parts, overflow.lost), (vec![(2, time, later)], 0));
        assert!(overflow.take(later).is_empty());
        for kind in 0..10_000 {
            overflow.count(kind, time, known);
        }
        let counted: u64 = overflow.take(later).iter().map(|repeat| repeat.count).sum();
        assert_eq!((counted, counted + overflow.lost), (4096, 10_000));
    }
}
